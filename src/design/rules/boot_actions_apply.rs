//! Where a design has boot-actions, each node has one.
//!
//! Why: a node that every selector leaves out is usually forgotten, and comes up bare beside its neighbours.
//! Example: one `boot-action "motd" { on "tag:k8s" }` and a node without the tag. Fix: correct a selector, or leave
//! it as it is: this is a warning only, because a node may be bare on purpose.

use super::selectors::MOST_ASKED;
use super::{Context, subject};
use crate::design::resolve::Resolved;
use crate::design::selector::Selector;
use crate::finding::{Finding, WITHOUT_BOOT_ACTION};
use std::collections::HashSet;
use std::sync::Arc;

/// Nodes that the message names.
const MOST_NAMED: usize = 3;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    // What a faulty selector would choose nobody knows.
    if let Some(covered) = covered(context).filter(|_| !context.catalog.broken) {
        let bare: Vec<&Resolved> =
            context.sure_nodes().filter(|resolved| !covered.contains(&resolved.node.name)).collect();
        findings.extend(finding(&bare));
    }
}

/// The nodes that some boot-action chooses; `None` when one chooses all, or cannot be understood.
fn covered(context: &Context<'_>) -> Option<HashSet<Arc<str>>> {
    let mut actions = context.catalog.of("boot-action").peekable();
    actions.peek()?;
    let (mut covered, mut asked) = (HashSet::new(), 0usize);
    for action in actions {
        if action.faulty || action.selectors.is_empty() {
            return None;
        }
        for (text, _) in &action.selectors {
            asked += context.nodes.len();
            if asked > MOST_ASKED {
                return None;
            }
            let nodes = context.nodes.iter().map(|resolved| &resolved.node);
            let declared = |kind| context.catalog.names(kind).collect();
            covered.extend(Selector::parse(text).ok()?.choose(nodes, &declared).ok()?);
        }
    }
    Some(covered)
}

fn finding(bare: &[&Resolved]) -> Option<Finding> {
    let first = bare.first()?;
    let named: Vec<String> =
        bare.iter().take(MOST_NAMED).map(|resolved| format!("`{}`", resolved.node.name)).collect();
    let which = match bare.len() {
        1 => format!("node {}", named[0]),
        count if count <= MOST_NAMED => format!("the nodes {}", named.join(", ")),
        count => format!("{count} nodes: {} and {} more", named.join(", "), count - MOST_NAMED),
    };
    let finding =
        Finding::new(WITHOUT_BOOT_ACTION, subject(first), format!("no boot-action applies to {which}"));
    Some(finding.at(first.node.place.clone()).help("correct the on of a boot-action, or leave it as it is"))
}
