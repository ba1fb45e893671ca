//! The networks of an interface come over its link, and no network comes over two interfaces of a node.
//!
//! Why: the switch drops frames of a network that its port does not carry, and with one network on two interfaces
//! answers leave by the wrong one. Example: `interface "bond0" link="gp" { network "pxe" }` where link `gp` does not
//! allow `pxe`. Fix: allow the network on the link, or name the interface whose link does. An interface with
//! `leave-alone` may share a network.

use super::Context;
use super::interfaces::{self, Fault};
use super::links::{Link, is_left_alone, links, texts};
use crate::finding::{Finding, INTERFACE_NETWORK};
use crate::model::value::Map;
use std::collections::BTreeMap;
use std::sync::Arc;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let links = links(context);
    interfaces::check(context, INTERFACE_NETWORK, |interfaces| judge(interfaces, &links), findings);
}

fn judge(interfaces: &Map, links: &BTreeMap<&str, Link<'_>>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut carried: BTreeMap<&str, &Arc<str>> = BTreeMap::new();
    for (name, interface) in interfaces {
        let left_alone = is_left_alone(interface);
        let link = interface.str_at("link");
        if link.is_none() && !left_alone && texts(interface.get("networks")).next().is_some() {
            let message = format!("interface `{name}` has networks and no link");
            faults.push(Fault::new(name, "link", message, "write link=\"NAME\" at the interface"));
        }
        // A link that is not there is a missing reference; one with a mistake may say more than was read.
        let link = link.and_then(|link| links.get(link)).filter(|link| !link.item.faulty);
        for network in texts(interface.get("networks")) {
            faults.extend(link.and_then(|link| not_allowed(name, network, link)));
            if left_alone {
                continue;
            }
            if let Some(other) = carried.insert(network, name) {
                let message = format!("interfaces `{other}` and `{name}` both carry network `{network}`");
                let help = "keep it on one of them; `!NAME` takes a network out that a profile gives";
                faults.push(Fault::new(name, "networks", message, help).of(network));
            }
        }
    }
    faults
}

fn not_allowed(interface: &Arc<str>, network: &str, link: &Link<'_>) -> Option<Fault> {
    let open = link.leave_alone && link.allowed.is_empty();
    if open || link.allowed.contains_key(network) {
        return None;
    }
    let message = format!(
        "interface `{interface}` wants network `{network}`, which link `{}` does not allow",
        link.name()
    );
    let help = format!("write allow \"{network}\" in the link at {}, or name another link", link.item.place);
    Some(Fault::new(interface, "networks", message, help).of(network))
}
