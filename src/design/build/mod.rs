//! Items to the typed parts of a `Site`.
//!
//! Owns the step from value trees to `model` types. What is wrong inside one item and hinders its typing is
//! reported here; everything that compares items is a rule.

mod blueprint;
mod network;
mod param;
mod program_task;
mod site;
pub mod task;

use super::catalog::Catalog;
use super::forms::address_of;
use super::kinds::site::SITE_LIFECYCLE;
use super::resolve::Resolved;
use crate::finding::Finding;
use crate::model::blueprint::Blueprint;
use crate::model::revision::SourceTree;
use crate::model::site::{Allocation, Network, Site, Thing};
use crate::model::task::Task;
use crate::model::value::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// What a site holds besides its nodes.
pub struct Typed {
    pub networks: BTreeMap<Arc<str>, Network>,
    pub tasks: BTreeMap<Arc<str>, Arc<Task>>,
    pub blueprints: BTreeMap<Arc<str>, Arc<Blueprint>>,
    pub allocation: Allocation,
    pub fixed_addresses: BTreeSet<Ipv4Addr>,
}

pub fn build(catalog: &Catalog, findings: &mut Vec<Finding>) -> Typed {
    let networks = catalog.of("network").filter_map(network::build);
    let tasks = catalog.of("task").filter_map(|item| task::build(item, catalog, findings));
    let tasks: BTreeMap<Arc<str>, Arc<Task>> =
        tasks.map(|task| (task.name.clone(), Arc::new(task))).collect();
    let blueprints: Vec<Blueprint> =
        catalog.of("blueprint").map(|item| blueprint::build(item, findings)).collect();
    Typed {
        networks: networks.map(|network| (network.name.clone(), network)).collect(),
        blueprints: blueprints
            .into_iter()
            .map(|blueprint| (blueprint.name.clone(), Arc::new(blueprint.given(&tasks, &Value::empty_map()))))
            .collect(),
        tasks,
        allocation: Allocation::new(),
        fixed_addresses: fixed_addresses(catalog),
    }
}

/// The whole; `None` when there is no site.
pub fn site(tree: &SourceTree, catalog: &Catalog, typed: Typed, nodes: Vec<Resolved>) -> Option<Site> {
    let item = catalog.of("site").next()?;
    Some(Site {
        name: item.name.clone(),
        first_install: site::first_install(item),
        services: site::services(item),
        lifecycle: item.tree.str_at(SITE_LIFECYCLE).map(Arc::from),
        settings: item.tree.clone(),
        networks: typed.networks,
        nodes: nodes.into_iter().map(|resolved| resolved.node).collect(),
        tasks: typed.tasks,
        blueprints: typed.blueprints,
        allocation: typed.allocation,
        fixed_addresses: typed.fixed_addresses,
        rehearsed: false,
        on_rack: false,
        things: things(catalog),
        scripts: catalog.scripts.clone(),
        folders: catalog.folders.clone(),
        root: tree.root.clone(),
        revision: tree.revision.clone(),
    })
}

/// Addresses that switches, time and name servers and our own services have.
fn fixed_addresses(catalog: &Catalog) -> BTreeSet<Ipv4Addr> {
    const SERVICES: &[&str] =
        &["services.dhcp.listen", "services.tftp.listen", "services.http.listen", "services.http.advertise"];
    let mut found = BTreeSet::new();
    for item in ["site", "region", "rack", "switch"].into_iter().flat_map(|kind| catalog.of(kind)) {
        let alone = SERVICES.iter().chain(&["address", "uri"]).filter_map(|path| item.tree.str_at(path));
        let listed = texts(&item.tree, "dns").chain(texts(&item.tree, "ntp"));
        found.extend(alone.chain(listed).filter_map(address_of));
    }
    found
}

/// What has no type of its own is handed on as it is written.
fn things(catalog: &Catalog) -> BTreeMap<&'static str, BTreeMap<Arc<str>, Thing>> {
    const TYPED: &[&str] = &["site", "node", "nodes", "task", "blueprint", "include"];
    let mut things: BTreeMap<&'static str, BTreeMap<Arc<str>, Thing>> = BTreeMap::new();
    for item in catalog.all().filter(|item| !TYPED.contains(&item.kind)) {
        let thing = Thing { tree: item.tree.clone(), place: item.place.clone() };
        things.entry(item.kind).or_default().insert(item.name.clone(), thing);
    }
    things
}

/// A checked text of the tree, parsed again into its type.
fn parsed<T: std::str::FromStr>(tree: &Value, dotted: &str) -> Option<T> {
    tree.str_at(dotted)?.parse().ok()
}

/// At a dotted path.
fn duration(tree: &Value, key: &str) -> Option<Duration> {
    crate::units::duration(tree.str_at(key)?).ok()
}

fn texts<'a>(tree: &'a Value, key: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    tree.get(key).and_then(Value::as_list).unwrap_or_default().iter().filter_map(Value::as_str)
}

/// The entries of a map of maps.
fn entries<'a>(tree: &'a Value, key: &str) -> impl Iterator<Item = (&'a Arc<str>, &'a Value)> + use<'a> {
    tree.get(key).and_then(Value::as_map).into_iter().flatten()
}
