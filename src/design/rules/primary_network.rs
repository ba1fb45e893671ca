//! A node's primary network is one on which it has an address and an interface.
//!
//! Why: its host name and its way out are those of the primary network; without an address there it has neither.
//! Example: `primary-network "prod"` in a profile, and a node without `address "prod"`. Fix: write the address, which
//! may be `dhcp` or `auto`, and the network in one of its interfaces.

use super::links::texts;
use super::{Context, interfaces, subject};
use crate::design::resolve::place_in;
use crate::finding::{Finding, PRIMARY_NETWORK, Place};

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for resolved in context.sure_nodes() {
        let spec = &resolved.node.spec;
        let Some(network) = spec.str_at("primary-network") else { continue };
        let mut find = |place: Place, message: String, help: String| {
            findings.push(Finding::new(PRIMARY_NETWORK, subject(resolved), message).at(place).help(help));
        };
        let name = &resolved.node.name;
        if spec.get("addresses").and_then(|held| held.get(network)).is_none_or(|address| address.is_null()) {
            find(
                // Nobody wrote it, so no layer is the place.
                resolved.node.place.clone(),
                format!("node `{name}` has no address on its primary network `{network}`"),
                format!("write address \"{network}\" \"auto\", or an address of the network"),
            );
        }
        let carried = interfaces::of(resolved).is_none_or(|interfaces| {
            let mut networks = interfaces.values().flat_map(|interface| texts(interface.get("networks")));
            networks.any(|carried| carried == network)
        });
        if !carried {
            find(
                place_in(&resolved.node, "primary-network"),
                format!("no interface of node `{name}` carries its primary network `{network}`"),
                format!("write network \"{network}\" in one of its interfaces"),
            );
        }
    }
}
