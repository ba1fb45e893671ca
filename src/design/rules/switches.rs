//! A switch whose ports are worked on can be reached, by a driver that is built in.
//!
//! Why: the step would fail when the machine waits for its port. Example: a node with a cable to `switch "sw1"` that has no
//! `uri`, and a task in its lifecycle that allows `port`. Fix: write `uri`, `user` and `password`. A switch with another
//! driver is worked on by a task of the site's own.

use super::{Context, allowing};
use crate::finding::{Finding, SWITCH_UNUSABLE};
use crate::model::site::SWITCH_DRIVERS;
use crate::model::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    // Each switch once, for the first of its nodes.
    let mut used: BTreeMap<&Arc<str>, &Arc<str>> = BTreeMap::new();
    for resolved in allowing(context, "port") {
        let switches = resolved.node.spec.get("port-switches").and_then(Value::as_map);
        for switch in switches.into_iter().flat_map(|map| map.keys()) {
            used.entry(switch).or_insert(&resolved.node.name);
        }
    }
    for (switch, node) in used {
        let Some(item) = context.catalog.get("switch", switch).filter(|item| !item.faulty) else { continue };
        let find = |message: String, place, help: &str| {
            Finding::new(SWITCH_UNUSABLE, item.subject(), message).at(place).help(help)
        };
        let driver = item.tree.str_at("driver");
        if let Some(driver) = driver.filter(|driver| !SWITCH_DRIVERS.contains(driver)) {
            let message = format!(
                "no driver `{driver}` is built in, and a task of node `{node}` allows `port`; {} is",
                SWITCH_DRIVERS[0]
            );
            let help = "write a task of your own that speaks to it with `http`, `ssh` or `command`: \
                        it finds `ports`, `boot-ports` and `port-switches` in the node's spec";
            findings.push(find(message, item.place_of("driver"), help));
            continue;
        }
        let uri = item.tree.str_at("uri");
        if let Some(uri) = uri.filter(|uri| !uri.starts_with("https://") && !uri.starts_with("http://")) {
            let scheme = uri.split(':').next().unwrap_or_default();
            let message = format!("RESTCONF is spoken over HTTP, and its uri begins with `{scheme}:`");
            findings.push(find(message, item.place_of("uri"), "write uri \"https://HOST\""));
        }
        for (word, help) in [
            ("uri", "write uri \"https://HOST\", or with the path of its RESTCONF root"),
            ("user", "write user \"…\" in the switch"),
            ("password", "write password (secret)\"env:NAME\" in the switch"),
        ] {
            if item.tree.get(word).is_none() {
                let message = format!(
                    "a task works on the ports of node `{node}`, and switch `{switch}` has no {word}"
                );
                findings.push(find(message, item.place.clone(), help));
            }
        }
    }
}
