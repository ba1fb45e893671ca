//! An immutable revision of a design: what every load pins and every plan and run names.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Where the design came from: a folder or a URI.
    pub source: String,
    /// A commit id, or `content` when the design is in no git work tree, with `+modified` when the
    /// work tree differs from the commit.
    pub revision: String,
    /// blake3 of the design's files, names included.
    pub digest: String,
}

/// A revision's text files as they were read, before anyone has looked into them.
#[derive(Clone, Debug)]
pub struct SourceTree {
    pub revision: Revision,
    /// `*.kdl`, `scripts/**`, `templates/**`, `inventory/**` and `containers/**`, by path with `/`.
    pub files: BTreeMap<Arc<str>, Arc<[u8]>>,
    /// The names of the payloads, `files/…`; `None` when nobody has looked.
    pub payloads: Option<BTreeSet<Arc<str>>>,
    /// The folder that holds `files/`, whose payloads are served but never read whole.
    pub root: Option<PathBuf>,
}
