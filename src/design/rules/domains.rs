//! A domain is made of host name labels (RFC 1123, section 2.1).
//!
//! Why: it ends every host name of the machines that get it, and resolvers refuse others. Example:
//! `domain "lab_1.example.net"`. Fix: letters, digits and hyphens, at most 63 in each part, no dot at the end.

use super::{Context, subject};
use crate::design::forms::is_host_name;
use crate::design::resolve::place_in;
use crate::finding::{Finding, NAME_INVALID, Place};
use std::collections::HashSet;

/// The kinds that write one which is no pattern.
const KINDS: &[&str] = &["site", "region", "rack", "network", "profile", "nodes", "node"];

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut reported: HashSet<Place> = HashSet::new();
    for item in KINDS.iter().flat_map(|kind| context.catalog.of(kind)) {
        if let Some(domain) = item.tree.str_at("domain").filter(|domain| !is_host_name(domain)) {
            let place = item.place_of("domain");
            reported.insert(place.clone());
            findings.push(finding(item.subject(), domain, place));
        }
    }
    // Of patterns and tables; most nodes have the domain of the node before.
    let mut good = "";
    for resolved in context.nodes {
        let Some(domain) = resolved.node.spec.str_at("domain").filter(|domain| *domain != good) else {
            continue;
        };
        if is_host_name(domain) {
            good = domain;
            continue;
        }
        let place = place_in(&resolved.node, "domain");
        if !reported.contains(&place) {
            findings.push(finding(subject(resolved), domain, place));
        }
    }
}

fn finding(subject: String, domain: &str, place: Place) -> Finding {
    let help = match domain.strip_suffix('.').filter(|bare| is_host_name(bare)) {
        Some(bare) => format!("write \"{bare}\""),
        None => "write letters, digits and hyphens, at most 63 between two dots".to_string(),
    };
    Finding::new(NAME_INVALID, subject, format!("`{domain}` is not a domain")).at(place).help(help)
}
