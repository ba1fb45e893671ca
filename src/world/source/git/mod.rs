//! Designs in git: a repository's mirror in the cache, whose blobs are read straight, or the repository that a folder lies in.
//!
//! Owns the deadlines: libgit2 blocks, so it works on a thread of its own, which must give a sign of life. libgit2's own
//! time-outs cannot be set without unsafe code, so a thread that hangs in a read is given up, not ended: it stops at
//! its first byte, it is counted, and there can be only so many.

mod heads;
mod mirror;
mod thread;
mod tree;
mod worktree;

pub(super) use worktree::revision_of;

use super::uri::{Git, Login, encode};
use super::{Options, SourceError, cache, chain, disk, parts};
use crate::model::revision::{Revision, SourceTree};
use crate::world::bmc::Password;
use crate::world::secret;
use std::path::{Path, PathBuf};
use thread::Watched;
use tree::Snapshot;

/// Why work on a repository ended: what git says of it may mean that a mirror is damaged.
enum Fault {
    Source(SourceError),
    Git(git2::Error),
}

impl From<SourceError> for Fault {
    fn from(error: SourceError) -> Fault {
        Fault::Source(error)
    }
}

impl From<git2::Error> for Fault {
    fn from(error: git2::Error) -> Fault {
        Fault::Git(error)
    }
}

impl Fault {
    fn of(self, uri: &str) -> SourceError {
        match self {
            Fault::Source(error) => error,
            Fault::Git(error) => SourceError::Damaged { uri: uri.into(), why: error.message().to_string() },
        }
    }
}

/// What a remote is asked with.
struct Remote {
    uri: String,
    git: Git,
    login: Option<(String, Password)>,
    options: Options,
}

impl Remote {
    fn new(uri: &str, git: &Git, options: &Options) -> Result<Remote, SourceError> {
        let login = match &git.login {
            Some(Login::Basic { user, password }) => Some((user.clone(), fetch_secret(uri, password)?)),
            Some(Login::Bearer { token }) => Some((String::new(), fetch_secret(uri, token)?)),
            None => None,
        };
        Ok(Remote { uri: uri.into(), git: git.clone(), login, options: options.clone() })
    }

    fn failed(&self, why: impl Into<String>) -> SourceError {
        SourceError::Fetch { uri: self.uri.clone(), why: why.into() }
    }
}

/// A secret that answers a server, fetched when it is asked for.
pub(super) fn fetch_secret(uri: &str, reference: &str) -> Result<Password, SourceError> {
    secret::resolve(reference).map_err(|error| SourceError::Fetch { uri: uri.into(), why: chain(&error) })
}

/// Brings the mirror up to date where the revision is not in it yet, and reads the revision from it.
pub(super) async fn load(uri: &str, git: &Git, options: &Options) -> Result<SourceTree, SourceError> {
    let root = options.cache.as_ref().ok_or_else(|| SourceError::NoCache(uri.into()))?;
    let mirror = cache::folder(root, "git")?.join(cache::name_of(&git.url));
    let remote = Remote::new(uri, git, options)?;
    let payloads = payload_folder(uri, options)?;
    let limits = options.limits.clone();
    let snapshot = within(uri, options, async {
        let lock = cache::lock(&mirror).await?;
        thread::watched(uri, &limits, Some(lock), move |watched| {
            mirror::read(&mirror, &remote, payloads.as_deref(), watched)
                .map_err(|fault| fault.of(&remote.uri))
        })
        .await
    })
    .await?;
    finish(uri.to_string(), uri, snapshot)
}

/// The commit that the place means now, from what the server says of its branches and tags.
pub(super) async fn newest(uri: &str, git: &Git, options: &Options) -> Result<Option<String>, SourceError> {
    let remote = Remote::new(uri, git, options)?;
    let asked = thread::watched(uri, &options.limits, None, move |watched| heads::newest(&remote, watched));
    within(uri, options, asked).await
}

/// Reads the folder as it is at a commit of the work tree that it lies in.
pub(super) async fn load_folder(
    place: &str,
    folder: &Path,
    revision: &str,
    options: &Options,
) -> Result<SourceTree, SourceError> {
    let root = disk::root(place, folder)?;
    let payloads = payload_folder(place, options)?;
    let (uri, limits) = (place.to_string(), options.limits.clone());
    let (at, wanted) = (root.clone(), revision.to_string());
    let read = thread::watched(place, &options.limits, None, move |watched: &Watched| {
        let read = worktree::at_revision(&uri, &at, &wanted).and_then(|(repository, commit, inside)| {
            let snapshot = tree::read(&uri, &repository, commit, &inside, &limits, watched)?;
            tree::unpack(&repository, snapshot, payloads.as_deref(), &limits, watched)
        });
        read.map_err(|fault| fault.of(&uri))
    });
    let snapshot = within(place, options, read).await?;
    // Said so that whoever reads it later brings in the same.
    let source = format!("file://{}?ref={}", encode(&root.to_string_lossy()), snapshot.commit);
    finish(source, place, snapshot)
}

fn payload_folder(uri: &str, options: &Options) -> Result<Option<PathBuf>, SourceError> {
    match (&options.cache, options.payloads) {
        (_, false) => Ok(None),
        (Some(root), true) => cache::folder(root, "payloads").map(Some),
        (None, true) => Err(SourceError::NoCache(uri.into())),
    }
}

fn finish(source: String, place: &str, snapshot: Snapshot) -> Result<SourceTree, SourceError> {
    snapshot.gathered.has_kdl(place)?;
    let parts::Gathered { files, payloads, .. } = snapshot.gathered;
    let revision = Revision { source, revision: snapshot.commit.to_string(), digest: parts::digest(&files) };
    Ok(SourceTree { revision, files, payloads: Some(payloads), root: snapshot.root })
}

async fn within<T>(
    uri: &str,
    options: &Options,
    work: impl Future<Output = Result<T, SourceError>>,
) -> Result<T, SourceError> {
    let overall = options.limits.overall;
    let ended = tokio::time::timeout(overall, work).await;
    ended.unwrap_or_else(|_| Err(SourceError::TooSlow { uri: uri.into(), seconds: overall.as_secs() }))
}
