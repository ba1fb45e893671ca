//! The name of a node is a host name (RFC 1123, section 2.1).
//!
//! Why: it becomes the machine's host name and a part of file names and URLs. Example: `node "r1_n01"`. Fix:
//! letters, digits and hyphens, at most 63 in each part, no hyphen at either end.

use super::{Context, subject};
use crate::finding::{Finding, NAME_INVALID};

const LONGEST: usize = 253;
const LONGEST_PART: usize = 63;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for resolved in context.nodes.iter().filter(|resolved| !is_host_name(&resolved.node.name)) {
        let message = format!("`{}` is not a host name", resolved.node.name);
        let finding = Finding::new(NAME_INVALID, subject(resolved), message).at(resolved.node.place.clone());
        findings.push(
            finding.help("write letters, digits and hyphens, at most 63, with no hyphen at either end"),
        );
    }
}

fn is_host_name(name: &str) -> bool {
    let part = |part: &str| {
        (1..=LONGEST_PART).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    name.len() <= LONGEST && name.split('.').all(part)
}
