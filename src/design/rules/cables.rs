//! A cable names a switch, a port, and an interface of its node; what its port is to carry has VLAN numbers.
//!
//! Why: a port that nobody can name is a port that somebody configures by hand, and a slip in an interface's name leaves
//! its port as it is. Example: `cable "nic11" switch="sw1" port="Ethernet1/5"` where the interface is `nic1`. Fix: correct
//! the name, or write what is missing; the parts of a cable may stand in the rack and in the node.

use super::{Context, allowing, installs, subject};
use crate::design::resolve::{Resolved, place_at};
use crate::design::wiring::{self, Fault};
use crate::finding::{CABLE, Finding, PORT_VLAN, Place, did_you_mean};
use crate::model::path::Path;
use crate::model::value::Value;
use std::collections::HashSet;
use std::sync::Arc;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let names = |nodes: &mut dyn Iterator<Item = &Resolved>| -> HashSet<Arc<str>> {
        nodes.map(|resolved| resolved.node.name.clone()).collect()
    };
    let worked_on = names(&mut allowing(context, "port"));
    let installed = names(&mut installs(context));
    for resolved in context.sure_nodes() {
        let Some(wiring) = wiring::of(context.catalog, resolved) else { continue };
        for fault in &wiring.faults {
            let name = &resolved.node.name;
            let counts = match fault {
                Fault::Incomplete { .. } | Fault::NoInterface { .. } => true,
                // Who only writes down where cables lead needs no VLANs.
                Fault::NoVlan { .. } => worked_on.contains(name),
                Fault::NoBootInterface | Fault::NoBootNetwork { .. } => {
                    worked_on.contains(name) && installed.contains(name)
                }
            };
            if counts {
                findings.push(finding(context, resolved, fault));
            }
        }
    }
}

fn finding(context: &Context<'_>, resolved: &Resolved, fault: &Fault) -> Finding {
    let node = &resolved.node;
    let at = |interface: &Arc<str>| place_at(node, &Path(vec!["cables".into(), interface.clone()]));
    let (code, message, place, help) = match fault {
        Fault::Incomplete { interface, missing } => (
            CABLE,
            format!("the cable of `{interface}` names no {missing}"),
            at(interface),
            format!("write {missing}=\"…\" at the cable, in the node or in its rack"),
        ),
        Fault::NoInterface { interface } => (
            CABLE,
            format!("node `{}` has no interface `{interface}`, and none that it is a member of", node.name),
            at(interface),
            suggestion(resolved, interface),
        ),
        Fault::NoVlan { interface, network } => (
            PORT_VLAN,
            format!("the port of `{interface}` is to carry network `{network}`, which has no VLAN"),
            network_place(context, network).unwrap_or_else(|| at(interface)),
            format!(
                "write vlan NUMBER in network `{network}`; untagged networks have one on the switch, too"
            ),
        ),
        Fault::NoBootInterface => (
            PORT_VLAN,
            format!(
                "node `{}` has several cables, and nothing says which interface it boots from",
                node.name
            ),
            node.place.clone(),
            "write pxe-interface \"NAME\" in its hardware".into(),
        ),
        Fault::NoBootNetwork { interface } => (
            PORT_VLAN,
            format!("nothing says which network node `{}` boots from at `{interface}`", node.name),
            at(interface),
            "write dhcp mode=\"server\" in that network, and the network in the interface's link".into(),
        ),
    };
    Finding::new(code, subject(resolved), message).at(place).help(help)
}

fn network_place(context: &Context<'_>, network: &str) -> Option<Place> {
    context.catalog.get("network", network).map(|item| item.place.clone())
}

fn suggestion(resolved: &Resolved, interface: &str) -> String {
    let interfaces = resolved.node.spec.get("interfaces").and_then(Value::as_map);
    let own = interfaces.into_iter().flatten();
    let names: Vec<&str> = own
        .flat_map(|(name, own)| super::links::texts(own.get("members")).chain([&**name]))
        .chain(resolved.node.spec.str_at("hardware.pxe-interface"))
        .collect();
    match did_you_mean(interface, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "name an interface, a member of one, or the hardware's pxe-interface".into(),
    }
}
