//! A design folder on disk: which files are read, and the digest over them.

use super::parts::{APART, ENTRIES, FILES, FOLDERS_DEEP, PAYLOADS, digest, is_text};
use super::{SourceError, git};
use crate::model::revision::{Revision, SourceTree};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// A text file of a design; a bulk inventory of 100 000 rows has about 10 MB.
pub(super) const FILE_BYTES: u64 = 64 << 20;

/// Reads the design in `folder`, which somebody wrote as `place`.
pub(super) fn load(place: &str, folder: &Path) -> Result<SourceTree, SourceError> {
    let root = root(place, folder)?;
    has_kdl(&root, place)?;
    let mut files = BTreeMap::new();
    walk(&root, &root, 0, &mut files)?;
    let payloads = Some(payloads(&root)?);
    let digest = digest(&files);
    let revision = git::revision_of(&root, files.keys().map(|name| &**name));
    let revision = Revision { source: place.to_string(), revision, digest };
    Ok(SourceTree { revision, files, payloads, root: Some(root) })
}

/// The folder's real path.
pub(super) fn root(place: &str, folder: &Path) -> Result<std::path::PathBuf, SourceError> {
    if !folder.exists() {
        return Err(SourceError::Missing(place.to_string()));
    }
    if !folder.is_dir() {
        return Err(SourceError::NotAFolder(place.to_string()));
    }
    folder.canonicalize().map_err(|error| unreadable(folder, &error))
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

/// The names of everything under `files/`; the contents may be gigabytes and are not looked into. A link to a folder is not
/// followed: it may lead back to where it stands.
fn payloads(root: &Path) -> Result<BTreeSet<Arc<str>>, SourceError> {
    let mut names = BTreeSet::new();
    let mut folders = vec![root.join(PAYLOADS)];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.map_err(|error| unreadable(&folder, &error))?.path();
            seen += 1;
            if seen > ENTRIES {
                return Err(SourceError::TooMany(ENTRIES));
            }
            match (path.is_dir(), path.is_symlink()) {
                (true, false) if path.components().count() < root.components().count() + FOLDERS_DEEP => {
                    folders.push(path)
                }
                (true, _) => {}
                (false, _) => {
                    let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy();
                    names.insert(Arc::from(&*name));
                }
            }
            if names.len() > FILES {
                return Err(SourceError::TooMany(FILES));
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
        } else if is_text(&relative) {
            stay_inside(root, &path, &relative)?;
            files.insert(relative.as_str().into(), read(&path, &relative)?);
            if files.len() > FILES {
                return Err(SourceError::TooMany(FILES));
            }
        }
    }
    Ok(())
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
        let load = || load("design", folder.path()).unwrap();
        let tree = load();
        let names: Vec<&str> = tree.files.keys().map(|name| &**name).collect();
        assert_eq!(names, ["racks/r1.kdl", "scripts/x.rhai", "site.kdl"]);
        assert_eq!(tree.revision.revision, "content");
        write("files/image.img", "other payload");
        assert_eq!(load().revision.digest, tree.revision.digest);
        write("site.kdl", "site \"b\"");
        assert_ne!(load().revision.digest, tree.revision.digest);
    }

    #[test]
    fn payloads_are_all_known_or_refused_and_links_lead_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("site.kdl"), "site \"a\"").unwrap();
        let files = folder.path().join("files/boot");
        std::fs::create_dir_all(&files).unwrap();
        std::fs::write(files.join("0"), "").unwrap();
        std::os::unix::fs::symlink(".", files.join("here")).unwrap();
        std::os::unix::fs::symlink("0", files.join("newest")).unwrap();
        let load = || load("design", folder.path());
        let names: Vec<_> = load().unwrap().payloads.unwrap().into_iter().collect();
        assert_eq!(names, ["files/boot/0".into(), "files/boot/newest".into()] as [Arc<str>; 2]);
        for number in 1..FILES {
            std::fs::hard_link(files.join("0"), files.join(number.to_string())).unwrap();
        }
        assert_eq!(load().unwrap_err(), SourceError::TooMany(FILES));
        std::fs::remove_file(files.join("newest")).unwrap();
        assert_eq!(load().unwrap().payloads.unwrap().len(), FILES);
    }

    #[test]
    fn links_that_leave_the_folder_are_refused() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("x.kdl"), "").unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path().join("x.kdl"), folder.path().join("x.kdl")).unwrap();
        let error = load("design", folder.path()).unwrap_err();
        assert_eq!(error, SourceError::Escape { path: "x.kdl".into() });
    }
}
