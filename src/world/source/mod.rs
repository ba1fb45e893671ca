//! Bringing a design's revision in: from a folder, a git repository or an archive, pinned to a commit or a digest.
//!
//! Owns the URIs, the fetching with its deadlines and limits, and what a revision's files are. What is fetched lies in a
//! cache folder that the caller names; nothing but the payloads of a revision is ever unpacked, and nothing is checked out.
//! Judges no design.

mod archive;
mod cache;
mod disk;
mod documents;
mod download;
mod git;
mod parts;
mod readings;
pub mod rewrite;
mod uri;

pub use documents::Documents;
pub use parts::digest;
pub use readings::Readings;
pub use uri::Place;

use crate::model::revision::SourceTree;
use std::path::PathBuf;
use std::time::Duration;

/// How a design is brought in.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where fetched designs are kept from one time to the next; without it none can be fetched.
    pub cache: Option<PathBuf>,
    /// The revision, in place of the one that the place names.
    pub revision: Option<String>,
    /// Machines are to be served: the payloads of a fetched design are unpacked, too.
    pub payloads: bool,
    pub limits: Limits,
}

/// What bringing a design in may take. A design is text that people write; its payloads are what installers fetch.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Without a sign of life for so long, a server counts as gone.
    pub idle: Duration,
    /// All of it together: a large first fetch over a slow line.
    pub overall: Duration,
    /// What comes over the wire: a repository's packs, or an archive as it is sent.
    pub fetched_bytes: u64,
    /// An archive's content, payloads included.
    pub unpacked_bytes: u64,
    /// One text file; a bulk inventory of 100 000 rows has about 10 MB.
    pub file_bytes: u64,
    /// All text files of a fetched design, which are held in memory.
    pub text_bytes: u64,
    /// One payload in a git repository, which git reads whole.
    pub blob_bytes: u64,
    /// Entries of an archive or of a commit's folders, whether they belong to the design or not.
    pub entries: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            idle: Duration::from_secs(30),
            overall: Duration::from_secs(15 * 60),
            fetched_bytes: 4 << 30,
            unpacked_bytes: 16 << 30,
            file_bytes: disk::FILE_BYTES,
            text_bytes: 512 << 20,
            blob_bytes: 1 << 30,
            entries: parts::ENTRIES,
        }
    }
}

/// What a place holds.
#[derive(Debug)]
pub enum Brought {
    Design(SourceTree),
    Documents(Documents),
}

/// Brings in what is at `place`, a folder or a URI. Everything of it is of one revision.
pub async fn load(place: &str, options: &Options) -> Result<Brought, SourceError> {
    let tree = match wanted(place, options)? {
        Place::Folder { path, revision: None } => disk::load(place, &path)?,
        Place::Folder { path, revision: Some(revision) } => {
            git::load_folder(place, &path, &revision, options).await?
        }
        Place::Git(git) => git::load(place, &git, options).await?,
        Place::Archive(archive) => archive::load(place, &archive, options).await?,
        Place::Documents(resource) => {
            return documents::load(place, &resource, options).await.map(Brought::Documents);
        }
    };
    Ok(Brought::Design(tree))
}

/// The newest commit of a repository's branch or tag, asked without fetching it; `None` where only [`load`] can tell.
pub async fn newest(place: &str, options: &Options) -> Result<Option<String>, SourceError> {
    match wanted(place, options)? {
        Place::Git(git) => git::newest(place, &git, options).await,
        Place::Folder { .. } | Place::Archive(_) | Place::Documents(_) => Ok(None),
    }
}

/// The place, at the revision that is said apart from it.
fn wanted(place: &str, options: &Options) -> Result<Place, SourceError> {
    let parsed = Place::parse(place)?;
    match &options.revision {
        Some(revision) => parsed.at(place, revision),
        None => Ok(parsed),
    }
}

/// Why a design could not be brought in. Names the place and the way out; holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    #[error("there is no design folder `{0}`; `rackwright init {0}` makes one")]
    Missing(String),
    #[error("the folder `{folder}` holds no `*.kdl` file, so it is no design{help}")]
    NoKdl { folder: String, help: String },
    #[error("`{0}` is not a folder; name the folder that holds the design's `*.kdl` files")]
    NotAFolder(String),
    #[error("`{uri}`: `{scheme}` is not known; {help}")]
    Scheme { uri: String, scheme: String, help: String },
    #[error("`{uri}` is no design URI: {why}")]
    Uri { uri: String, why: String },
    #[error("`{path}` cannot be read: {why}")]
    Unreadable { path: String, why: String },
    #[error("`{path}` has {bytes} bytes; a design file may have {limit}")]
    TooLarge { path: String, bytes: u64, limit: u64 },
    #[error("`{path}` leaves the design folder")]
    Escape { path: String },
    #[error("`{path}` is {what}; a fetched design holds plain files and folders only")]
    NotPlain { path: String, what: &'static str },
    #[error("the design has more than {0} files")]
    TooMany(usize),
    #[error("the design is larger than its limit: {0}")]
    Limit(String),
    #[error("`{uri}` cannot be fetched: {why}")]
    Fetch { uri: String, why: String },
    #[error("`{uri}` cannot be fetched: no answer for {seconds} s")]
    Silent { uri: String, seconds: u64 },
    #[error("`{uri}` cannot be fetched: it took longer than {seconds} s")]
    TooSlow { uri: String, seconds: u64 },
    #[error("`{uri}` has no revision `{revision}`{help}")]
    NoRevision { uri: String, revision: String, help: String },
    #[error("`{uri}` is damaged: {why}")]
    Damaged { uri: String, why: String },
    #[error("`{uri}` has the digest sha256:{is}, not sha256:{wanted}: it is not what was pinned")]
    Digest { uri: String, is: String, wanted: String },
    #[error("there is no cache folder to fetch `{0}` into; set XDG_CACHE_HOME or HOME")]
    NoCache(String),
    #[error("the cache `{path}` cannot be used: {why}")]
    Cache { path: String, why: String },
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    const MOST: usize = 8;
    let mut text = error.to_string();
    let mut cause = error.source();
    for _ in 0..MOST {
        let Some(error) = cause else { break };
        let said = error.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = error.source();
    }
    text
}
