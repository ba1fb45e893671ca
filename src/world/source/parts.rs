//! What of a fetched revision is the design, gathered within limits; and the digest over it.
//!
//! A folder on disk goes by the same rules. Names come from outside: each is judged before it is used.

use super::uri::is_plain;
use super::{Limits, SourceError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Text files, and payloads, that a design may have.
pub(super) const FILES: usize = 20_000;
/// Entries of a design's folders, whether they belong to it or not.
pub(super) const ENTRIES: usize = 100_000;
pub(super) const FOLDERS_DEEP: usize = 16;
/// Folders of the design whose files are part of it, besides every `*.kdl`.
const PARTS: &[&str] = &["scripts", "templates", "inventory", "containers"];
/// Folders that are never looked into: payloads, our own store, and version control.
pub(super) const APART: &[&str] = &["files", ".rackwright", ".git", "target"];
pub(super) const PAYLOADS: &str = "files";
const LONGEST_NAME_BYTES: usize = 1024;
/// Names of a path from outside; deeper than [`FOLDERS_DEEP`] nothing is part of the design.
const DEEPEST: usize = 128;

/// What a file is to the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text,
    /// Served, never read whole.
    Payload,
    Apart,
}

/// What the file at `path` is, a path with `/` below the design's top.
pub(super) fn part(path: &str) -> Part {
    match path.rsplit_once('/') {
        Some((folder, _)) if folder.split('/').next() == Some(PAYLOADS) => Part::Payload,
        Some((folder, _)) if is_apart(folder) || folder.split('/').count() > FOLDERS_DEEP => Part::Apart,
        _ if is_text(path) => Part::Text,
        _ => Part::Apart,
    }
}

/// True for a folder that is not looked into.
pub(super) fn is_apart(folder: &str) -> bool {
    let first = folder.split('/').next().unwrap_or_default();
    let is_hidden = || folder.split('/').any(|name| name.starts_with('.'));
    first != PAYLOADS && (APART.contains(&first) || is_hidden())
}

pub(super) fn is_text(path: &str) -> bool {
    path.ends_with(".kdl") || path.split_once('/').is_some_and(|(first, _)| PARTS.contains(&first))
}

/// A name from outside, when it means itself wherever it is joined.
pub(super) fn judge(path: &str) -> Result<(), SourceError> {
    let shown = || path.chars().filter(|letter| !letter.is_control()).take(200).collect::<String>();
    if !path.split('/').all(is_plain) {
        return Err(SourceError::Escape { path: shown() });
    }
    match path.len() <= LONGEST_NAME_BYTES && path.split('/').count() <= DEEPEST {
        true => Ok(()),
        false => Err(SourceError::Limit(format!("`{}` is too long or lies too deep", shown()))),
    }
}

/// A revision's parts as they come in.
#[derive(Default)]
pub(super) struct Gathered {
    pub files: BTreeMap<Arc<str>, Arc<[u8]>>,
    pub payloads: BTreeSet<Arc<str>>,
    bytes: u64,
}

impl Gathered {
    /// Says whether a text of so many bytes may be read: before memory is spent on it.
    pub fn make_room(&mut self, path: &str, bytes: u64, limits: &Limits) -> Result<(), SourceError> {
        if bytes > limits.file_bytes {
            return Err(SourceError::TooLarge { path: path.into(), bytes, limit: limits.file_bytes });
        }
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > limits.text_bytes {
            return Err(SourceError::Limit(format!(
                "its text files have more than {} bytes",
                limits.text_bytes
            )));
        }
        if self.files.len() >= FILES {
            return Err(SourceError::TooMany(FILES));
        }
        Ok(())
    }

    pub fn add_payload(&mut self, path: &str) -> Result<(), SourceError> {
        self.payloads.insert(path.into());
        if self.payloads.len() > FILES { Err(SourceError::TooMany(FILES)) } else { Ok(()) }
    }

    /// A design has KDL at its top.
    pub fn has_kdl(&self, place: &str) -> Result<(), SourceError> {
        let kdl = || self.files.keys().filter(|name| name.ends_with(".kdl"));
        if kdl().any(|name| !name.contains('/')) {
            return Ok(());
        }
        let near = kdl().find_map(|name| name.rsplit_once('/')).map(|(folder, _)| folder);
        let help =
            near.map_or_else(String::new, |near| format!("; did you mean its folder, written `//{near}`?"));
        Err(SourceError::NoKdl { folder: place.to_string(), help })
    }
}

/// blake3 over each file's name, length and content, in order of name.
pub fn digest(files: &BTreeMap<Arc<str>, Arc<[u8]>>) -> String {
    let mut hasher = blake3::Hasher::new();
    for (name, content) in files {
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(&(content.len() as u64).to_le_bytes());
        hasher.update(content);
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_its_part() {
        for (path, is) in [
            ("site.kdl", Part::Text),
            ("racks/r1.kdl", Part::Text),
            ("scripts/a/b.rhai", Part::Text),
            ("inventory/x.csv", Part::Text),
            ("containers/x/Dockerfile", Part::Text),
            ("files/boot/kernel", Part::Payload),
            ("files/x.kdl", Part::Payload),
            ("README.md", Part::Apart),
            ("docs/scripts/x.rhai", Part::Apart),
            (".git/x.kdl", Part::Apart),
            (".rackwright/x.kdl", Part::Apart),
            ("target/x.kdl", Part::Apart),
            ("racks/.hidden/x.kdl", Part::Apart),
            ("files", Part::Apart),
            (".x.kdl", Part::Text),
        ] {
            assert_eq!(part(path), is, "{path}");
        }
    }

    #[test]
    fn names_that_leave_are_refused() {
        for bad in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/./b", "a\\b", "a\0b", "a\nb"] {
            assert!(matches!(judge(bad), Err(SourceError::Escape { .. })), "{bad:?}");
        }
        assert!(matches!(judge("a/".repeat(200).trim_end_matches('/')), Err(SourceError::Limit(_))));
        assert_eq!(judge("racks/ü 1.kdl"), Ok(()));
    }

    #[test]
    fn texts_are_refused_before_they_are_read() {
        let limits = Limits { file_bytes: 10, text_bytes: 25, ..Limits::default() };
        let mut gathered = Gathered::default();
        assert!(matches!(gathered.make_room("x", 11, &limits), Err(SourceError::TooLarge { bytes: 11, .. })));
        gathered.make_room("a", 10, &limits).unwrap();
        gathered.make_room("b", 10, &limits).unwrap();
        assert!(matches!(gathered.make_room("c", 10, &limits), Err(SourceError::Limit(_))));
    }
}
