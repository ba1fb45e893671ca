//! An address that somebody wrote is one that a node may have: of a static range, and of no other.
//!
//! Why: an address of the DHCP range is given to another machine some day, and a reserved one belongs to somebody.
//! Example: `address "prod" "10.21.0.5"` where `range "static" "10.21.0.10" "10.21.15.250"`. Fix: write an address of
//! the static range, or correct the ranges. BMCs with `network=` are asked too. A node may be the gateway or a relay of
//! its network, whatever the ranges are; a BMC is neither.

use super::{Context, subject};
use crate::design::forms::address_of;
use crate::design::resolve::{Resolved, place_at};
use crate::finding::{ADDRESS_NOT_STATIC, Finding};
use crate::model::path::Path;
use crate::model::site::Network;
use std::collections::HashMap;
use std::net::Ipv4Addr;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let networks: HashMap<&str, Ranges> =
        context.typed.networks.iter().map(|(name, network)| (&**name, Ranges::of(network))).collect();
    for resolved in context.nodes {
        let spec = &resolved.node.spec;
        let mut ask = |network: &str, address: Option<Ipv4Addr>, is_bmc: bool, path: &dyn Fn() -> Path| {
            let Some((ranges, address)) = networks.get(network).zip(address) else { return };
            if let Some(why) = ranges.refuse(address, is_bmc) {
                findings.push(finding(resolved, ranges, &why, &path()));
            }
        };
        for (network, value) in spec.get("addresses").and_then(|value| value.as_map()).into_iter().flatten() {
            let address = value.as_str().and_then(|text| text.parse().ok());
            ask(network, address, false, &|| Path(vec!["addresses".into(), network.clone()]));
        }
        if let Some(network) = spec.str_at("bmc.network") {
            let address = spec.str_at("bmc.address").and_then(address_of);
            ask(network, address, true, &|| Path::parse("bmc.address"));
        }
    }
}

fn finding(resolved: &Resolved, ranges: &Ranges, why: &str, path: &Path) -> Finding {
    let help = match ranges.allowed.0.first() {
        Some((first, last)) => format!("write an address from {first} to {last}, or correct the ranges"),
        None => "write another address, or correct the ranges".to_string(),
    };
    let place = place_at(&resolved.node, path);
    Finding::new(ADDRESS_NOT_STATIC, subject(resolved), why).at(place).help(help)
}

/// What a network says of its addresses, made once for all nodes.
struct Ranges<'a> {
    network: &'a Network,
    allowed: Spans,
    dynamic: Spans,
    reserved: Spans,
    has_static: bool,
}

impl<'a> Ranges<'a> {
    fn of(network: &'a Network) -> Ranges<'a> {
        let kind = |kind: &'static str| {
            let written = network.ranges.iter().chain(network.dhcp.iter().map(|dhcp| &dhcp.range));
            Spans::of(
                written
                    .filter(move |range| &*range.kind == kind)
                    .map(|range| (range.first, range.last))
                    .collect(),
            )
        };
        Ranges {
            network,
            allowed: kind("static"),
            dynamic: kind("dhcp"),
            reserved: kind("reserved"),
            has_static: network.ranges.iter().any(|range| &*range.kind == "static"),
        }
    }

    /// Why no node may have the address. One outside the network is another rule's.
    fn refuse(&self, address: Ipv4Addr, is_bmc: bool) -> Option<String> {
        let Network { name, gateway, relays, .. } = self.network;
        let is = |what: &str| Some(format!("{address} is {what} of network `{name}`"));
        let is_gateway = *gateway == Some(address);
        let is_relay = relays.iter().any(|relay| relay.address == address);
        if !self.network.cidr.contains(&address) || (!is_bmc && (is_gateway || is_relay)) {
            None
        } else if is_gateway {
            is("the gateway")
        } else if is_relay {
            is("a DHCP relay")
        } else if self.dynamic.hold(address) {
            is("in the dhcp range")
        } else if self.reserved.hold(address) {
            is("in a reserved range")
        } else if self.has_static && !self.allowed.hold(address) {
            is("in no static range")
        } else {
            None
        }
    }
}

/// Addresses from first to last, both included, apart from each other and in order.
struct Spans(Vec<(Ipv4Addr, Ipv4Addr)>);

impl Spans {
    fn of(mut spans: Vec<(Ipv4Addr, Ipv4Addr)>) -> Spans {
        spans.retain(|(first, last)| first <= last);
        spans.sort_unstable();
        let mut apart: Vec<(Ipv4Addr, Ipv4Addr)> = Vec::with_capacity(spans.len());
        for (first, last) in spans {
            match apart.last_mut() {
                Some(before) if first <= before.1 => before.1 = before.1.max(last),
                _ => apart.push((first, last)),
            }
        }
        Spans(apart)
    }

    fn hold(&self, address: Ipv4Addr) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= address);
        after.checked_sub(1).is_some_and(|at| address <= self.0[at].1)
    }
}
