//! Designs by reference: folders at a commit, git repositories, archives; what is pinned, what is refused, and that nothing
//! that a server sends or withholds costs more than its limit.
//!
//! Servers are real and on loopback: git's own HTTP backend, and a small one for archives. Deadlines are arguments, so
//! that no test waits for long.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
mod sources {
    pub mod archives;
    pub mod documents;
    pub mod git;
    pub mod repository;
    pub mod revisions;
    pub mod server;
}

use rackwright::model::revision::SourceTree;
use rackwright::world::source::{self, Brought, Limits, Options, SourceError};
use std::path::Path;
use std::time::Duration;

/// A cache folder, and the options that name it. A test's server answers at once or never.
fn options(cache: &Path) -> Options {
    let limits =
        Limits { idle: Duration::from_secs(20), overall: Duration::from_secs(60), ..Limits::default() };
    Options { cache: Some(cache.to_path_buf()), limits, ..Options::default() }
}

/// The same, with a server that is given up soon.
fn impatient(cache: &Path) -> Options {
    let options = options(cache);
    Options { limits: Limits { idle: Duration::from_millis(200), ..options.limits.clone() }, ..options }
}

fn load(uri: &str, options: &Options) -> Result<SourceTree, SourceError> {
    bring(uri, options).map(design)
}

fn bring(uri: &str, options: &Options) -> Result<Brought, SourceError> {
    // As the binary does before anything else; a second test finds it done.
    let _ = rustls::crypto::ring::default_provider().install_default();
    runtime().block_on(source::load(uri, options))
}

fn design(brought: Brought) -> SourceTree {
    match brought {
        Brought::Design(tree) => tree,
        Brought::Documents(_) => panic!("documents are no design yet"),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn names(tree: &SourceTree) -> Vec<&str> {
    tree.files.keys().map(|name| &**name).collect()
}

#[track_caller]
fn says(error: SourceError, texts: &[&str]) {
    let said = error.to_string();
    for text in texts {
        assert!(said.contains(text), "`{text}` is not in: {said}");
    }
}
