//! A node that leaves its address to us gets one.
//!
//! Why: a node without the address that its design promises is not what was approved. Example: `address "prod"
//! "auto"` where `prod` has no `range "static"`, or fewer addresses than nodes. Fix: write or widen the range.

use super::Context;
use crate::design::resolve::place_at;
use crate::finding::{ADDRESSES_EXHAUSTED, Finding};
use crate::model::path::Path;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (network, name) in &context.without_address {
        let found = context.nodes.binary_search_by(|resolved| resolved.node.name.cmp(name));
        let Some(resolved) = found.ok().map(|index| &context.nodes[index]) else { continue };
        let ranges = context.typed.networks.get(network).map(|network| network.ranges.as_slice());
        let has_static = ranges.unwrap_or_default().iter().any(|range| &*range.kind == "static");
        let (message, help) = match has_static {
            false => (
                format!("network `{network}` has no static range from which `{name}` could get an address"),
                "write range \"static\" FIRST LAST in the network",
            ),
            true => (
                format!("network `{network}` has no address left for `{name}`"),
                "widen the static range of the network, or name the address",
            ),
        };
        let place = place_at(&resolved.node, &Path(vec!["addresses".into(), network.clone()]));
        findings
            .push(Finding::new(ADDRESSES_EXHAUSTED, super::subject(resolved), message).at(place).help(help));
    }
}
