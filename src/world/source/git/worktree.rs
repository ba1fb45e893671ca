//! A design folder that lies in a work tree: which commit it is at, and what it was at another.

use super::super::SourceError;
use super::Fault;
use git2::{ErrorCode, Oid, Repository, Status, StatusOptions};
use std::path::Path;

/// What is said of a folder that no commit pins.
const CONTENT: &str = "content";

/// The commit id, with `+modified` when the folder differs from it; `content` outside of git. `files` are what was read of the
/// folder: one that git was told to ignore is part of the design, and of no commit.
pub fn revision_of<'a>(folder: &Path, files: impl Iterator<Item = &'a str>) -> String {
    commit_of(folder, files).unwrap_or_else(|| CONTENT.to_string())
}

/// The repository that the folder lies in, the commit that `revision` means there, and the folder's path in it.
pub(super) fn at_revision(
    place: &str,
    folder: &Path,
    revision: &str,
) -> Result<(Repository, Oid, String), Fault> {
    let missing = |help: &str| SourceError::NoRevision {
        uri: place.to_string(),
        revision: revision.to_string(),
        help: help.to_string(),
    };
    let repository = match Repository::discover(folder) {
        Ok(repository) => repository,
        Err(error) if error.code() == ErrorCode::NotFound => {
            return Err(missing(": the folder lies in no git work tree").into());
        }
        Err(error) => return Err(error.into()),
    };
    let work_tree = repository.workdir().and_then(|path| path.canonicalize().ok());
    let inside = work_tree.and_then(|top| folder.strip_prefix(top).map(Path::to_path_buf).ok());
    let Some(inside) = inside else {
        return Err(missing(": the folder lies in no git work tree").into());
    };
    let found = repository
        .revparse_single(revision)
        .and_then(|object| object.peel_to_commit())
        .map(|commit| commit.id());
    let Ok(commit) = found else {
        return Err(missing("; `git log` in the folder lists its commits").into());
    };
    Ok((repository, commit, inside.to_string_lossy().into_owned()))
}

fn commit_of<'a>(folder: &Path, mut files: impl Iterator<Item = &'a str>) -> Option<String> {
    let repository = Repository::discover(folder).ok()?;
    let work_tree = repository.workdir()?.canonicalize().ok()?;
    let commit = repository.head().ok()?.peel_to_commit().ok()?.id().to_string();
    let inside = folder.strip_prefix(&work_tree).ok()?;
    let tree = repository.head().ok()?.peel_to_tree().ok()?;
    if !inside.as_os_str().is_empty() && tree.get_path(inside).is_err() {
        return None;
    }
    let mut options = StatusOptions::new();
    options.include_untracked(true).include_ignored(false);
    if !inside.as_os_str().is_empty() {
        options.pathspec(inside);
    }
    let statuses = repository.statuses(Some(&mut options)).ok()?;
    let ours = |path: Option<&str>| path.is_none_or(|path| !path.contains(".rackwright/"));
    let modified = statuses.iter().any(|entry| entry.status() != Status::CURRENT && ours(entry.path().ok()))
        || files.any(|name| tree.get_path(&inside.join(name)).is_err());
    Some(if modified { format!("{commit}+modified") } else { commit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_in_a_work_tree_is_pinned_to_its_commit_and_says_when_it_differs() {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::init(folder.path()).unwrap();
        let design = folder.path().join("design");
        std::fs::create_dir(&design).unwrap();
        std::fs::write(design.join("site.kdl"), "site \"a\"").unwrap();
        let root = design.canonicalize().unwrap();
        let revision_of = |root: &Path| revision_of(root, ["site.kdl"].into_iter());
        assert_eq!(revision_of(&root), "content");

        let mut index = repository.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let author = git2::Signature::now("tests", "tests@localhost").unwrap();
        let commit = repository.commit(Some("HEAD"), &author, &author, "one", &tree, &[]).unwrap();
        assert_eq!(revision_of(&root), commit.to_string());

        std::fs::write(design.join("site.kdl"), "site \"b\"").unwrap();
        assert_eq!(revision_of(&root), format!("{commit}+modified"));
    }
}
