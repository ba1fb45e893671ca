//! Profiles do not extend themselves, directly or around corners, nor too many others.
//!
//! Why: there would be no nearest value. Example: `profile "a" extends="b"` and `profile "b" extends="a"`. Fix:
//! remove one `extends` of the circle.

use super::Context;
use crate::design::graph;
use crate::design::read::Item;
use crate::design::resolve::lineage::{self, MOST_PROFILES};
use crate::finding::{CYCLE, Finding, LIMIT};
use std::collections::HashMap;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let profiles: Vec<&Item> = context.catalog.of("profile").collect();
    let positions: HashMap<&str, usize> =
        profiles.iter().enumerate().map(|(position, item)| (&*item.name, position)).collect();
    let mut edges = Vec::new();
    for (position, item) in profiles.iter().enumerate() {
        let parents = item.references.iter().filter(|reference| reference.kind == "profile");
        edges.extend(parents.filter_map(|parent| Some((*positions.get(&*parent.name)?, position))));
    }
    for members in graph::cycles(profiles.len(), &edges) {
        let names: Vec<String> =
            members.iter().map(|position| format!("`{}`", profiles[*position].name)).collect();
        let message = match names.as_slice() {
            [alone] => format!("profile {alone} extends itself"),
            _ => format!("these profiles extend each other: {}", names.join(", ")),
        };
        let first = profiles[members[0]];
        let finding = Finding::new(CYCLE, first.subject(), message).at(first.place.clone());
        findings.push(finding.help("remove one `extends` of the circle"));
    }
    long_lineage(context, &profiles, findings);
}

/// Of a chain that is too long the first by name is named; whoever shortens it sees the next.
fn long_lineage(context: &Context<'_>, profiles: &[&Item], findings: &mut Vec<Finding>) {
    let long = profiles.iter().find(|item| lineage::of(context.catalog, &item.name).len() > MOST_PROFILES);
    if let Some(item) = long {
        let message = format!("profile `{}` and those above it are more than {MOST_PROFILES}", item.name);
        let finding = Finding::new(LIMIT, item.subject(), message).at(item.place.clone());
        findings.push(finding.help("put what they say together into fewer"));
    }
}
