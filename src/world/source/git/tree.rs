//! The design in a commit: its folders walked, its texts read, its payloads unpacked when somebody is to be served.
//!
//! Nothing here trusts a tree: names, links, submodules and sizes are judged before anything is read.

use super::super::parts::{self, Gathered, Part};
use super::super::{Limits, cache};
use super::thread::Watched;
use super::{Fault, SourceError};
use git2::{ObjectType, Oid, Repository, Tree};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Modes of tree entries (git's own: symbolic link, and the rest is told by kind).
const LINK: i32 = 0o120000;

/// A revision, read.
pub(super) struct Snapshot {
    pub commit: Oid,
    pub gathered: Gathered,
    /// The folder that holds `files/`, when it was unpacked.
    pub root: Option<PathBuf>,
    payloads: Option<Payloads>,
}

/// The tree `files`, and each payload in it.
struct Payloads {
    tree: Oid,
    blobs: Vec<(Arc<str>, Oid)>,
}

struct Walk<'a> {
    repository: &'a Repository,
    limits: &'a Limits,
    watched: &'a Watched,
    entries: usize,
    gathered: Gathered,
    payloads: Vec<(Arc<str>, Oid)>,
}

/// Reads the folder `subdir` of a commit.
pub(super) fn read(
    uri: &str,
    repository: &Repository,
    commit: Oid,
    subdir: &str,
    limits: &Limits,
    watched: &Watched,
) -> Result<Snapshot, Fault> {
    let top = top(uri, repository, commit, subdir)?;
    let (gathered, payloads) = (Gathered::default(), Vec::new());
    let mut walk = Walk { repository, limits, watched, entries: 0, gathered, payloads };
    walk.folder(&top, "")?;
    let files = top.get_name("files").filter(|entry| entry.kind() == Some(ObjectType::Tree));
    let payloads =
        files.map(|entry| Payloads { tree: entry.id(), blobs: std::mem::take(&mut walk.payloads) });
    Ok(Snapshot { commit, gathered: walk.gathered, root: None, payloads })
}

fn top<'a>(uri: &str, repository: &'a Repository, commit: Oid, subdir: &str) -> Result<Tree<'a>, Fault> {
    let mut tree = repository.find_commit(commit)?.tree()?;
    for name in subdir.split('/').filter(|name| !name.is_empty()) {
        let entry = tree.get_name(name).map(|entry| (entry.kind(), entry.filemode(), entry.id()));
        tree = match entry {
            Some((Some(ObjectType::Tree), _, id)) => repository.find_tree(id)?,
            Some((_, LINK, _)) => {
                return Err(SourceError::NotPlain { path: subdir.into(), what: "a link" }.into());
            }
            _ => {
                let short = &commit.to_string()[..12];
                let why = format!("commit {short} has no folder `{subdir}`");
                return Err(SourceError::Fetch { uri: uri.into(), why }.into());
            }
        };
    }
    Ok(tree)
}

impl Walk<'_> {
    fn folder(&mut self, tree: &Tree<'_>, prefix: &str) -> Result<(), Fault> {
        for entry in tree.iter() {
            self.entries += 1;
            if self.entries > self.limits.entries {
                return Err(SourceError::TooMany(self.limits.entries).into());
            }
            self.watched.must_live()?;
            let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            match name.contains('/') {
                true => return Err(SourceError::Escape { path }.into()),
                false => parts::judge(&path)?,
            }
            let is_skipped = parts::is_apart(&path);
            match (entry.kind(), entry.filemode()) {
                (Some(ObjectType::Blob), mode) if mode != LINK => self.file(&path, entry.id())?,
                _ if is_skipped => {}
                (Some(ObjectType::Tree), _) => {
                    let below = self.repository.find_tree(entry.id())?;
                    self.folder(&below, &path)?;
                }
                (Some(ObjectType::Commit), _) => {
                    return Err(SourceError::NotPlain { path, what: "a submodule" }.into());
                }
                _ => return Err(SourceError::NotPlain { path, what: "a link" }.into()),
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &str, id: Oid) -> Result<(), Fault> {
        match parts::part(path) {
            Part::Text => {
                let odb = self.repository.odb()?;
                let (bytes, _) = odb.read_header(id)?;
                self.gathered.make_room(path, bytes as u64, self.limits)?;
                let content = odb.read(id)?;
                self.gathered.files.insert(path.into(), content.data().into());
            }
            Part::Payload => {
                self.gathered.add_payload(path)?;
                self.payloads.push((path.into(), id));
            }
            Part::Apart => {}
        }
        Ok(())
    }
}

/// Unpacks the payloads into a folder that is known by their tree, unless it is there already.
pub(super) fn unpack(
    repository: &Repository,
    mut snapshot: Snapshot,
    folder: Option<&Path>,
    limits: &Limits,
    watched: &Watched,
) -> Result<Snapshot, Fault> {
    let Some(folder) = folder else { return Ok(snapshot) };
    let name = match &snapshot.payloads {
        Some(payloads) => format!("git-{}", payloads.tree),
        None => "none".to_string(),
    };
    let target = folder.join(name);
    if !target.is_dir() {
        let part = cache::Part::beside(&target)?;
        let files = part.path.join("files");
        std::fs::create_dir_all(&files).map_err(|error| cache::failed(&files, &error))?;
        let odb = repository.odb()?;
        let mut total = 0u64;
        for (path, id) in snapshot.payloads.iter().flat_map(|payloads| &payloads.blobs) {
            let (bytes, _) = odb.read_header(*id)?;
            if bytes as u64 > limits.blob_bytes {
                let (path, bytes, limit) = (path.to_string(), bytes as u64, limits.blob_bytes);
                return Err(SourceError::TooLarge { path, bytes, limit }.into());
            }
            total = total.saturating_add(bytes as u64);
            if total > limits.unpacked_bytes {
                let why = format!("its payloads have more than {} bytes", limits.unpacked_bytes);
                return Err(SourceError::Limit(why).into());
            }
            let blob = odb.read(*id)?;
            let written = cache::create(&part.path, path)?.write_all(blob.data());
            written.map_err(|error| cache::failed(&part.path, &error))?;
            watched.must_live()?;
        }
        part.finish(&target)?;
    }
    cache::payloads_used(&target);
    snapshot.root = Some(target);
    Ok(snapshot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_that_nobody_waits_for() {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::init(folder.path()).unwrap();
        let mut entries = repository.treebuilder(None).unwrap();
        entries.insert("site.kdl", repository.blob(b"site \"a\"").unwrap(), 0o100644).unwrap();
        let tree = repository.find_tree(entries.write().unwrap()).unwrap();
        let author = git2::Signature::now("tests", "tests@localhost").unwrap();
        let commit = repository.commit(None, &author, &author, "one", &tree, &[]).unwrap();
        let read = read("u", &repository, commit, "", &Limits::default(), &Watched::given_up());
        let said = read.err().map(|fault| fault.of("u").to_string()).unwrap();
        assert!(said.contains("nobody waits"), "{said}");
    }
}
