//! A network's packets fit through the link that carries it.
//!
//! Why: larger packets are dropped without a word, and only large transfers hang. Example: a network with `mtu 9000`
//! on a link with `mtu 1500`, native or tagged. Fix: lower the network's, or raise the link's.

use super::Context;
use super::links::links;
use crate::finding::{Finding, MTU_EXCEEDS_LINK};
use crate::model::value::Value;
use std::collections::BTreeSet;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for link in links(context).values() {
        let Some(most) = link.item.tree.get("mtu").and_then(Value::as_int) else { continue };
        let carried: BTreeSet<&str> = link.allowed.keys().copied().chain(link.native).collect();
        for network in carried.into_iter().filter_map(|name| context.catalog.get("network", name)) {
            let mtu = network.tree.get("mtu").and_then(Value::as_int);
            let Some(mtu) = mtu.filter(|mtu| *mtu > most) else { continue };
            let message =
                format!("packets of {mtu} bytes do not fit link `{}`, which carries {most}", link.name());
            let place = link.item.place_of("mtu");
            let help = format!("write an MTU of {most} or less, or raise the link's at {place}");
            let finding = Finding::new(MTU_EXCEEDS_LINK, network.subject(), message);
            findings.push(finding.at(network.place_of("mtu")).help(help));
        }
    }
}
