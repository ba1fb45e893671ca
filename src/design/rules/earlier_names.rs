//! What: `was` names an earlier name that no node has now, and no two nodes claim it. Why: a record is carried over to
//! the node that claims it; one that is still in use, or claimed twice, would end with the wrong machine. Example:
//! `node "b" was="a"` while `node "a"` is there. Fix: take `was` away, or the other node.

use super::{Context, subject};
use crate::finding::{DUPLICATE_NAME, Finding};
use std::collections::{BTreeMap, BTreeSet};

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let names: BTreeSet<&str> = context.nodes.iter().map(|resolved| &*resolved.node.name).collect();
    let mut claimed: BTreeMap<&str, &str> = BTreeMap::new();
    for resolved in context.nodes {
        let Some(was) = resolved.node.was.as_deref() else { continue };
        let other = match names.contains(was) {
            true => Some(format!("`{was}` is the name of a node now")),
            false => {
                claimed.insert(was, &resolved.node.name).map(|first| format!("`{first}` was `{was}` too"))
            }
        };
        if let Some(why) = other {
            let message = format!("it cannot have been `{was}`: {why}");
            let finding = Finding::new(DUPLICATE_NAME, subject(resolved), message);
            findings.push(
                finding
                    .at(resolved.node.place.clone())
                    .help("take `was` away once the record has been carried over, or correct it"),
            );
        }
    }
}
