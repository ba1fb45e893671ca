//! Where a design's store lies when nobody says, and where its rehearsals do.
//!
//! A folder has both beside it. A design that is fetched has no folder of ours: its store wants to be named, because a store
//! that nobody finds again looks like machines that nobody ever installed; its rehearsals are kept in the cache.

use crate::store::{StoreError, Url};
use crate::world::source::{Place, SourceError};
use std::path::{Path, PathBuf};

/// The folder beside a design that holds its store and, for rehearsals, the rack's machines.
pub const OWN: &str = ".rackwright";
/// In it, the store of the real machines.
pub const STORE: &str = "store.db";

/// Why there is no such place.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("the design `{0}` is fetched, so no store lies beside it")]
    NoStore(String),
}

/// The store named, or the default beside the design folder.
pub fn store_url(
    named: Option<&str>,
    design: &str,
    rehearsal: bool,
    cache: Option<&Path>,
) -> Result<Url, PlaceError> {
    match (named, rehearsal) {
        // A rehearsal never touches the store of the real machines.
        (_, true) => Ok(Url(own(design, cache)?.join("virtual.db"))),
        (Some(url), false) => Ok(url.parse()?),
        (None, false) if Place::parse(design)?.is_remote() => Err(PlaceError::NoStore(design.to_string())),
        (None, false) => Ok(Url(own(design, cache)?.join(STORE))),
    }
}

/// Where the virtual rack keeps its machines' disks, settings and log.
pub fn rack_folder(design: &str, cache: Option<&Path>) -> Result<PathBuf, PlaceError> {
    Ok(own(design, cache)?.join("virtual"))
}

/// What is kept of a design: beside its folder, or in the cache, there the same for all its revisions.
pub fn own(design: &str, cache: Option<&Path>) -> Result<PathBuf, PlaceError> {
    let place = Place::parse(design)?;
    match (&place, cache) {
        (Place::Folder { path, .. }, _) => Ok(path.join(OWN)),
        (_, Some(cache)) => {
            let name = blake3::hash(place.identity().as_bytes()).to_hex();
            Ok(cache.join("rehearsals").join(&name[..32]).join(OWN))
        }
        (_, None) => Err(SourceError::NoCache(design.to_string()).into()),
    }
}

/// The folder of a design that changes when its files do; `None` for one that is fetched or pinned.
pub fn folder(design: &str) -> Option<PathBuf> {
    match Place::parse(design) {
        Ok(Place::Folder { path, revision: None }) => Some(path),
        _ => None,
    }
}
