//! A BMC's address has the form that its kind speaks to, and lies in its network.
//!
//! Why: Redfish is spoken over HTTP and IPMI over UDP; an address of the other form is reached by neither. Example:
//! `bmc "ipmi" address="https://10.17.1.1"`. Fix: a URL for `redfish`, a host for `ipmi`; with `network=` an IPv4
//! address of that network.

use super::address_in_network::{hosts, unusable};
use super::{Context, subject};
use crate::design::forms::address_of;
use crate::design::resolve::place_in;
use crate::finding::{BMC_ADDRESS, Finding};
use crate::model::site::Network;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for resolved in context.nodes {
        let spec = &resolved.node.spec;
        let Some(address) = spec.str_at("bmc.address") else { continue };
        let mut find = |(message, help): (String, String)| {
            let place = place_in(&resolved.node, "bmc.address");
            findings.push(Finding::new(BMC_ADDRESS, subject(resolved), message).at(place).help(help));
        };
        if let Some(wrong) = form(spec.str_at("bmc.kind").unwrap_or_default(), address) {
            find(wrong);
        }
        let network = spec.str_at("bmc.network").and_then(|name| context.typed.networks.get(name));
        if let Some(wrong) = network.and_then(|network| outside(network, address)) {
            find(wrong);
        }
    }
}

fn form(kind: &str, address: &str) -> Option<(String, String)> {
    match (kind, address.split_once("://")) {
        ("redfish", None) => {
            let message = format!("`{address}` is a host, and Redfish wants a URL");
            Some((message, format!("write \"https://{address}\"")))
        }
        ("ipmi", Some((_, rest))) => {
            let message = format!("`{address}` is a URL, and IPMI wants a host");
            let host = rest.split('/').next().unwrap_or_default();
            Some((message, format!("write \"{host}\"")))
        }
        _ => None,
    }
}

fn outside(network: &Network, address: &str) -> Option<(String, String)> {
    match address_of(address) {
        Some(host) => unusable(network, host).map(|why| (why, hosts(network))),
        None => {
            let message =
                format!("`{address}` names no IPv4 address, as network `{}` wants one", network.name);
            Some((message, hosts(network)))
        }
    }
}
