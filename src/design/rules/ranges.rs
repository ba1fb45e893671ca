//! A range starts before it ends and lies in its network; ranges of one network do not overlap.
//!
//! Why: addresses given out beyond the network reach nobody, and an address given out twice reaches two. Example:
//! `range "static" "10.20.0.250" "10.20.0.10"`. Fix: write both ends in order, inside the CIDR.

use super::Context;
use crate::design::read::Item;
use crate::finding::{Finding, MISSING_VALUE, RANGE_INVALID};
use crate::model::site::{Network, Range};

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for network in context.typed.networks.values() {
        if let Some(item) = context.catalog.get("network", &network.name) {
            check_network(network, item, findings);
        }
    }
}

fn check_network(network: &Network, item: &Item, findings: &mut Vec<Finding>) {
    if network.dhcp.is_none() && item.tree.str_at("dhcp.mode") == Some("server") && !item.faulty {
        let message = format!("network `{}` is to be served by DHCP and has no range to give", network.name);
        let finding = Finding::new(MISSING_VALUE, item.subject(), message).at(item.place_of("dhcp"));
        findings
            .push(finding.help("write range FIRST LAST in the braces of dhcp, or range \"dhcp\" FIRST LAST"));
    }
    let mut find = |place: &str, message: String, help: String| {
        let finding = Finding::new(RANGE_INVALID, item.subject(), message);
        findings.push(finding.at(item.place_of(place)).help(help));
    };
    let ranges = ranges(network);
    for (range, place) in &ranges {
        let Range { first, last, .. } = range;
        if first > last {
            find(
                place,
                format!("the range {first} to {last} ends before it starts"),
                format!("write {last} {first}"),
            );
        } else if !network.cidr.contains(first) || !network.cidr.contains(last) {
            let help = format!("write addresses of {}", network.cidr);
            find(place, format!("the range {first} to {last} leaves network `{}`", network.name), help);
        }
    }
    let mut sorted: Vec<&(&Range, String)> =
        ranges.iter().filter(|(range, _)| range.first <= range.last).collect();
    sorted.sort_by_key(|(range, _)| (range.first, range.last));
    for pair in sorted.windows(2) {
        let [(before, _), (range, place)] = pair else { continue };
        if range.first <= before.last {
            let message =
                format!("the {} range overlaps the {} range up to {}", range.kind, before.kind, before.last);
            find(place, message, "let each address be in one range".to_string());
        }
    }
}

/// Every range with the key of its place.
fn ranges(network: &Network) -> Vec<(&Range, String)> {
    let written =
        network.ranges.iter().enumerate().map(|(index, range)| (range, format!("ranges.{index}.first")));
    // The server may share a range that is written for all servers.
    let own = |range: &&Range| !network.ranges.contains(range);
    let dynamic = network.dhcp.iter().map(|dhcp| &dhcp.range).filter(own);
    written.chain(dynamic.map(|range| (range, "dhcp.first".to_string()))).collect()
}
