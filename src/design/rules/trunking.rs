//! A link tells the networks that it carries apart.
//!
//! Why: frames of a network without a tag of its own end in another one. Example: a link that allows two networks
//! without `trunk`, or two tagged networks with one VLAN. Fix: write `trunk native="…"` and a `vlan` in every other
//! network, or allow one network only. `trunk mode="disabled" native="x"` with `allow "x"` says the same as `allow "x"`.

use super::Context;
use super::links::{Link, links, named};
use crate::finding::{Finding, Place, TRUNKING};
use crate::model::value::Value;
use std::collections::BTreeMap;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    // A link with a mistake of its own may say more than was read.
    for link in links(context).values().filter(|link| !link.item.faulty) {
        native(link, findings);
        match link.trunk {
            true => vlans(context, link, findings),
            false => single(link, findings),
        }
    }
}

fn finding(link: &Link<'_>, place: Place, message: String, help: impl Into<String>) -> Finding {
    Finding::new(TRUNKING, link.item.subject(), message).at(place).help(help)
}

fn native(link: &Link<'_>, findings: &mut Vec<Finding>) {
    let Some(native) = link.native.filter(|native| !link.allowed.contains_key(native)) else { return };
    if !link.leave_alone || !link.allowed.is_empty() {
        let message = format!("its native network `{native}` is not one of those that it allows");
        let place = link.item.place_of("trunk.native");
        findings.push(finding(link, place, message, format!("write allow \"{native}\" as well")));
    }
}

/// Without tags a link carries one network.
fn single(link: &Link<'_>, findings: &mut Vec<Finding>) {
    match link.allowed.len() {
        0 if link.leave_alone || link.native.is_some() => {}
        0 => {
            let message = "it carries no network".to_string();
            let help = "write allow \"NETWORK\", or leave-alone #true";
            findings.push(finding(link, link.item.place.clone(), message, help));
        }
        1 => {}
        _ => {
            let mut in_order: Vec<(&usize, &&str)> =
                link.allowed.iter().map(|(name, index)| (index, name)).collect();
            in_order.sort();
            let names = named(in_order.iter().map(|(_, name)| **name));
            let place = in_order.get(1).map(|(_, name)| link.place_of(name));
            let message = format!("it allows {names}, and without a trunk it carries one network only");
            let help = "write trunk mode=\"802.1q\", or allow one network";
            findings.push(finding(link, place.unwrap_or_else(|| link.item.place.clone()), message, help));
        }
    }
}

/// Every network but the native has a VLAN, and no two have the same.
fn vlans(context: &Context<'_>, link: &Link<'_>, findings: &mut Vec<Finding>) {
    let mut taken: BTreeMap<i64, &str> = BTreeMap::new();
    for name in link.allowed.keys() {
        let Some(network) = context.catalog.get("network", name) else { continue };
        let vlan = network.tree.get("vlan").and_then(Value::as_int);
        match vlan {
            None if link.native == Some(name) || network.faulty => {}
            None => {
                let message = format!("network `{name}` is tagged and has no VLAN");
                let help = format!("write vlan NUMBER in network `{name}`, or make it the native network");
                findings.push(finding(link, link.place_of(name), message, help));
            }
            Some(vlan) => {
                if let Some(other) = taken.insert(vlan, name) {
                    let message = format!("networks `{other}` and `{name}` both have VLAN {vlan}");
                    let help = "give each network of a link a VLAN of its own";
                    findings.push(finding(link, link.place_of(name), message, help));
                }
            }
        }
    }
}
