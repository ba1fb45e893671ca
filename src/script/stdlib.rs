//! The standard library: KDL and Rhai compiled into the binary.

use crate::model::revision::{Revision, SourceTree};
use include_dir::{Dir, include_dir};
use std::sync::Arc;

static STDLIB: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/stdlib");

/// Every file of the library, named `stdlib/…`.
pub fn tree() -> SourceTree {
    let files = STDLIB
        .files()
        .map(|file| {
            let name: Arc<str> = format!("stdlib/{}", file.path().display()).into();
            (name, Arc::from(file.contents()))
        })
        .collect();
    let revision = Revision {
        source: "stdlib".into(),
        revision: env!("CARGO_PKG_VERSION").into(),
        digest: String::new(),
    };
    SourceTree { revision, files, payloads: None, root: None }
}
