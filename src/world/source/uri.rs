//! Where a design is: a folder, a git repository, or an archive, as people write it on a command line.
//!
//! | written | is |
//! |---|---|
//! | `PATH`, `file://PATH` | a folder |
//! | `file://PATH?ref=REV` | the folder as it is at a commit of the work tree that it lies in |
//! | `git+https://HOST/REPOSITORY//SUBDIR?ref=REV` | a folder of a repository; likewise `git+http://`, `git+ssh://`, `git+file://` |
//! | `https://HOST/NAME.tar.gz//SUBDIR?digest=sha256:…` | a folder of an archive; likewise `http://`, and `.tgz`, `.tar` |
//! | `deckhand+https://HOST/PATH?digest=sha256:…` | the rendered documents of a Drydock site; likewise `deckhand+http://` |
//!
//! Whoever asks for credentials is answered with `user=NAME&password=REFERENCE` or `token=REFERENCE`, where a reference is
//! `env:NAME` or `file:PATH`: a URI stands in plans, stores and logs, so no secret may stand in it. They are sent through TLS,
//! or to this computer, and nowhere else. Everything is closed: an unknown parameter is an error. Fetches nothing.

use super::SourceError;
use crate::finding::did_you_mean;
use std::path::PathBuf;

mod query;

pub(super) use query::encode;

/// No URI that somebody wrote is longer.
const LONGEST_BYTES: usize = 4096;
/// No branch, tag or commit id is longer.
const LONGEST_REVISION_BYTES: usize = 256;

const SCHEMES: &[&str] = &[
    "file",
    "git+file",
    "git+https",
    "git+http",
    "git+ssh",
    "https",
    "http",
    "deckhand+https",
    "deckhand+http",
];

/// A place that a design can be brought in from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A folder on this computer, as it is or at a commit.
    Folder {
        path: PathBuf,
        revision: Option<String>,
    },
    Git(Git),
    Archive(Archive),
    /// Documents of another system, which an import makes a design of.
    Documents(Resource),
}

/// A folder of a git repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Git {
    /// What the transport is told: a URL, or a path on this computer.
    pub url: String,
    /// A branch, tag or commit; without it the repository's default branch.
    pub reference: Option<String>,
    /// Empty for the repository's top.
    pub subdir: String,
    pub login: Option<Login>,
}

/// A folder of a tar archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    pub resource: Resource,
    pub gzip: bool,
    pub subdir: String,
}

/// What a web server answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub url: String,
    /// 64 hexadecimal digits of SHA-256 that it must have.
    pub digest: Option<String>,
    pub login: Option<Login>,
}

/// How a server is answered that asks who we are. Secrets are references.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    Basic { user: String, password: String },
    Bearer { token: String },
}

impl Place {
    /// Reads what somebody wrote. Never repeats a secret in its error.
    pub fn parse(text: &str) -> Result<Place, SourceError> {
        let wrong = |why: String| SourceError::Uri { uri: redacted(text), why };
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(Place::Folder { path: PathBuf::from(text), revision: None });
        };
        if text.len() > LONGEST_BYTES {
            let cut: String = redacted(text).chars().take(60).collect();
            let why = format!("it has {} bytes; a URI may have {LONGEST_BYTES}", text.len());
            return Err(SourceError::Uri { uri: format!("{cut}…"), why });
        }
        let scheme = scheme.to_ascii_lowercase();
        if !SCHEMES.contains(&scheme.as_str()) {
            return Err(unknown(text, &scheme));
        }
        let place = Parts::of(rest).and_then(|parts| match scheme.as_str() {
            "file" => parts.folder(),
            "git+file" | "git+https" | "git+http" | "git+ssh" => parts.git(scheme.trim_start_matches("git+")),
            "deckhand+https" | "deckhand+http" => parts.documents(scheme.trim_start_matches("deckhand+")),
            _ => parts.archive(&scheme),
        });
        place.map_err(wrong)
    }

    /// True when bringing it in may need the network or the cache folder.
    pub fn is_remote(&self) -> bool {
        !matches!(self, Place::Folder { .. })
    }

    /// The same design at every revision: what a place of its own on this computer is named by.
    pub fn identity(&self) -> String {
        match self {
            Place::Folder { path, .. } => path.to_string_lossy().into_owned(),
            Place::Git(git) => format!("git {} {}", git.url, git.subdir),
            Place::Archive(archive) => format!("archive {} {}", archive.resource.url, archive.subdir),
            Place::Documents(resource) => format!("documents {}", resource.url),
        }
    }

    /// The same place at another revision, as `--revision` says.
    pub fn at(mut self, text: &str, revision: &str) -> Result<Place, SourceError> {
        let wrong = |why: String| SourceError::Uri { uri: redacted(text), why };
        match &mut self {
            Place::Folder { revision: own, .. } => *own = Some(reference(revision).map_err(wrong)?),
            Place::Git(git) => git.reference = Some(reference(revision).map_err(wrong)?),
            Place::Archive(Archive { resource, .. }) | Place::Documents(resource) => {
                resource.digest = Some(sha256(revision).map_err(wrong)?);
            }
        }
        Ok(self)
    }
}

