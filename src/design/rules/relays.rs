//! A DHCP relay has an address of its network, and no other network names the same one.
//!
//! Why: the address of the relay (RFC 2131, `giaddr`) is all that tells from which network a request comes. Example:
//! `relay "10.21.0.4"` in a network 10.20.0.0/21. Fix: write the relay's address on this network.

use super::Context;
use super::address_in_network::{hosts, unusable};
use crate::finding::{Finding, Place, RELAY_INVALID};
use crate::model::path::Path;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut known: BTreeMap<Ipv4Addr, (&str, Place)> = BTreeMap::new();
    for network in context.typed.networks.values() {
        let Some(item) = context.catalog.get("network", &network.name) else { continue };
        for relay in &network.relays {
            let path = Path(vec!["dhcp".into(), "relays".into(), relay.address.to_string().into()]);
            let place = item.places.get(&path).unwrap_or(&item.place).clone();
            let mut find = |message: String, help: String| {
                findings
                    .push(Finding::new(RELAY_INVALID, item.subject(), message).at(place.clone()).help(help));
            };
            if let Some(why) = unusable(network, relay.address) {
                find(why, hosts(network));
            }
            match known.get(&relay.address) {
                None => drop(known.insert(relay.address, (&network.name, place))),
                Some((other, at)) => find(
                    format!("{} is the relay of network `{other}` too", relay.address),
                    format!("the other is at {at}; correct one of the two"),
                ),
            }
        }
    }
}
