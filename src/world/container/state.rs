//! What became of an image that was to be made: kept in a folder, so that another command can say it.
//!
//! Whether an image is there the engine knows. What it does not know is that one is being made now, or why it could not
//! be. The log of making is kept whole, the last one for each image.

use super::ContainerError;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Of a log, what is read back.
const LOG_BYTES: usize = 256 << 10;

/// What is known of an image that the engine does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildState {
    /// Nobody has tried.
    Missing,
    /// Somebody is at it now; what was said so far.
    Building {
        log: String,
    },
    Failed {
        log: String,
    },
}

/// The making of one image: holds its lock until it is dropped.
pub struct Built {
    log: File,
    failed: PathBuf,
    _lock: File,
}

impl Built {
    /// Begins the log of the image with this digest. `None` while another process makes it.
    pub fn begin(folder: &Path, digest: &str) -> Result<Option<Built>, ContainerError> {
        let wrong = |path: &Path, error: &std::io::Error| ContainerError::File {
            path: path.display().to_string(),
            why: error.to_string(),
        };
        std::fs::create_dir_all(folder).map_err(|error| wrong(folder, &error))?;
        let [lock, log, failed] = paths(folder, digest);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&lock);
        let file = file.map_err(|error| wrong(&lock, &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(wrong(&lock, &error)),
        }
        let _ = std::fs::remove_file(&failed);
        let log = File::create(&log).map_err(|error| wrong(&log, &error))?;
        Ok(Some(Built { log, failed, _lock: file }))
    }

    /// One line of what the engine says. A log that cannot be written stops no build.
    pub fn say(&mut self, line: &str) {
        let _ = writeln!(self.log, "{line}");
    }

    /// Notes that it could not be made.
    pub fn fail(mut self, why: &str) {
        self.say(why);
        let _ = File::create(&self.failed);
    }
}

impl BuildState {
    /// What is known of the image with this digest.
    pub fn read(folder: &Path, digest: &str) -> BuildState {
        let [lock, log, failed] = paths(folder, digest);
        let held = File::open(lock)
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)));
        let text = || {
            let bytes = std::fs::read(&log).unwrap_or_default();
            String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(LOG_BYTES)..]).into_owned()
        };
        match (held, failed.exists()) {
            (true, _) => BuildState::Building { log: text() },
            (false, true) => BuildState::Failed { log: text() },
            (false, false) => BuildState::Missing,
        }
    }
}

fn paths(folder: &Path, digest: &str) -> [PathBuf; 3] {
    ["lock", "log", "failed"].map(|ending| folder.join(format!("{digest}.{ending}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_missing_being_made_or_has_failed() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("images");
        let read = || BuildState::read(&folder, "abc");
        assert_eq!(read(), BuildState::Missing);
        let mut built = Built::begin(&folder, "abc").unwrap().unwrap();
        built.say("STEP 1");
        assert_eq!(read(), BuildState::Building { log: "STEP 1\n".into() });
        assert!(Built::begin(&folder, "abc").unwrap().is_none());
        built.fail("no such file");
        assert_eq!(read(), BuildState::Failed { log: "STEP 1\nno such file\n".into() });
        drop(Built::begin(&folder, "abc").unwrap().unwrap());
        assert_eq!(read(), BuildState::Missing);
    }
}
