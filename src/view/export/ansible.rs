//! A dynamic inventory, as Ansible asks a program for one with `--list` and `--host NAME`.
//!
//! Owns the variables of a host. The spec stands under `rackwright`, with the names that scripts see, because some of
//! them (`name`, `tags`) mean something else to Ansible. Secrets are left out: a playbook that wants one then fails
//! with a name, and uses no placeholder.

use super::groups;
use crate::model::names;
use crate::model::site::{Node, Site};
use crate::model::value::Value as Spec;
use serde_json::{Map, Value, json};
use std::net::IpAddr;

/// What Ansible would take for a template.
const TEMPLATES: [&str; 3] = ["{{", "{%", "{#"];

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
        "ansible_host": address(node),
        "rackwright": plain(&names::to_script(&node.spec)),
        "rackwright_site": literal(&site.name),
    })
}

/// The address on the primary network; else the only one; else the full name.
fn address(node: &Node) -> String {
    let addresses = node.spec.get("addresses").and_then(Spec::as_map);
    let written =
        |value: &Spec| value.as_str().filter(|text| text.parse::<IpAddr>().is_ok()).map(str::to_string);
    let primary = node.spec.str_at("primary-network");
    if let Some(address) = primary.and_then(|network| written(addresses?.get(network)?)) {
        return address;
    }
    let all: Vec<String> = addresses.into_iter().flat_map(|map| map.values()).filter_map(written).collect();
    match (all.as_slice(), node.spec.str_at("domain")) {
        ([only], _) => only.clone(),
        (_, Some(domain)) => format!("{}.{domain}", node.name),
        (_, None) => node.name.to_string(),
    }
}

/// JSON without secrets, in which no text is a template.
fn plain(value: &Spec) -> Value {
    match value {
        Spec::Text(text) => literal(text),
        Spec::List(items) => items.iter().filter(|item| is_open(item)).map(plain).collect(),
        Spec::Map(map) => {
            let open = map.iter().filter(|(_, value)| is_open(value));
            Value::Object(open.map(|(key, value)| (key.to_string(), plain(value))).collect())
        }
        Spec::Null | Spec::Secret(_) | Spec::Unknown(_) => Value::Null,
        Spec::Bool(truth) => (*truth).into(),
        Spec::Int(number) => (*number).into(),
        Spec::Float(number) => (*number).into(),
    }
}

fn is_open(value: &Spec) -> bool {
    !matches!(value, Spec::Secret(_))
}

/// A text that Ansible does not evaluate: designs say what machines are, and nothing is run for it.
fn literal(text: &str) -> Value {
    match TEMPLATES.iter().any(|mark| text.contains(mark)) {
        true => json!({"__ansible_unsafe": text}),
        false => text.into(),
    }
}
