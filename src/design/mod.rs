//! Text → Design → Site: KDL files become typed items, items become nodes with complete specs.
//!
//! Owns the design language: what may be written (`kinds/`), how it is read (`read/`), how layers resolve
//! (`resolve/`) and what must hold across items (`rules/`). Pure: no files, no clock, no environment. What can
//! be said of scripts it asks of the script floor; it runs none, and brings no revision in.
//!
//! The way through: `load` (source → scan → syntax → read) fills a `Catalog`; `resolve` makes nodes; `build`
//! makes the typed rest; `rules` judges the whole; `report` puts the findings in order.

mod addresses;
mod build;
mod cached;
mod catalog;
mod clear_text;
pub mod format;
mod forms;
mod graph;
mod keywords;
mod kinds;
mod load;
mod merge;
mod pattern;
mod read;
mod refer;
mod report;
mod resolve;
mod rules;
mod scan;
mod schema;
mod secret;
pub mod selector;
mod slots;
mod source;
mod spec;
mod syntax;
mod tested;
mod value_of;
mod wiring;

#[cfg(test)]
mod tests;

pub use cached::Cache;
pub use load::is_design;
pub use tested::TestForm;

use crate::finding::Finding;
use crate::model::revision::SourceTree;
use crate::model::site::{Allocation, Site};
use crate::model::task::{Script, Task};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Lets nodes keep the addresses that they were given before, as long as they may.
pub fn keep_addresses(site: &mut Site, kept: &Allocation) {
    site.allocation =
        addresses::keep(&mut site.nodes, &site.networks, &site.fixed_addresses, &site.allocation, kept);
}

/// What a design came to.
#[derive(Debug)]
pub struct Compiled {
    /// There only when no finding is an error.
    pub site: Option<Site>,
    /// In order of place.
    pub findings: Vec<Finding>,
    /// Every task that could be read, and every script; also of a design with errors.
    pub tasks: BTreeMap<Arc<str>, Arc<Task>>,
    pub scripts: BTreeMap<Arc<str>, Script>,
    /// Source text of every KDL and script file, for rendering findings; texts that may be secrets written in
    /// clear are starred out.
    pub texts: BTreeMap<Arc<str>, Arc<str>>,
}

/// Compiles a revision together with the standard library. All findings in one go; `site` is there only when
/// none is an error.
pub fn compile(tree: &SourceTree, stdlib: &SourceTree) -> Compiled {
    compile_with(tree, stdlib, None)
}

/// The same; what large files were read as is looked up in the cache, and kept there.
pub fn compile_with(tree: &SourceTree, stdlib: &SourceTree, cache: Option<&dyn Cache>) -> Compiled {
    let mut catalog = load::catalog(tree, stdlib, cache);
    let mut findings = std::mem::take(&mut catalog.findings);
    let mut resolver = resolve::Resolver::new(&catalog);
    let mut nodes = resolve::nodes(&mut resolver);
    findings.append(&mut resolver.findings);
    wiring::plug(&catalog, &mut nodes);
    let mut typed = build::build(&catalog, &mut findings);
    let (allocation, without_address) =
        addresses::choose(&mut nodes, &typed.networks, &typed.fixed_addresses);
    typed.allocation = allocation;
    let late_references = std::mem::take(&mut resolver.references);
    let mut hidden = std::mem::take(&mut resolver.hidden);
    drop(resolver);
    catalog.hidden.append(&mut hidden);
    let context =
        rules::Context { catalog: &catalog, nodes: &nodes, typed: &typed, late_references, without_address };
    rules::check(&context, &mut findings);
    let findings = report::tidy(findings);
    let tasks = typed.tasks.clone();
    let good = !findings.iter().any(Finding::is_error);
    let site = if good { build::site(tree, &catalog, typed, nodes) } else { None };
    let texts = report::without_secrets(catalog.texts, &catalog.hidden, &findings);
    Compiled { site, findings, tasks, scripts: catalog.scripts, texts }
}
