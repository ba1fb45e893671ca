//! A dynamic inventory, as Ansible asks a program for one with `--list` and `--host NAME`.
//!
//! Owns the form. What is said of a node is that of `model/inventory.rs`, which tasks use, too.

use super::groups;
use crate::model::inventory::{address, literal, plain};
use crate::model::names;
use crate::model::site::{Node, Site};
use serde_json::{Map, Value, json};

/// The answer to `--list`.
pub fn list(site: &Site) -> Value {
    let groups = groups::of(site);
    let hosts: Map<String, Value> =
        site.nodes.iter().map(|node| (node.name.to_string(), host(site, node))).collect();
    let mut inventory = Map::new();
    inventory.insert("_meta".into(), json!({"hostvars": hosts}));
    let children: Vec<&str> = std::iter::once("ungrouped").chain(groups.keys().map(String::as_str)).collect();
    inventory.insert("all".into(), json!({"children": children}));
    let grouped: std::collections::BTreeSet<&str> = groups.values().flatten().copied().collect();
    let alone = |node: &&Node| !grouped.contains(&*node.name);
    let ungrouped: Vec<&str> = site.nodes.iter().filter(alone).map(|node| &*node.name).collect();
    inventory.insert("ungrouped".into(), json!({"hosts": ungrouped}));
    inventory.extend(groups.iter().map(|(name, nodes)| (name.clone(), json!({"hosts": nodes}))));
    Value::Object(inventory)
}

/// The answer to `--host NAME`.
pub fn host(site: &Site, node: &Node) -> Value {
    json!({
        "ansible_host": address(&node.name, &node.spec),
        "rackwright": plain(&names::to_script(&node.spec)),
        "rackwright_site": literal(&site.name),
    })
}
