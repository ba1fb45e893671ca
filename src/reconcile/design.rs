//! A design brought in and compiled, with everything that was found on the way.

use crate::design;
use crate::finding::{self, Finding};
use crate::model::revision::Revision;
use crate::model::site::Site;
use crate::script;
use crate::world::source::{self, Options, Readings, SourceError};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A compiled design, or why there is none.
pub struct Loaded {
    pub revision: Revision,
    /// There only when no finding is an error.
    pub site: Option<Arc<Site>>,
    pub findings: Vec<Finding>,
    /// Source texts, for underlining.
    pub texts: BTreeMap<Arc<str>, Arc<str>>,
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
    let tree = source::load(place, options).await?;
    let kept = options.cache.as_deref().and_then(Readings::open).map(Kept);
    let cache = kept.as_ref().map(|kept| kept as &dyn design::Cache);
    let compiled = design::compile_with(&tree, &script::stdlib::tree(), cache);
    let mut findings = compiled.findings;
    finding::tidy(&mut findings);
    let revision = tree.revision;
    Ok(Loaded { revision, site: compiled.site.map(Arc::new), findings, texts: compiled.texts })
}
