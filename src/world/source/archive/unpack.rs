//! A tar archive read twice as it streams past: first judged as a whole, then gathered.
//!
//! Nothing is believed of it. Every read is within a budget, headers included, so that neither a compressed bomb nor a
//! header that announces gigabytes costs memory; links, devices and names that leave are errors that name the entry.

use super::super::parts::{self, Gathered, Part};
use super::super::{Limits, SourceError, cache};
use flate2::read::MultiGzDecoder;
use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::PathBuf;
use std::rc::Rc;
use tar::EntryType;

/// What may lie between two contents: headers, long names and padding.
const BETWEEN_BYTES: u64 = 1 << 20;
/// How a budget that is spent is told apart from other errors of reading.
const SPENT: &str = "more than its limit";

pub(super) struct Source {
    pub uri: String,
    pub path: PathBuf,
    pub gzip: bool,
    pub subdir: String,
    /// Where the payloads are unpacked, when they are to be served.
    pub payloads: Option<PathBuf>,
    pub limits: Limits,
}

/// The design in the archive, and the folder that holds its payloads.
pub(super) fn read(source: &Source) -> Result<(Gathered, Option<PathBuf>), SourceError> {
    let mut shape = Shape::default();
    source.each(|path, _, _| {
        shape.see(path, &source.subdir);
        Ok(())
    })?;
    let top = shape.top(source)?;
    let mut gathered = Gathered::default();
    let target = source.payloads.as_ref();
    let part = match target.filter(|target| !target.is_dir()) {
        Some(target) => Some(cache::Part::beside(target)?),
        None => None,
    };
    if let Some(part) = &part {
        let files = part.path.join("files");
        std::fs::create_dir_all(&files).map_err(|error| cache::failed(&files, &error))?;
    }
    source.each(|path, kind, content| {
        let Some(path) = path.strip_prefix(&top) else { return Ok(()) };
        match (kind, parts::part(path)) {
            (Kind::NotPlain(_), _) if parts::is_apart(path) => Ok(()),
            (Kind::NotPlain(what), _) => Err(SourceError::NotPlain { path: path.into(), what }),
            (Kind::Folder, _) | (_, Part::Apart) => Ok(()),
            (Kind::File(bytes), Part::Text) => {
                gathered.make_room(path, bytes, &source.limits)?;
                let mut text = Vec::new();
                content.read_to_end(&mut text).map_err(|error| source.broken(&error))?;
                match gathered.files.insert(path.into(), text.into()) {
                    Some(_) => Err(source.damaged(format!("`{path}` is there twice"))),
                    None => Ok(()),
                }
            }
            (Kind::File(_), Part::Payload) => {
                gathered.add_payload(path)?;
                let Some(part) = &part else { return Ok(()) };
                let mut file = cache::create(&part.path, path)?;
                io::copy(content, &mut file).map(drop).map_err(|error| source.broken(&error))
            }
        }
    })?;
    if let (Some(part), Some(target)) = (part, target) {
        part.finish(target)?;
    }
    if let Some(target) = target {
        cache::payloads_used(target);
    }
    Ok((gathered, source.payloads.clone()))
}

/// What an entry is.
#[derive(Clone, Copy)]
enum Kind {
    File(u64),
    Folder,
    NotPlain(&'static str),
}

impl Source {
    /// Calls `see` with every entry's path and content, in the archive's order.
    fn each(
        &self,
        mut see: impl FnMut(&str, Kind, &mut dyn Read) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        let file = File::open(&self.path).map_err(|error| cache::failed(&self.path, &error))?;
        let stream: Box<dyn Read> = match self.gzip {
            true => Box::new(MultiGzDecoder::new(BufReader::new(file))),
            false => Box::new(BufReader::new(file)),
        };
        let left = Rc::new(Cell::new(0));
        let zeros = Rc::new(Cell::new(0));
        let mut archive = tar::Archive::new(Budget { stream, left: left.clone(), zeros: zeros.clone() });
        let (mut total, mut number) = (0u64, 0);
        left.set(BETWEEN_BYTES);
        let mut entries = archive.entries().map_err(|error| self.broken(&error))?;
        loop {
            left.set(BETWEEN_BYTES);
            let Some(entry) = entries.next() else { break };
            let mut entry = entry.map_err(|error| self.broken(&error))?;
            number += 1;
            if number > self.limits.entries {
                return Err(SourceError::TooMany(self.limits.entries));
            }
            let bytes = entry.size();
            total = total.saturating_add(bytes);
            if total > self.limits.unpacked_bytes {
                let most = self.limits.unpacked_bytes;
                return Err(SourceError::Limit(format!("the archive's content has more than {most} bytes")));
            }
            left.set(bytes.saturating_add(BETWEEN_BYTES));
            let kind = kind(entry.header().entry_type(), bytes);
            if let Some(kind) = kind {
                let path = self.path_of(&entry.path_bytes())?;
                if !path.is_empty() {
                    see(&path, kind, &mut entry)?;
                }
            }
            io::copy(&mut entry, &mut io::sink()).map_err(|error| self.broken(&error))?;
        }
        if number == 0 || zeros.get() < 512 {
            return Err(self.damaged("the archive ends in its middle".into()));
        }
        // The checksum of gzip stands at its very end.
        left.set(BETWEEN_BYTES);
        io::copy(&mut archive.into_inner(), &mut io::sink()).map(drop).map_err(|error| self.broken(&error))
    }