fn unknown(text: &str, scheme: &str) -> SourceError {
    let help = match did_you_mean(scheme, SCHEMES.iter().copied()) {
        Some(near) => format!("did you mean `{near}://`?"),
        None => {
            let known: Vec<String> = SCHEMES.iter().map(|known| format!("{known}://")).collect();
            format!("a design is a folder, or one of {}", known.join(", "))
        }
    };
    let scheme: String = scheme.chars().take(40).collect();
    SourceError::Scheme { uri: redacted(text), scheme: format!("{scheme}://"), help }
}

/// A URI taken apart, before its scheme gives the parts a meaning.
struct Parts<'a> {
    authority: &'a str,
    /// What stands before the first `//`.
    path: &'a str,
    subdir: String,
    whole_path: &'a str,
    query: query::Query,
}

impl<'a> Parts<'a> {
    fn of(rest: &'a str) -> Result<Parts<'a>, String> {
        if rest.chars().any(|letter| letter.is_control() || letter == ' ' || letter == '\\') {
            return Err(
                "it holds a space, a backslash or a control character; write them as %20, %5C, …".into()
            );
        }
        if rest.contains('#') {
            return Err("`#` has no meaning here; write %23 for the letter".into());
        }
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let slash = before.find('/').unwrap_or(before.len());
        let (authority, whole_path) = before.split_at(slash);
        let (path, subdir) = match whole_path.get(1..).and_then(|path| path.find("//")) {
            Some(at) => (&whole_path[..at + 1], subdir(&whole_path[at + 3..])?),
            None => (whole_path, String::new()),
        };
        Ok(Parts { authority, path, subdir, whole_path, query: query::Query::parse(query)? })
    }

    fn folder(mut self) -> Result<Place, String> {
        self.is_here()?;
        let path = PathBuf::from(query::decode(self.whole_path)?);
        let revision = self.query.take("ref").map(|text| reference(&text)).transpose()?;
        self.query.ends(&["ref"])?;
        Ok(Place::Folder { path, revision })
    }

    fn git(mut self, scheme: &str) -> Result<Place, String> {
        if self.path.trim_matches('/').is_empty() {
            return Err("it names no repository".into());
        }
        let reference = self.query.take("ref").map(|text| reference(&text)).transpose()?;
        let (url, login) = match scheme {
            "file" => {
                self.is_here()?;
                self.query.ends(&["ref"])?;
                (query::decode(self.path)?, None)
            }
            "ssh" => {
                self.query.ends(&["ref"])?;
                if self.authority.split_once('@').is_some_and(|(user, _)| user.contains(':')) {
                    return Err("it holds a password; keys come from the SSH agent".into());
                }
                (self.url("ssh")?, None)
            }
            web => {
                let login = self.login(true)?;
                self.query.ends(&["ref", "user", "password", "token"])?;
                (guarded(self.url(web)?, login.as_ref())?, login)
            }
        };
        Ok(Place::Git(Git { url, reference, subdir: self.subdir, login }))
    }

    fn archive(mut self, scheme: &str) -> Result<Place, String> {
        let resource = self.resource(scheme)?;
        let lower = self.path.to_ascii_lowercase();
        let gzip = lower.ends_with(".tar.gz") || lower.ends_with(".tgz");
        if !gzip && !lower.ends_with(".tar") {
            return Err(format!(
                "`{}` is no archive that can be read: its name ends with .tar.gz, .tgz or .tar; a git repository is \
                 written git+{scheme}://…",
                self.path
            ));
        }
        Ok(Place::Archive(Archive { resource, gzip, subdir: self.subdir }))
    }

    fn documents(mut self, scheme: &str) -> Result<Place, String> {
        match self.subdir.is_empty() {
            true => self.resource(scheme).map(Place::Documents),
            false => Err("documents lie in no folder, so no `//` stands in it".into()),
        }
    }

    fn resource(&mut self, scheme: &str) -> Result<Resource, String> {
        let login = self.login(false)?;
        let digest = self.query.take("digest").map(|text| sha256(&text)).transpose()?;
        self.query.ends(&["digest", "user", "password", "token"])?;
        let url = guarded(self.url(scheme)?, login.as_ref())?;
        Ok(Resource { url, digest, login })
    }

    /// A path on this computer has no host.
    fn is_here(&self) -> Result<(), String> {
        match self.authority {
            "" | "localhost" if self.whole_path.len() > 1 => Ok(()),
            "" | "localhost" => Err("it names no folder".into()),
            other => Err(format!(
                "`{other}` stands where a host would; a path is written with three slashes, file:///…"
            )),
        }
    }

    fn url(&self, scheme: &str) -> Result<String, String> {
        // The library would take the first folder for the host.
        if self.authority.is_empty() {
            return Err("it names no host".into());
        }
        let text = format!("{scheme}://{}{}", self.authority, self.path);
        url::Url::parse(&text).map(Into::into).map_err(|error| format!("it is no URL: {error}"))
    }

    /// Forges take a token as a basic password, whoever the user is said to be; other servers as a bearer.
    fn login(&mut self, git: bool) -> Result<Option<Login>, String> {
        if self.authority.contains('@') {
            return Err("it holds a user or a password; write ?user=NAME&password=env:VARIABLE, or ?token=env:VARIABLE".into());
        }
        let (user, password) = (self.query.take("user"), self.query.take_reference("password")?);
        match (user, password, self.query.take_reference("token")?) {
            (None, None, None) => Ok(None),
            (Some(user), Some(password), None) => Ok(Some(Login::Basic { user, password })),
            (None, None, Some(token)) if git => {
                Ok(Some(Login::Basic { user: "x-access-token".into(), password: token }))
            }
            (None, None, Some(token)) => Ok(Some(Login::Bearer { token })),
            (_, _, Some(_)) => Err("`token=` stands alone, without `user=` and `password=`".into()),
            _ => Err("`user=` and `password=` belong together".into()),
        }
    }
}

/// The URL, unless a secret would be sent to it for everybody on the way to read.
fn guarded(url: String, login: Option<&Login>) -> Result<String, String> {
    let parsed = url::Url::parse(&url).map_err(|error| format!("it is no URL: {error}"))?;
    let is_here = match parsed.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match login.is_none() || parsed.scheme() == "https" || is_here {
        true => Ok(url),
        false => Err("credentials would be sent in clear; write https in place of http".into()),
    }
}

/// A folder below a repository's or an archive's top.
fn subdir(text: &str) -> Result<String, String> {
    let decoded = query::decode(text)?;
    let path = decoded.trim_end_matches('/');
    match path.split('/').all(is_plain) {
        true => Ok(path.to_string()),
        false => Err(format!("the folder `{path}` after `//` is no plain relative path")),
    }
}

/// A name that means itself wherever it is joined.
pub(super) fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
        && !name.chars().any(|letter| letter.is_control() || "/\\".contains(letter))
}

