//! Where a design's store lies when nobody says.

use crate::store::{StoreError, Url};
use std::path::PathBuf;

/// The folder beside a design that holds its store and, for rehearsals, the rack's machines.
pub const OWN: &str = ".rackwright";

/// The store named, or the default beside the design folder.
pub fn store_url(named: Option<&str>, design: &str, rehearsal: bool) -> Result<Url, StoreError> {
    match (named, rehearsal) {
        // A rehearsal never touches the store of the real machines.
        (_, true) => Ok(Url(beside(design).join("virtual.db"))),
        (Some(url), false) => url.parse(),
        (None, false) => Ok(Url(beside(design).join("store.db"))),
    }
}

/// Where the virtual rack keeps its machines' disks, settings and log.
pub fn rack_folder(design: &str) -> PathBuf {
    beside(design).join("virtual")
}

/// The folder of a design that lies in one; `None` for one that is fetched.
pub fn folder(design: &str) -> Option<PathBuf> {
    let path = design.strip_prefix("file://").unwrap_or(design);
    (!path.contains("://")).then(|| PathBuf::from(path))
}

fn beside(design: &str) -> PathBuf {
    PathBuf::from(design.strip_prefix("file://").unwrap_or(design)).join(OWN)
}
