//! An address lies in its network, and is one that a machine can have.
//!
//! Why: a machine with a foreign address is silent on its network. Example: `address "pxe" "10.21.0.5"` where
//! `pxe` is 10.20.0.0/21. Fix: write an address of the network, or name the network that the address is of. Gateways of networks
//! and routes are asked too.

use super::{Context, subject};
use crate::design::read::Item;
use crate::design::resolve::place_in;
use crate::finding::{ADDRESS_OUTSIDE, Finding, Place};
use crate::model::path::Path;
use crate::model::site::Network;
use crate::model::value::Value;
use std::net::Ipv4Addr;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for resolved in context.nodes {
        let addresses = resolved.node.spec.get("addresses").and_then(|value| value.as_map());
        for (name, value) in addresses.into_iter().flatten() {
            let network = context.typed.networks.get(name);
            let address = value.as_str().and_then(|text| text.parse().ok());
            let Some((network, address)) = network.zip(address) else { continue };
            if let Some(why) = unusable(network, address) {
                let path = Path(vec!["addresses".into(), name.clone()]).to_string();
                let place = place_in(&resolved.node, &path);
                findings.push(finding(subject(resolved), &why, network, place));
            }
        }
    }
    for network in context.typed.networks.values() {
        let Some(item) = context.catalog.get("network", &network.name) else { continue };
        for (gateway, place) in gateways(item) {
            if let Some(why) = unusable(network, gateway) {
                findings.push(finding(item.subject(), &why, network, item.place_of(&place)));
            }
        }
    }
}

/// The network's own gateway and those of its routes, each with the key of its place.
fn gateways(item: &Item) -> impl Iterator<Item = (Ipv4Addr, String)> {
    let own = item.tree.str_at("gateway").map(|gateway| (gateway, "gateway".to_string()));
    let routes = item.tree.get("routes").and_then(Value::as_list).unwrap_or_default().iter().enumerate();
    let of_routes = routes
        .filter_map(|(index, route)| Some((route.str_at("gateway")?, format!("routes.{index}.gateway"))));
    own.into_iter().chain(of_routes).filter_map(|(gateway, place)| Some((gateway.parse().ok()?, place)))
}

/// Why no machine of the network can have the address.
pub fn unusable(network: &Network, address: Ipv4Addr) -> Option<String> {
    let cidr = network.cidr;
    let has_ends = cidr.prefix_len() < 31;
    if !cidr.contains(&address) {
        Some(format!("{address} is not in network `{}`, which is {cidr}", network.name))
    } else if has_ends && (address == cidr.network() || address == cidr.broadcast()) {
        Some(format!(
            "{address} is the first or last of network `{}`, which no machine can have",
            network.name
        ))
    } else {
        None
    }
}

fn finding(subject: String, why: &str, network: &Network, place: Place) -> Finding {
    Finding::new(ADDRESS_OUTSIDE, subject, why).at(place).help(hosts(network))
}

/// The way out: which addresses there are.
pub fn hosts(network: &Network) -> String {
    let mut hosts = network.cidr.hosts();
    match (hosts.next(), hosts.next_back()) {
        (Some(first), Some(last)) => format!("write an address from {first} to {last}"),
        _ => format!("write an address of {}", network.cidr),
    }
}
