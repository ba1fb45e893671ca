//! Which Ansible groups the nodes of a site are in.

use crate::model::inventory::{group_names, groups_of};
use crate::model::site::{Node, Site};
use std::collections::{BTreeMap, BTreeSet};

/// Groups and their nodes, both in order of name.
pub fn of(site: &Site) -> BTreeMap<String, Vec<&str>> {
    let mut raw: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for node in &site.nodes {
        for group in of_node(node) {
            raw.entry(group).or_default().push(&node.name);
        }
    }
    let names: Vec<String> = group_names(raw.keys().map(String::as_str));
    names.into_iter().zip(raw.into_values()).collect()
}

/// What the node is in, as the design calls it.
fn of_node(node: &Node) -> BTreeSet<String> {
    let mut groups = groups_of(&node.spec);
    groups.extend(node.profiles().map(|name| format!("profile_{name}")));
    groups
}
