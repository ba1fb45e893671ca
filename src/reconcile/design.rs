//! A design brought in and compiled, with everything that was found on the way.
//!
//! Owns that documents of another system are a design like any other: imported each time, with what is wrong in their words.

use super::imported::{self, Judged};
use crate::design::{self, Compiled};
use crate::finding::{self, Finding};
use crate::import::{Input, drydock};
use crate::model::imported::Note;
use crate::model::revision::{Revision, SourceTree};
use crate::model::site::Site;
use crate::model::task::{Script, Task};
use crate::script;
use crate::world::source::{self, Brought, Documents, Options, Readings, SourceError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A compiled design, or why there is none.
pub struct Loaded {
    pub revision: Revision,
    /// There only when no finding is an error.
    pub site: Option<Arc<Site>>,
    pub findings: Vec<Finding>,
    /// Every task that could be read, and every script; also of a design with errors.
    pub tasks: BTreeMap<Arc<str>, Arc<Task>>,
    pub scripts: BTreeMap<Arc<str>, Script>,
    /// Source texts, for underlining.
    pub texts: BTreeMap<Arc<str>, Arc<str>>,
    /// What did not go over as it stood, when documents of another system were imported.
    pub notes: Vec<Note>,
}

/// The cache folder, as the design floor wants one.
struct Kept(Readings);

impl design::Cache for Kept {
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.0.get(key)
    }

    fn put(&self, key: &str, bytes: &[u8]) {
        self.0.put(key, bytes);
    }
}

/// Loads the design at `place`, a folder or a URI.
pub async fn load(place: &str, options: &Options) -> Result<Loaded, SourceError> {
    let brought = source::load(place, options).await?;
    let kept = options.cache.as_deref().and_then(Readings::open).map(Kept);
    let cache = kept.as_ref().map(|kept| kept as &dyn design::Cache);
    let tree = match brought {
        Brought::Design(tree) => tree,
        Brought::Documents(documents) => return Ok(import(documents, cache)),
    };
    let Compiled { site, mut findings, tasks, scripts, texts } =
        design::compile_with(&tree, &script::stdlib::tree(), cache);
    finding::tidy(&mut findings);
    let (revision, site) = (tree.revision, site.map(Arc::new));
    Ok(Loaded { revision, site, findings, tasks, scripts, texts, notes: Vec::new() })
}

/// Documents as a design. Nothing lies beside them, so it has no payloads.
fn import(documents: Documents, cache: Option<&dyn design::Cache>) -> Loaded {
    let Documents { source, name, revision, bytes } = documents;
    let imported = drydock::import(&[Input { name: name.into(), bytes }]);
    let files = imported::files(&imported);
    let revision = Revision { source, revision, digest: source::digest(&files) };
    let payloads = Some(BTreeSet::new());
    let tree = SourceTree { revision: revision.clone(), files, payloads, root: None };
    // Without a single document there is nothing to judge, and what is wrong has been said.
    let compiled = match tree.files.is_empty() {
        true => None,
        false => Some(design::compile_with(&tree, &script::stdlib::tree(), cache)),
    };
    let (site, tasks, scripts, judged) = match compiled {
        Some(Compiled { site, findings, tasks, scripts, texts }) => {
            (site, tasks, scripts, Judged { findings, texts })
        }
        None => (None, BTreeMap::new(), BTreeMap::new(), Judged::default()),
    };
    let Judged { findings, texts } = imported::traced(&imported, judged);
    let site = site.filter(|_| !findings.iter().any(Finding::is_error)).map(Arc::new);
    Loaded { revision, site, findings, tasks, scripts, texts, notes: imported.notes }
}
