//! Single files of a design, read and put in place of themselves.
//!
//! Owns that a file is replaced whole or not at all, and that its owner and its permissions stay what they were.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};

/// What is read of one file; the design's own limit is smaller and gives the better message.
const MOST_BYTES: u64 = 64 << 20;

/// The bytes of a file; of one that is too large, somewhat more than the limit of a design file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    read_from(File::open(path)?)
}

/// The same of a stream.
pub fn read_from(stream: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Puts `text` in the file's place in one step: whoever reads it sees the old text or the new one. A link stays a link;
/// what it names is replaced.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = path.canonicalize()?;
    let new = beside(&path);
    let written = write(&path, &new, text).and_then(|()| std::fs::rename(&new, &path));
    if written.is_err() {
        // Only what this call made: `write` never opens a file that is there already.
        let _ = std::fs::remove_file(&new);
    }
    written
}

/// A name that no design file has.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.new", std::process::id()))
}

fn write(old: &Path, new: &Path, text: &str) -> io::Result<()> {
    let was = std::fs::metadata(old)?;
    // The right to write the folder is not the right to write the file.
    OpenOptions::new().write(true).open(old)?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(new)?;
    let is = file.metadata()?;
    if (is.uid(), is.gid()) != (was.uid(), was.gid()) {
        chown(new, Some(was.uid()), Some(was.gid()))?;
    }
    file.set_permissions(Permissions::clone(&was.permissions()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_replaced_with_its_permissions_and_nothing_stays_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.kdl"), folder.path().join("b.kdl"));
        std::fs::write(&file, "old").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, "new").unwrap();
        assert_eq!(read(&file).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_no_file_is_neither_read_nor_replaced() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).is_err());
        assert!(replace(folder.path(), "").is_err());
        assert!(replace(&folder.path().join("none.kdl"), "").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
