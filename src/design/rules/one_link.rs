//! A network is carried by one link.
//!
//! Why: what a port must carry follows from its link; a network on two kinds of ports has no one answer for its MTU,
//! its tags and its bond. Example: two links that `allow "prod"`. Fix: allow it on one; a link that is somebody else's
//! (`leave-alone`) may carry it too.

use super::Context;
use super::links::{Link, links, named};
use crate::finding::{Finding, NETWORK_ON_LINKS};
use std::collections::BTreeMap;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let links = links(context);
    let mut carriers: BTreeMap<&str, Vec<&Link<'_>>> = BTreeMap::new();
    for link in links.values().filter(|link| !link.leave_alone) {
        let known = |network: &&&str| context.catalog.get("network", network).is_some();
        for network in link.allowed.keys().filter(known) {
            carriers.entry(network).or_default().push(link);
        }
    }
    for (network, carriers) in carriers {
        let [first, second, ..] = carriers.as_slice() else { continue };
        let names = named(carriers.iter().map(|link| link.name()));
        let message = format!("it is allowed on the links {names}");
        let help = format!("allow it on one of them; the first is at {}", first.place_of(network));
        let subject = format!("network \"{network}\"");
        findings
            .push(Finding::new(NETWORK_ON_LINKS, subject, message).at(second.place_of(network)).help(help));
    }
}