/// A branch, tag or commit. What git would read as a search or a path is no revision.
fn reference(text: &str) -> Result<String, String> {
    let strange = |letter: char| letter.is_control() || " \\:?*[".contains(letter);
    if text.is_empty() || text.len() > LONGEST_REVISION_BYTES || text.starts_with('-') {
        return Err("the revision is empty, too long, or begins with a hyphen".into());
    }
    if text.chars().any(strange) || text.contains("..") || text.contains("@{") {
        return Err(format!("`{text}` is no branch, tag or commit"));
    }
    match text.contains("//") {
        true => Err(format!(
            "the folder stands before the `?`: …//FOLDER?ref={}",
            text.split("//").next().unwrap_or_default()
        )),
        false => Ok(text.to_string()),
    }
}

fn sha256(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix("sha256:").unwrap_or_default().to_ascii_lowercase();
    match digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        true => Ok(digits),
        false => {
            Err("what a web server sends has a digest for its revision: `sha256:` and 64 hexadecimal digits"
                .into())
        }
    }
}

/// The text without what may be a secret, for errors about it: it is wrong, so a password may stand anywhere.
fn redacted(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.into() };
    let (before, query) = rest.split_once('?').map_or((rest, None), |(before, query)| (before, Some(query)));
    let query = query.map(query::redacted).unwrap_or_default();
    if scheme.ends_with("file") {
        return format!("{scheme}://{before}{query}");
    }
    let (hidden, shown) = match before.rfind('@') {
        Some(at) => ("…@", &before[at + 1..]),
        None => ("", before),
    };
    let (authority, path) = shown.split_at(shown.find('/').unwrap_or(shown.len()));
    let port = authority.rsplit_once(':').map_or("", |(_, port)| port);
    let is_host = port.bytes().all(|byte| byte.is_ascii_digit()) || authority.ends_with(']');
    format!("{scheme}://{hidden}{}{path}{query}", if is_host { authority } else { "…" })
}

#[cfg(test)]
mod tests;
