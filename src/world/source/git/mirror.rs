//! A repository's bare mirror in the cache: all its branches and tags, nothing checked out.
//!
//! Used under its lock. A revision that is in it is read without asking the server; a mirror that is damaged is made anew, once.

use super::super::cache;
use super::heads::{self, Meant, callbacks, connected, is_commit, said};
use super::thread::Watched;
use super::tree::{self, Snapshot};
use super::{Fault, Remote, SourceError};
use git2::{
    AutotagOption, ErrorClass, FetchOptions, FetchPrune, Oid, RemoteUpdateFlags, Repository,
    RepositoryInitOptions,
};
use std::path::Path;

/// Objects of a repository; the index of a pack holds a line for each in memory.
pub(super) const OBJECTS: usize = 5_000_000;
const EVERYTHING: &[&str] = &["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

/// Reads the revision that the place means, and fetches what is missing for it.
pub(super) fn read(
    path: &Path,
    remote: &Remote,
    payloads: Option<&Path>,
    watched: &Watched,
) -> Result<Snapshot, Fault> {
    let was_there = path.exists();
    match attempt(path, remote, payloads, watched) {
        Err(Fault::Git(error)) if was_there && is_damage(&error) && watched.lives() => {
            tracing::warn!(mirror = %path.display(), %error, "the mirror is damaged and is made anew");
            cache::remove(path);
            attempt(path, remote, payloads, watched)
        }
        other => other,
    }
}

fn attempt(
    path: &Path,
    remote: &Remote,
    payloads: Option<&Path>,
    watched: &Watched,
) -> Result<Snapshot, Fault> {
    let repository = open(path)?;
    let commit = commit(&repository, remote, watched)?;
    let limits = &remote.options.limits;
    let snapshot = tree::read(&remote.uri, &repository, commit, &remote.git.subdir, limits, watched)?;
    tree::unpack(&repository, snapshot, payloads, limits, watched)
}

/// Everything that the repository itself has to answer for.
fn is_damage(error: &git2::Error) -> bool {
    !matches!(
        error.class(),
        ErrorClass::Net
            | ErrorClass::Http
            | ErrorClass::Ssh
            | ErrorClass::Ssl
            | ErrorClass::Callback
            | ErrorClass::NoMemory
    )
}

fn open(path: &Path) -> Result<Repository, Fault> {
    match Repository::open_bare(path) {
        Ok(repository) => Ok(repository),
        Err(_) => {
            cache::remove(path);
            let mut options = RepositoryInitOptions::new();
            // Templates of the user's could bring hooks and alternates in.
            options.bare(true).external_template(false).no_reinit(true);
            Ok(Repository::init_opts(path, &options)?)
        }
    }
}

/// The commit that the place means, with its history in the mirror.
fn commit(repository: &Repository, remote: &Remote, watched: &Watched) -> Result<Oid, Fault> {
    let revision = remote.git.reference.as_deref();
    // A commit never changes: what is here needs nobody's answer.
    if let Some(oid) = revision.filter(|text| is_commit(text)).and_then(|text| Oid::from_str(text).ok())
        && repository.find_commit(oid).is_ok()
    {
        return Ok(oid);
    }
    let mut handle = repository.remote_anonymous(&remote.git.url)?;
    let meant = connected(remote, &mut handle, watched, |connection, heads| {
        let meant = heads::meant(remote, heads, revision)?;
        let has = |oid: Oid| repository.find_object(oid, None).is_ok();
        if !matches!(meant, Meant::Tip(oid) if has(oid)) {
            fetch(connection, remote, watched)?;
        }
        Ok(meant)
    })?;
    let found = match meant {
        Meant::Tip(oid) => repository.find_object(oid, None)?,
        Meant::Else => repository.revparse_single(revision.unwrap_or("HEAD")).map_err(|_| unknown(remote))?,
    };
    Ok(found.peel_to_commit().map_err(|_| unknown(remote))?.id())
}

fn unknown(remote: &Remote) -> SourceError {
    SourceError::NoRevision {
        uri: remote.uri.clone(),
        revision: remote.git.reference.clone().unwrap_or_default(),
        help: "; a branch, a tag, or a commit that one of them leads to can be named".into(),
    }
}

fn fetch(handle: &mut git2::Remote<'_>, remote: &Remote, watched: &Watched) -> Result<(), Fault> {
    let mut options = FetchOptions::new();
    options.remote_callbacks(callbacks(remote, watched)).proxy_options(heads::proxy());
    options.download_tags(AutotagOption::None).prune(FetchPrune::On).update_fetchhead(false);
    // What it writes gets its names by renames, and takes nothing away from others.
    let downloaded = watched.on_wire(|| handle.download(EVERYTHING, Some(&mut options)))?;
    let (bytes, objects) = (handle.stats().received_bytes() as u64, handle.stats().total_objects());
    match downloaded {
        Ok(()) => {}
        Err(_) if bytes > remote.options.limits.fetched_bytes || objects > OBJECTS => {
            let most = remote.options.limits.fetched_bytes;
            let why = format!("the repository has more than {most} bytes or {OBJECTS} objects");
            return Err(SourceError::Limit(why).into());
        }
        Err(error) if is_damage(&error) => return Err(error.into()),
        Err(error) => return Err(remote.failed(said(&error)).into()),
    }
    watched.must_live()?;
    // Branches that are gone make room for others below their names.
    handle.prune(None)?;
    handle.update_tips(None, RemoteUpdateFlags::empty(), AutotagOption::None, None)?;
    Ok(())
}
