//! The cache folder: mirrors, archives and unpacked payloads, shared by processes.
//!
//! What is finished gets its name by a rename, so that nobody meets half of it; what is worked on in place is worked on under a
//! lock file. All of it can be deleted while nothing runs: it is fetched again.

use super::SourceError;
use crate::id::random_hex;
use crate::world::clock;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// What is kept of each kind however old it is.
const KEPT: usize = 16;
/// Payloads may be served for long after they were looked at.
const UNUSED: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// What nobody has written to for so long is nobody's work.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 60 * 60);
/// Between two looks at a lock that somebody holds.
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// One folder of the cache; designs are nobody else's business on this computer.
pub(super) fn folder(root: &Path, name: &str) -> Result<PathBuf, SourceError> {
    let folder = root.join(name);
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| failed(&folder, &error))?;
    Ok(folder)
}

pub(super) fn failed(path: &Path, error: &std::io::Error) -> SourceError {
    SourceError::Cache { path: path.display().to_string(), why: error.to_string() }
}

/// The name of something in the cache that is known by a text.
pub(super) fn name_of(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..32].to_string()
}

/// The lock on what `path` is; the operating system frees it when the process ends.
pub(super) struct Lock(#[expect(dead_code, reason = "held for its drop")] File);

/// Waits until nobody else holds it; whoever calls has a deadline.
pub(super) async fn lock(path: &Path) -> Result<Lock, SourceError> {
    let path = path.with_extension("lock");
    let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = open.map_err(|error| failed(&path, &error))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
            Err(TryLockError::Error(error)) => return Err(failed(&path, &error)),
        }
    }
}

/// Something that is being made beside its final name; it is gone when it is dropped unfinished.
pub(super) struct Part {
    pub path: PathBuf,
    finished: bool,
}

impl Part {
    /// A name beside `target` that nobody has.
    pub fn beside(target: &Path) -> Result<Part, SourceError> {
        let drawn = random_hex(8).map_err(|error| SourceError::Cache {
            path: target.display().to_string(),
            why: error.to_string(),
        })?;
        Ok(Part { path: target.with_extension(format!("{drawn}.part")), finished: false })
    }

    /// Gives it its name. When somebody else was first, theirs is as good: names are of contents.
    pub fn finish(mut self, target: &Path) -> Result<(), SourceError> {
        match std::fs::rename(&self.path, target) {
            Ok(()) => self.finished = true,
            Err(_) if target.exists() => {}
            Err(error) => return Err(failed(target, &error)),
        }
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.finished {
            remove(&self.path);
        }
    }
}

/// Removes a file or a folder; what cannot be removed is in nobody's way.
pub(super) fn remove(path: &Path) {
    let removed = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    if let Err(error) = removed.as_ref()
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(path = %path.display(), %error, "the cache could not be tidied");
    }
}

/// Keeps the `KEPT` newest of a folder, whatever was used within `rest`, and no half of anything that a crash left.
pub(super) fn sweep(folder: &Path, rest: Duration) {
    let since_1970 = Duration::from_micros(u64::try_from(clock::now().0).unwrap_or_default());
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(Duration, PathBuf)> = entries
        .filter_map(|entry| {
            let used = entry.metadata().ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
            Some((since_1970.saturating_sub(used), entry.path()))
        })
        .collect();
    found.sort();
    let is_part = |path: &Path| path.extension().is_some_and(|ending| ending == "part");
    let (parts, whole): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, path)| is_part(path));
    let old = whole.iter().skip(KEPT).filter(|(unused, _)| *unused >= rest);
    let left = parts.iter().filter(|(unused, _)| *unused >= LEFT_BEHIND);
    old.chain(left).for_each(|(_, path)| remove(path));
}

/// Says that a folder of payloads is in use, and makes room: no run serves from one for a month without a look at it.
pub(super) fn payloads_used(path: &Path) {
    let now = UNIX_EPOCH + Duration::from_micros(u64::try_from(clock::now().0).unwrap_or_default());
    if let Err(error) = File::open(path).and_then(|file| file.set_modified(now)) {
        tracing::debug!(path = %path.display(), %error, "the cache could not be marked");
    }
    if let Some(folder) = path.parent() {
        sweep(folder, UNUSED);
    }
}

/// A file below `folder`, with the folders that it lies in.
pub(super) fn create(folder: &Path, name: &str) -> Result<File, SourceError> {
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| failed(parent, &error))?;
    }
    OpenOptions::new().write(true).create_new(true).open(&path).map_err(|error| failed(&path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn aged(folder: &Path, name: &str, age: Duration) {
        let file = File::create(folder.join(name)).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    fn count(folder: &Path, ending: &str) -> usize {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        entries.filter(|name| name.to_str().unwrap().ends_with(ending)).count()
    }

    #[test]
    fn the_newest_stay_and_halves_that_a_crash_left_go() {
        let folder = tempfile::tempdir().unwrap();
        let hour = Duration::from_secs(3600);
        for number in 0..30 {
            aged(folder.path(), &format!("{number}-whole"), hour * (1 + number));
        }
        aged(folder.path(), "young.part", hour);
        aged(folder.path(), "old.part", hour * 25);
        sweep(folder.path(), hour * 20);
        assert_eq!((count(folder.path(), "-whole"), count(folder.path(), ".part")), (19, 1));
        sweep(folder.path(), Duration::ZERO);
        assert_eq!((count(folder.path(), "-whole"), count(folder.path(), ".part")), (KEPT, 1));
        assert!(folder.path().join("0-whole").exists() && !folder.path().join("29-whole").exists());
        payloads_used(&folder.path().join("15-whole"));
        let modified = std::fs::metadata(folder.path().join("15-whole")).unwrap().modified().unwrap();
        assert!(modified.elapsed().unwrap_or_default() < hour);
    }
}
