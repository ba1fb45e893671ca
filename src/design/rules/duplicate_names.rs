//! A name stands once for each kind, and once among all nodes, however they are written.
//!
//! Why: references are by name. Example: two `profile "base"`, or a `node` that a `nodes` block makes too. Fix:
//! rename one. A task or blueprint of the standard library may be written again: that replaces it.

use super::{Context, subject};
use crate::finding::{DUPLICATE_NAME, Finding};

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (first, second) in &context.catalog.duplicates {
        let (first, second) = (context.catalog.item(*first), context.catalog.item(*second));
        let message = format!("there are two of {}; the other is at {}", first.subject(), first.place);
        let finding = Finding::new(DUPLICATE_NAME, second.subject(), message).at(second.place.clone());
        findings.push(finding.help("rename one of the two"));
    }
    for pair in context.nodes.windows(2) {
        let [first, second] = pair else { continue };
        if first.node.name == second.node.name {
            let message =
                format!("there are two of {}; the other is at {}", subject(first), first.node.place);
            let finding =
                Finding::new(DUPLICATE_NAME, subject(second), message).at(second.node.place.clone());
            findings.push(finding.help("let the patterns make different names"));
        }
    }
}
