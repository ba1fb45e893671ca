//! The groups of a rollout wait for groups of the same rollout, and not in a circle.
//!
//! Why: a group that waits for one that is not there would be worked on too early, or never. Example:
//! `group "workers" on="tag:worker" after="contrl"`. Fix: write the name of a group of the same rollout; remove one
//! `after` of a circle.

use super::Context;
use crate::design::graph;
use crate::design::read::Item;
use crate::finding::{CYCLE, Finding, MISSING_REFERENCE, Place, did_you_mean};
use crate::model::path::Path;
use crate::model::value::Value;
use std::sync::Arc;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    context.catalog.of("rollout").for_each(|rollout| check_one(rollout, findings));
}

fn check_one(rollout: &Item, findings: &mut Vec<Finding>) {
    let Some(groups) = rollout.tree.get("groups").and_then(Value::as_map) else { return };
    let names: Vec<&str> = groups.iter().map(|(name, _)| &**name).collect();
    let mut edges = Vec::new();
    for (position, (group, tree)) in groups.iter().enumerate() {
        let after = tree.get("after").and_then(Value::as_list).unwrap_or_default();
        for (index, before) in after.iter().filter_map(Value::as_str).enumerate() {
            match names.iter().position(|name| *name == before) {
                Some(first) => edges.push((first, position)),
                // A group that could not be read may be it.
                None if rollout.faulty => {}
                None => {
                    let place = place(rollout, group, &["after".into(), index.to_string().into()]);
                    findings.push(unknown(rollout, group, before, place, &names));
                }
            }
        }
    }
    for members in graph::cycles(names.len(), &edges) {
        let named: Vec<String> = members.iter().map(|position| format!("`{}`", names[*position])).collect();
        let message = match named.as_slice() {
            [alone] => format!("group {alone} waits for itself"),
            _ => format!("these groups wait for each other: {}", named.join(", ")),
        };
        let place = place(rollout, &names[members[0]].into(), &[]);
        let finding = Finding::new(CYCLE, rollout.subject(), message).at(place);
        findings.push(finding.help("remove one `after` of the circle"));
    }
}

fn unknown(rollout: &Item, group: &str, wanted: &str, place: Place, names: &[&str]) -> Finding {
    let help = match did_you_mean(wanted, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write the name of a group of the same rollout".to_string(),
    };
    let message = format!("group `{group}` waits for `{wanted}`, which is no group of this rollout");
    Finding::new(MISSING_REFERENCE, rollout.subject(), message).at(place).help(help)
}

/// The place of something in a group, or of the group.
fn place(rollout: &Item, group: &Arc<str>, inside: &[Arc<str>]) -> Place {
    let mut keys = vec![Arc::from("groups"), group.clone()];
    let whole = rollout.places.get(&Path(keys.clone()));
    keys.extend_from_slice(inside);
    rollout.places.get(&Path(keys)).or(whole).unwrap_or(&rollout.place).clone()
}
