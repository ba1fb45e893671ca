//! The options of a bond fit its mode, and interfaces fit their link's bond.
//!
//! Why: the Linux bonding driver ignores or refuses an option that its mode does not know, and the machine comes up
//! without its network. Example: `bond "active-backup" hash="layer3+4"`. Fix: remove the option, or choose the mode
//! that has it; an interface with several members needs a link with a bond.

use super::Context;
use super::interfaces::{self, Fault};
use super::links::{Link, is_left_alone, links, named, texts};
use crate::finding::{BONDING, Finding};
use crate::model::value::{Map, Value};
use std::collections::BTreeMap;

/// Which modes know an option (Linux, Documentation/networking/bonding.rst).
const MODES: &[(&str, &[&str])] =
    &[("hash", &["802.3ad", "balance-xor", "balance-tlb"]), ("peer-rate", &["802.3ad"])];

const OPTIONS: &[&str] = &["hash", "peer-rate", "monitor-rate", "up-delay", "down-delay"];

/// Delays are counted in polls of the monitor.
const DELAYS: &[&str] = &["up-delay", "down-delay"];

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let links = links(context);
    for link in links.values() {
        options(link, findings);
    }
    interfaces::check(context, BONDING, |interfaces| members(interfaces, &links), findings);
}

fn options(link: &Link<'_>, findings: &mut Vec<Finding>) {
    let Some(bond) = link.item.tree.get("bond") else { return };
    let mut find = |option: &str, message: String, help: String| {
        let place = link.item.place_of(&format!("bond.{option}"));
        findings.push(Finding::new(BONDING, link.item.subject(), message).at(place).help(help));
    };
    let Some(mode) = link.bond else {
        for option in OPTIONS.iter().filter(|option| bond.get(option).is_some()) {
            find(option, format!("`{option}=` needs a bond, and this one is disabled"), "remove it".into());
        }
        return;
    };
    for (option, modes) in MODES.iter().filter(|(option, _)| bond.get(option).is_some()) {
        if !modes.contains(&mode) {
            let help = format!("remove it; modes that have it: {}", named(modes.iter().copied()));
            find(option, format!("a bond of mode {mode} has no `{option}=`"), help);
        }
    }
    // A monitor that was refused is not known to be missing.
    let monitor = bond.get("monitor-rate").and_then(Value::as_int).filter(|rate| *rate > 0);
    for delay in DELAYS {
        let Some(wait) = bond.get(delay).and_then(Value::as_int).filter(|wait| *wait > 0) else { continue };
        match monitor {
            None if link.item.faulty => {}
            None => {
                let help = "write monitor-rate=100, or remove the delay";
                find(delay, format!("`{delay}=` needs a `monitor-rate=` above 0"), help.into());
            }
            Some(rate) if wait % rate != 0 => {
                let message = format!("{wait} ms are no multiple of the monitor's {rate} ms");
                let near =
                    if wait % rate * 2 < rate { wait - wait % rate } else { wait - wait % rate + rate };
                find(delay, message, format!("write {delay}={}", near.max(rate)));
            }
            Some(_) => {}
        }
    }
}

fn members(interfaces: &Map, links: &BTreeMap<&str, Link<'_>>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, interface) in interfaces.iter().filter(|(_, interface)| !is_left_alone(interface)) {
        let members = texts(interface.get("members")).count();
        let named = interface.str_at("link");
        let link = named.and_then(|link| links.get(link));
        // What a missing or faulty link says is not known.
        if link.is_none() && named.is_some() || link.is_some_and(|link| link.item.faulty || link.leave_alone)
        {
            continue;
        }
        match link.and_then(|link| link.bond.map(|_| link.name())) {
            Some(link) if members == 0 => {
                let message = format!("interface `{name}` is a bond on link `{link}` and has no members");
                faults.push(Fault::new(name, "link", message, "write members \"NIC\" \"NIC\""));
            }
            None if members > 1 => {
                let message = format!("interface `{name}` has {members} members and no bond");
                let help = "name a link with bond \"MODE\", or keep one member";
                faults.push(Fault::new(name, "members", message, help));
            }
            _ => {}
        }
    }
    faults
}
