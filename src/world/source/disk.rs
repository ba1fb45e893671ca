//! A design folder on disk: which files are read, and the digest over them.

use super::{SourceError, git};
use crate::model::revision::{Revision, SourceTree};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A text file of a design; a bulk inventory of 100 000 rows has about 10 MB.
const FILE_BYTES: u64 = 64 << 20;
const FILES: usize = 20_000;
const FOLDERS_DEEP: usize = 16;
/// Folders of the design whose files are part of it, besides every `*.kdl`.
const PARTS: &[&str] = &["scripts", "templates", "inventory"];
/// Folders that are never looked into: payloads, our own store, and version control.
const APART: &[&str] = &["files", ".rackwright", ".git", "target"];

/// Reads the design at `place`: a folder, or a `file://` URI of one.
pub fn load(place: &str) -> Result<SourceTree, SourceError> {
    let folder = match place.split_once("://") {
        Some(("file", path)) => PathBuf::from(path),
        Some((scheme, _)) => {
            return Err(SourceError::Scheme { uri: place.into(), scheme: format!("{scheme}://") });
        }
        None => PathBuf::from(place),
    };
    if !folder.exists() {
        return Err(SourceError::Missing(place.to_string()));
    }
    if !folder.is_dir() {
        return Err(SourceError::NotAFolder(place.to_string()));
    }
    let root = folder.canonicalize().map_err(|error| unreadable(&folder, &error))?;
    has_kdl(&root, place)?;
    let mut files = BTreeMap::new();
    walk(&root, &root, 0, &mut files)?;
    let payloads = Some(payloads(&root)?);
    let digest = digest(&files);
    let revision = Revision { source: place.to_string(), revision: git::revision_of(&root), digest };
    Ok(SourceTree { revision, files, payloads, root: Some(root) })
}

/// A design has KDL at its top: a folder of designs is none, and `/` is not walked for one.
fn has_kdl(root: &Path, place: &str) -> Result<(), SourceError> {
    let is_kdl = |path: &Path| path.extension().is_some_and(|ending| ending == "kdl");
    let mut near = None;
    for entry in std::fs::read_dir(root).map_err(|error| unreadable(root, &error))?.flatten() {
        let path = entry.path();
        if is_kdl(&path) {
            return Ok(());
        }
        let inside = || std::fs::read_dir(&path).into_iter().flatten().flatten();
        if near.is_none() && inside().any(|entry| is_kdl(&entry.path())) {
            near = Some(entry.file_name().to_string_lossy().into_owned());
        }
    }
    let help = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    Err(SourceError::NoKdl { folder: place.to_string(), help })
}

/// The names of everything under `files/`; the contents may be gigabytes and are not looked into.
fn payloads(root: &Path) -> Result<BTreeSet<Arc<str>>, SourceError> {
    let mut names = BTreeSet::new();
    let mut folders = vec![root.join("files")];
    while let Some(folder) = folders.pop().filter(|_| names.len() < FILES) {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.map_err(|error| unreadable(&folder, &error))?.path();
            match path.is_dir() {
                true if path.components().count() < root.components().count() + FOLDERS_DEEP => {
                    folders.push(path)
                }
                true => {}
                false => {
                    let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
                    names.insert(Arc::from(&*name));
                }
            }
        }
    }
    Ok(names)
}

fn walk(
    root: &Path,
    folder: &Path,
    depth: usize,
    files: &mut BTreeMap<Arc<str>, Arc<[u8]>>,
) -> Result<(), SourceError> {
    let entries = std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        if path.is_dir() {
            if depth < FOLDERS_DEEP
                && !(depth == 0 && APART.contains(&name.as_str()))
                && !name.starts_with('.')
            {
                stay_inside(root, &path, &relative)?;
                walk(root, &path, depth + 1, files)?;
            }
        } else if is_part(&relative) {
            stay_inside(root, &path, &relative)?;
            files.insert(relative.as_str().into(), read(&path, &relative)?);
            if files.len() > FILES {
                return Err(SourceError::TooMany(FILES));
            }
        }
    }
    Ok(())
}

fn is_part(relative: &str) -> bool {
    relative.ends_with(".kdl") || relative.split_once('/').is_some_and(|(first, _)| PARTS.contains(&first))
}

fn stay_inside(root: &Path, path: &Path, relative: &str) -> Result<(), SourceError> {
    let real = path.canonicalize().map_err(|error| unreadable(path, &error))?;
    if real.starts_with(root) { Ok(()) } else { Err(SourceError::Escape { path: relative.to_string() }) }
}

fn read(path: &Path, relative: &str) -> Result<Arc<[u8]>, SourceError> {
    let bytes = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?.len();
    if bytes > FILE_BYTES {
        return Err(SourceError::TooLarge { path: relative.to_string(), bytes, limit: FILE_BYTES });
    }
    std::fs::read(path).map(Arc::from).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> SourceError {
    SourceError::Unreadable { path: path.display().to_string(), why: error.to_string() }
}

/// blake3 over each file's name, length and content, in order of name.
fn digest(files: &BTreeMap<Arc<str>, Arc<[u8]>>) -> String {
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
    fn a_folder_is_read_without_its_payloads_and_its_digest_follows_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("site.kdl", "site \"a\"");
        write("racks/r1.kdl", "");
        write("scripts/x.rhai", "");
        write("files/image.img", "payload");
        write("README.md", "no part");
        let place = folder.path().to_str().unwrap();
        let tree = load(place).unwrap();
        let names: Vec<&str> = tree.files.keys().map(|name| &**name).collect();
        assert_eq!(names, ["racks/r1.kdl", "scripts/x.rhai", "site.kdl"]);
        assert_eq!(tree.revision.revision, "content");
        write("files/image.img", "other payload");
        assert_eq!(load(place).unwrap().revision.digest, tree.revision.digest);
        write("site.kdl", "site \"b\"");
        assert_ne!(load(place).unwrap().revision.digest, tree.revision.digest);
    }

    #[test]
    fn links_that_leave_the_folder_are_refused() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("x.kdl"), "").unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path().join("x.kdl"), folder.path().join("x.kdl")).unwrap();
        let error = load(folder.path().to_str().unwrap()).unwrap_err();
        assert_eq!(error, SourceError::Escape { path: "x.kdl".into() });
    }
}
