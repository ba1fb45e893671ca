//! No two nodes have the same address, boot MAC or BMC.
//!
//! Why: work meant for one machine would reach another. Example: two nodes with boot-mac 52:54:00:12:34:01. Fix:
//! correct one of the two. Several machines behind one BMC differ in `system=`.

use super::{Context, subject};
use crate::design::resolve::{Resolved, place_in};
use crate::finding::{DUPLICATE_ADDRESS, Finding};
use crate::model::path::Path;
use std::collections::BTreeMap;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut first: BTreeMap<String, &Resolved> = BTreeMap::new();
    for resolved in context.nodes {
        for (what, path) in identities(resolved) {
            match first.get(&what) {
                None => drop(first.insert(what, resolved)),
                Some(other) => findings.push(finding(resolved, other, &what, &path)),
            }
        }
    }
}

fn finding(resolved: &Resolved, other: &Resolved, what: &str, path: &str) -> Finding {
    let message = format!("node `{}` has the same {what} as node `{}`", resolved.node.name, other.node.name);
    let other_place = place_in(&other.node, path);
    let place = place_in(&resolved.node, path);
    let help = match other_place == place {
        true => "let the value vary from node to node, such as with a variable of the block".to_string(),
        false => format!("the other is at {other_place}; correct one of the two"),
    };
    Finding::new(DUPLICATE_ADDRESS, subject(resolved), message).at(place).help(help)
}

/// What must be a node's alone, in words, with the path where it stands.
fn identities(resolved: &Resolved) -> Vec<(String, String)> {
    let spec = &resolved.node.spec;
    let mut identities = Vec::new();
    for (network, address) in spec.get("addresses").and_then(|value| value.as_map()).into_iter().flatten() {
        if let Some(address) = address.as_str() {
            let path = Path(vec!["addresses".into(), network.clone()]).to_string();
            identities.push((format!("address {address} in network `{network}`"), path));
        }
    }
    if let Some(mac) = resolved.node.boot_mac {
        identities.push((format!("boot MAC {mac}"), "boot-mac".to_string()));
    }
    if let Some(address) = spec.str_at("bmc.address") {
        let address = address.trim_end_matches('/');
        let bmc = match spec.str_at("bmc.system") {
            Some(system) => format!("BMC {address} and system `{system}`"),
            None => format!("BMC {address}"),
        };
        identities.push((bmc, "bmc.address".to_string()));
    }
    identities
}
