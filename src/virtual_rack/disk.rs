//! Files of the rack: settings, disk contents and the log. The only place of this floor that opens files.
//!
//! Owns how things lie in the state folder and that a document is replaced whole (written aside, then
//! renamed) or not at all. Does not know what the documents mean. A folder without a path keeps nothing:
//! such a rack lives in memory. Nothing is flushed to the medium: a power cut of *this* computer may cost a
//! rehearsal its last changes, and a flush per change would cost a thousand machines their speed.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use tokio::sync::Semaphore;

const IMAGE: &str = "disk.img";
/// How much of a disk's first line is looked at.
const HEAD_BYTES: usize = 512;
/// Whole disks that are read at the same time: enough for two cores, few enough threads.
static READERS: Semaphore = Semaphore::const_new(4);

/// A folder of the state, or nothing at all.
#[derive(Clone, Debug)]
pub struct Folder {
    path: Option<PathBuf>,
    /// What it holds is read and nothing is written: a rack that only is to be looked at leaves no trace.
    frozen: bool,
}

/// What is on a disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The first line, at most 512 bytes of it.
    pub first_line: String,
    pub bytes: u64,
    /// `sha256:HEX` of all of it.
    pub checksum: String,
}

impl Folder {
    /// Opens the folder, making it when it is not there, unless it is frozen.
    pub fn open(path: Option<PathBuf>, frozen: bool) -> io::Result<Folder> {
        if let Some(path) = path.as_ref().filter(|_| !frozen) {
            fs::create_dir_all(path)?;
        }
        Ok(Folder { path, frozen })
    }

    pub fn child(&self, name: &str) -> io::Result<Folder> {
        Folder::open(self.path.as_ref().map(|path| path.join(name)), self.frozen)
    }

    /// Where writes go; `None` when nothing is kept.
    fn kept(&self) -> Option<&PathBuf> {
        self.path.as_ref().filter(|_| !self.frozen)
    }

    /// Reads a document; `None` when it was never written.
    pub fn load<T: DeserializeOwned>(&self, name: &str) -> io::Result<Option<T>> {
        let Some(path) = &self.path else { return Ok(None) };
        match fs::read(path.join(name)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces a document.
    pub fn save<T: Serialize>(&self, name: &str, document: &T) -> io::Result<()> {
        let Some(path) = self.kept() else { return Ok(()) };
        let aside = path.join(format!("{name}.new"));
        fs::write(&aside, serde_json::to_vec(document)?)?;
        fs::rename(aside, path.join(name))
    }

    /// Removes the disk's content; a disk that is empty already stays so.
    pub fn wipe(&self) -> io::Result<()> {
        let Some(path) = self.kept() else { return Ok(()) };
        match fs::remove_file(path.join(IMAGE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Starts to write a new disk content; nothing of it counts before [`Writer::finish`].
    pub fn write(&self) -> io::Result<Writer> {
        let file = match self.kept() {
            Some(path) => Some(File::create(path.join("disk.img.new"))?),
            None => None,
        };
        Ok(Writer { folder: self.clone(), file, summary: Summary::new() })
    }

    /// What is really on the disk: read again where there is a file, else as remembered.
    pub async fn examine(&self, remembered: Option<Content>) -> io::Result<Option<Content>> {
        let Some(path) = self.path.as_ref().map(|path| path.join(IMAGE)) else { return Ok(remembered) };
        let _permit = READERS.acquire().await;
        let reading = tokio::task::spawn_blocking(move || match File::open(path) {
            Ok(file) => summarize(file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        });
        reading.await.map_err(io::Error::other)?
    }
}

/// A disk content in the course of being written.
pub struct Writer {
    folder: Folder,
    file: Option<File>,
    summary: Summary,
}

impl Writer {
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
        }
        self.summary.append(bytes);
        Ok(())
    }

    /// How many bytes are written.
    pub fn bytes(&self) -> u64 {
        self.summary.bytes
    }

    /// Begins again from nothing.
    pub fn restart(&mut self) -> io::Result<()> {
        *self = self.folder.write()?;
        Ok(())
    }

    /// `sha256:HEX` of what is written so far.
    pub fn checksum(&self) -> String {
        self.summary.clone().finish().checksum
    }

    /// Makes what was written the disk's content.
    pub fn finish(self) -> io::Result<Content> {
        if let (Some(path), Some(_)) = (self.folder.kept(), &self.file) {
            fs::rename(path.join("disk.img.new"), path.join(IMAGE))?;
        }
        Ok(self.summary.finish())
    }
}

#[derive(Clone)]
struct Summary {
    head: Vec<u8>,
    bytes: u64,
    hash: Sha256,
}

impl Summary {
    fn new() -> Summary {
        Summary { head: Vec::new(), bytes: 0, hash: Sha256::new() }
    }

    fn append(&mut self, bytes: &[u8]) {
        let wanted = HEAD_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..wanted]);
        self.bytes += bytes.len() as u64;
        self.hash.update(bytes);
    }

    fn finish(self) -> Content {
        let checksum = format!("sha256:{}", crate::id::hex(&self.hash.finalize()));
        Content { first_line: first_line(&self.head), bytes: self.bytes, checksum }
    }
}

/// The first line of `bytes`, without its end, as text.
pub fn first_line(bytes: &[u8]) -> String {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(line).trim_end_matches('\r').to_string()
}

fn summarize(mut file: File) -> io::Result<Content> {
    let mut summary = Summary::new();
    let mut buffer = vec![0u8; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(summary.finish()),
            count => summary.append(&buffer[..count]),
        }
    }
}

/// A file of lines that only grows.
pub struct Lines {
    path: PathBuf,
    file: File,
}

impl Lines {
    /// Opens `name` in `folder` for appending; `None` when the folder keeps nothing.
    pub fn open(folder: &Folder, name: &str) -> io::Result<Option<Lines>> {
        let Some(path) = folder.kept().map(|path| path.join(name)) else { return Ok(None) };
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        Ok(Some(Lines { path, file }))
    }

    /// Appends one line in one write, so that a reader never sees half of it.
    pub fn append(&mut self, line: &str) -> io::Result<()> {
        self.file.write_all(format!("{line}\n").as_bytes())
    }

    /// Where the lines can be read.
    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }
}

/// The whole text of a file of lines.
pub async fn read_lines(path: PathBuf) -> io::Result<Vec<u8>> {
    tokio::fs::read(path).await
}
