//! Talking to a remote: connecting, who we are, and which commit a branch, a tag or nothing at all means there.

use super::thread::Watched;
use super::{Remote, SourceError};
use git2::{Cred, CredentialType, Direction, ErrorCode, Oid, ProxyOptions, RemoteCallbacks};
use std::cell::Cell;

/// Branches and tags that a repository may advertise.
const HEADS: usize = 200_000;

/// What a revision means at the remote.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// An advertised branch or tag, or the default branch.
    Tip(Oid),
    /// Perhaps a commit, which only the history can tell.
    Else,
}

pub(super) struct Head {
    pub name: String,
    pub oid: Oid,
}

/// Callbacks for one connection. A server that asks twice has refused the first answer.
pub(super) fn callbacks<'a>(remote: &'a Remote, watched: &'a Watched) -> RemoteCallbacks<'a> {
    let mut callbacks = RemoteCallbacks::new();
    let asked = Cell::new(0);
    callbacks.credentials(move |url, user, allowed| {
        watched.lives();
        asked.set(asked.get() + 1);
        if asked.get() > 2 {
            return Err(git2::Error::from_str("the server refuses the credentials"));
        }
        credentials(remote, url, user, allowed, asked.get())
    });
    callbacks.sideband_progress(move |_| watched.lives());
    let (most, objects) = (remote.options.limits.fetched_bytes, super::mirror::OBJECTS);
    callbacks.transfer_progress(move |progress| {
        watched.lives() && progress.received_bytes() as u64 <= most && progress.total_objects() <= objects
    });
    callbacks
}

fn credentials(
    remote: &Remote,
    url: &str,
    user: Option<&str>,
    allowed: CredentialType,
    asked: u32,
) -> Result<Cred, git2::Error> {
    if allowed.contains(CredentialType::USERNAME) {
        return Cred::username(user.unwrap_or("git"));
    }
    if allowed.contains(CredentialType::SSH_KEY) {
        let refused =
            "the server refuses the keys of the SSH agent; is one running, and does it hold the right key?";
        return match asked {
            1 => Cred::ssh_key_from_agent(user.unwrap_or("git")),
            2 if remote.git.url.starts_with("ssh://") && user.is_none() => Cred::ssh_key_from_agent("git"),
            _ => Err(git2::Error::from_str(refused)),
        };
    }
    if remote.git.url.starts_with("ssh://") {
        return Err(git2::Error::from_str("the server takes no SSH keys, and nothing else is offered to it"));
    }
    // A redirect to somewhere else gets nothing that was meant for this server.
    let same = origin(url) == origin(&remote.git.url);
    match &remote.login {
        _ if asked > 1 => Err(git2::Error::from_str("the server refuses the credentials")),
        Some((name, password)) if same => Cred::userpass_plaintext(name, password.clear()),
        Some(_) => Err(git2::Error::from_str("it leads to another server, which asks for credentials")),
        None => Err(git2::Error::from_str(
            "the server asks for credentials; write ?user=NAME&password=env:VARIABLE, or ?token=env:VARIABLE",
        )),
    }
}

/// Scheme, host and port.
fn origin(url: &str) -> Option<url::Origin> {
    url::Url::parse(url).ok().map(|url| url.origin()).filter(url::Origin::is_tuple)
}

/// The proxy that git would use.
pub(super) fn proxy() -> ProxyOptions<'static> {
    let mut options = ProxyOptions::new();
    options.auto();
    options
}

/// Connects and reads what the server advertises; `then` goes on with the connection.
pub(super) fn connected<T>(
    remote: &Remote,
    handle: &mut git2::Remote<'_>,
    watched: &Watched,
    then: impl FnOnce(&mut git2::Remote<'_>, &[Head]) -> Result<T, super::Fault>,
) -> Result<T, super::Fault> {
    let (callbacks, proxy) = (callbacks(remote, watched), proxy());
    let mut connection = watched
        .on_wire(|| handle.connect_auth(Direction::Fetch, Some(callbacks), Some(proxy)))?
        .map_err(|error| remote.failed(said(&error)))?;
    watched.must_live()?;
    let advertised = connection.list().map_err(|error| remote.failed(said(&error)))?;
    if advertised.len() > HEADS {
        return Err(remote.failed(format!("it has more than {HEADS} branches and tags")).into());
    }
    let heads: Vec<Head> =
        advertised.iter().map(|head| Head { name: head.name().to_string(), oid: head.oid() }).collect();
    then(connection.remote(), &heads)
}

/// What git says, and what it leaves unsaid.
pub(super) fn said(error: &git2::Error) -> String {
    match (error.code(), error.message()) {
        (ErrorCode::Auth, "") => "the server asks for credentials".into(),
        (code, "") => format!("git fails with {code:?}"),
        (_, message) => message.to_string(),
    }
}

/// Which commit the revision means. A name that is a branch and a tag means neither.
pub(super) fn meant(remote: &Remote, heads: &[Head], revision: Option<&str>) -> Result<Meant, SourceError> {
    let find = |name: &str| heads.iter().find(|head| head.name == name).map(|head| head.oid);
    // An annotated tag is advertised with what it points at.
    let peeled = |name: &str| find(&format!("{name}^{{}}")).or_else(|| find(name));
    let Some(revision) = revision else {
        let help = match heads.is_empty() {
            true => "it is empty",
            false => "it has no default branch; name one with ?ref=",
        };
        return find("HEAD").map(Meant::Tip).ok_or_else(|| remote.failed(help));
    };
    if revision == "HEAD" || revision.starts_with("refs/") {
        return Ok(peeled(revision).map_or(Meant::Else, Meant::Tip));
    }
    match (find(&format!("refs/heads/{revision}")), peeled(&format!("refs/tags/{revision}"))) {
        (Some(branch), Some(tag)) if branch != tag => {
            let help = format!(
                ", but a branch and a tag of that name; write refs/heads/{revision} or refs/tags/{revision}"
            );
            Err(SourceError::NoRevision { uri: remote.uri.clone(), revision: revision.into(), help })
        }
        (Some(tip), _) | (None, Some(tip)) => Ok(Meant::Tip(tip)),
        (None, None) => Ok(Meant::Else),
    }
}

/// The tip that the place means, without fetching anything; a commit is its own newest.
pub(super) fn newest(remote: &Remote, watched: &Watched) -> Result<Option<String>, SourceError> {
    let revision = remote.git.reference.as_deref();
    let asked = git2::Remote::create_detached(remote.git.url.as_str()).map_err(super::Fault::from).and_then(
        |mut handle| connected(remote, &mut handle, watched, |_, heads| Ok(meant(remote, heads, revision)?)),
    );
    match asked.map_err(|fault| fault.of(&remote.uri))? {
        Meant::Tip(oid) => Ok(Some(oid.to_string())),
        Meant::Else => Ok(revision.filter(|text| is_commit(text)).map(str::to_string)),
    }
}

/// A whole commit id, which means the same for ever.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}