    /// An entry's path, judged: relative, without `.` at its beginning and `/` at its end.
    fn path_of(&self, bytes: &[u8]) -> Result<String, SourceError> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let mut path = text.as_str();
        while let Some(rest) = path.strip_prefix("./") {
            path = rest;
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() || path == "." {
            return if text.starts_with('/') {
                Err(SourceError::Escape { path: text })
            } else {
                Ok(String::new())
            };
        }
        parts::judge(path)?;
        Ok(path.to_string())
    }

    fn damaged(&self, why: String) -> SourceError {
        SourceError::Damaged { uri: self.uri.clone(), why }
    }

    fn broken(&self, error: &io::Error) -> SourceError {
        let said = super::super::chain(error);
        match said.contains(SPENT) {
            true => SourceError::Limit(format!("an entry of the archive has {SPENT}")),
            false => self.damaged(format!("the archive is truncated or corrupt: {said}")),
        }
    }
}

/// `None` for entries that only describe others.
fn kind(entry: EntryType, bytes: u64) -> Option<Kind> {
    Some(match entry {
        EntryType::Regular | EntryType::Continuous => Kind::File(bytes),
        EntryType::Directory => Kind::Folder,
        EntryType::XGlobalHeader | EntryType::XHeader => return None,
        EntryType::Symlink => Kind::NotPlain("a link"),
        EntryType::Link => Kind::NotPlain("a hard link"),
        EntryType::Char | EntryType::Block => Kind::NotPlain("a device"),
        EntryType::Fifo => Kind::NotPlain("a pipe"),
        EntryType::GNUSparse => Kind::NotPlain("a sparse file"),
        _ => Kind::NotPlain("of a kind that is not known"),
    })
}

/// Where the design's top is: in the archive's own top, or in the one folder that forges put around everything.
#[derive(Default)]
struct Shape {
    around: Option<String>,
    is_around_everything: bool,
    has_subdir: bool,
    has_subdir_inside: bool,
    has_kdl: bool,
}

impl Shape {
    fn see(&mut self, path: &str, subdir: &str) {
        let (first, rest) = path.split_once('/').map_or((path, None), |(first, rest)| (first, Some(rest)));
        if self.around.is_none() {
            self.around = Some(first.to_string());
            self.is_around_everything = true;
        }
        self.is_around_everything &= self.around.as_deref() == Some(first);
        let below = |path: &str| path.strip_prefix(subdir).is_some_and(|rest| rest.starts_with('/'));
        self.has_subdir |= below(path);
        self.has_subdir_inside |= rest.is_some_and(below);
        self.has_kdl |= rest.is_none() && path.ends_with(".kdl");
    }

    /// What stands before every name of the design.
    fn top(&self, source: &Source) -> Result<String, SourceError> {
        let around = self.around.as_ref().filter(|_| self.is_around_everything && !self.has_kdl);
        match (source.subdir.as_str(), around) {
            ("", None) => Ok(String::new()),
            ("", Some(around)) => Ok(format!("{around}/")),
            (subdir, _) if self.has_subdir => Ok(format!("{subdir}/")),
            (subdir, Some(around)) if self.has_subdir_inside => Ok(format!("{around}/{subdir}/")),
            (subdir, _) => {
                let why = format!("the archive has no folder `{subdir}`");
                Err(SourceError::Fetch { uri: source.uri.clone(), why })
            }
        }
    }
}

/// Reads within a budget, and knows how many zeros came last: a tar archive ends with a block of them.
struct Budget {
    stream: Box<dyn Read>,
    left: Rc<Cell<u64>>,
    zeros: Rc<Cell<u64>>,
}

impl Read for Budget {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.left.get()).unwrap_or(usize::MAX);
        if left == 0 && !buffer.is_empty() {
            return Err(io::Error::other(SPENT));
        }
        let most = buffer.len().min(left);
        let length = self.stream.read(&mut buffer[..most])?;
        self.left.set(self.left.get() - length as u64);
        let last = buffer[..length].iter().rev().take_while(|byte| **byte == 0).count();
        let before = if last == length { self.zeros.get() } else { 0 };
        self.zeros.set(before + last as u64);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn archive() -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, text) in
            [("d/site.kdl", "site"), ("d/files/kernel", "k"), ("d/scripts/x.rhai", "fn x() {}")]
        {
            let mut header = tar::Header::new_ustar();
            header.set_size(text.len() as u64);
            header.set_cksum();
            builder.append_data(&mut header, name, text.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    /// What lies beside the archive and what was unpacked of it.
    fn stray(folder: &std::path::Path) -> Vec<String> {
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .filter(|name| name != "a" && name != "p")
            .collect()
    }

    proptest! {
        #[test]
        fn no_archive_is_too_strange(changes in prop::collection::vec((0usize..4096, any::<u8>()), 1..12), cut in 0usize..5000) {
            let folder = tempfile::tempdir().unwrap();
            let mut bytes = archive();
            for (at, byte) in changes {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            bytes.truncate(cut.max(1));
            let path = folder.path().join("a");
            std::fs::write(&path, bytes).unwrap();
            let source = Source {
                uri: "u".into(),
                path,
                gzip: false,
                subdir: String::new(),
                payloads: Some(folder.path().join("p")),
                limits: Limits::default(),
            };
            let _ = read(&source);
            prop_assert_eq!(stray(folder.path()), Vec::<String>::new());
        }
    }
}
