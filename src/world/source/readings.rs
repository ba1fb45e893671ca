//! What large design files were read as, kept in the cache folder from one process to the next.
//!
//! Bytes by key, of one build of this program each: another build may read the same text as something else. What
//! they mean is for the design floor to know. Everything here may fail in silence: it is only work saved.

use super::cache::{self, Part};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Larger readings are not kept: some thirty times the largest file.
const LARGEST_BYTES: u64 = 256 << 20;
/// A reading that nobody has wanted for so long is of a file that has changed.
const UNUSED: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The running program itself.
const PROGRAM: &str = "/proc/self/exe";

pub struct Readings {
    folder: PathBuf,
}

impl Readings {
    /// `None` where the running program cannot be told from others.
    pub fn open(cache: &Path) -> Option<Readings> {
        let program = std::fs::metadata(PROGRAM).ok()?;
        let build = (program.len(), program.mtime(), program.mtime_nsec(), program.ino());
        let name = cache::name_of(&format!("{build:?}"));
        Some(Readings { folder: cache.join("readings").join(name) })
    }

    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(self.folder.join(key)).ok()?;
        file.take(LARGEST_BYTES).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    pub fn put(&self, key: &str, bytes: &[u8]) {
        if bytes.len() as u64 >= LARGEST_BYTES {
            return;
        }
        if let Err(error) = self.write(key, bytes) {
            tracing::debug!(%error, "a reading could not be kept");
        }
    }

    fn write(&self, key: &str, bytes: &[u8]) -> Result<(), super::SourceError> {
        let folder = cache::folder(&self.folder, "")?;
        let target = folder.join(key);
        let part = Part::beside(&target)?;
        std::fs::write(&part.path, bytes).map_err(|error| cache::failed(&part.path, &error))?;
        part.finish(&target)?;
        cache::sweep(&folder, UNUSED);
        if let Some(all) = folder.parent() {
            cache::sweep(all, UNUSED);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_found_again_and_a_folder_that_cannot_be_made_is_no_fault() {
        let place = tempfile::tempdir().unwrap();
        let readings = Readings::open(place.path()).unwrap();
        assert_eq!(readings.get("a"), None);
        readings.put("a", b"read");
        assert_eq!(readings.get("a").as_deref(), Some(&b"read"[..]));
        std::fs::write(place.path().join("file"), "").unwrap();
        let nowhere = Readings::open(&place.path().join("file")).unwrap();
        nowhere.put("a", b"read");
        assert_eq!(nowhere.get("a"), None);
    }
}
