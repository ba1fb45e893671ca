//! The name of a node is a host name (RFC 1123, section 2.1).
//!
//! Why: it becomes the machine's host name and a part of file names and URLs. Example: `node "r1_n01"`. Fix:
//! letters, digits and hyphens, at most 63 in each part, no hyphen at either end.

use super::{Context, subject};
use crate::design::forms::is_host_name;
use crate::finding::{Finding, NAME_INVALID};

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for resolved in context.nodes.iter().filter(|resolved| !is_host_name(&resolved.node.name)) {
        let message = format!("`{}` is not a host name", resolved.node.name);
        let finding = Finding::new(NAME_INVALID, subject(resolved), message).at(resolved.node.place.clone());
        findings.push(
            finding.help("write letters, digits and hyphens, at most 63, with no hyphen at either end"),
        );
    }
}
