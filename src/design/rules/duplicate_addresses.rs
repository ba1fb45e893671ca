//! No two nodes have the same address, boot MAC or BMC.
//!
//! Why: work meant for one machine would reach another. Example: two nodes with boot-mac 52:54:00:12:34:01, or a node
//! with the address of another's BMC in one network. Fix: correct one of the two. Several machines behind one BMC
//! differ in `system=`, and each says which it is.

use super::{Context, subject};
use crate::design::forms::address_of;
use crate::design::resolve::{Resolved, place_at};
use crate::finding::{DUPLICATE_ADDRESS, Finding};
use crate::model::path::Path;
use crate::model::value::Value;
use crate::units::Mac;
use std::collections::HashMap;
use std::net::Ipv4Addr;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut seen = Seen::default();
    for resolved in context.nodes {
        seen.addresses(resolved, findings);
        seen.boot_mac(resolved, findings);
        seen.bmc(resolved, findings);
    }
}

type InNetwork<'a> = (&'a str, Ipv4Addr);

/// The nodes behind one BMC.
struct Bmc<'a> {
    first: &'a Resolved,
    /// The first that does not say which of the systems it is.
    any: Option<&'a Resolved>,
    systems: HashMap<&'a str, &'a Resolved>,
}

impl<'a> Bmc<'a> {
    /// Adds a node, and gives one that may be the same machine.
    fn add(&mut self, system: Option<&'a str>, resolved: &'a Resolved) -> Option<&'a Resolved> {
        let other = match system {
            Some(system) => self.systems.get(system).copied().or(self.any),
            None => Some(self.first),
        };
        match system {
            Some(system) => drop(self.systems.entry(system).or_insert(resolved)),
            None => drop(self.any.get_or_insert(resolved)),
        }
        other.filter(|other| !std::ptr::eq(*other, resolved))
    }
}

/// Who had what first.
#[derive(Default)]
struct Seen<'a> {
    addresses: HashMap<InNetwork<'a>, &'a Resolved>,
    /// The addresses of BMCs that name their network.
    bmc_addresses: HashMap<InNetwork<'a>, &'a Resolved>,
    boot_macs: HashMap<Mac, &'a Resolved>,
    bmcs: HashMap<String, Bmc<'a>>,
}

impl<'a> Seen<'a> {
    fn addresses(&mut self, resolved: &'a Resolved, findings: &mut Vec<Finding>) {
        let addresses = resolved.node.spec.get("addresses").and_then(Value::as_map);
        for (network, address) in addresses.into_iter().flatten() {
            let Some(address) = address.as_str().and_then(|text| text.parse().ok()) else { continue };
            let what = || format!("address {address} in network `{network}`");
            let of_bmc = self.bmc_addresses.get(&(&**network, address));
            if let Some(other) = of_bmc.filter(|other| !std::ptr::eq(**other, resolved)) {
                findings.push(collision((resolved, Of::Node(network)), (other, Of::Bmc), &what()));
            }
            match self.addresses.get(&(&**network, address)) {
                None => drop(self.addresses.insert((network, address), resolved)),
                Some(other) => {
                    findings.push(collision(
                        (resolved, Of::Node(network)),
                        (other, Of::Node(network)),
                        &what(),
                    ));
                }
            }
        }
    }

    fn boot_mac(&mut self, resolved: &'a Resolved, findings: &mut Vec<Finding>) {
        let Some(mac) = resolved.node.boot_mac else { return };
        match self.boot_macs.get(&mac) {
            None => drop(self.boot_macs.insert(mac, resolved)),
            Some(other) => {
                let what = format!("boot MAC {mac}");
                findings.push(collision((resolved, Of::BootMac), (other, Of::BootMac), &what));
            }
        }
    }

    fn bmc(&mut self, resolved: &'a Resolved, findings: &mut Vec<Finding>) {
        let spec = &resolved.node.spec;
        let Some(address) = spec.str_at("bmc.address") else { return };
        let system = spec.str_at("bmc.system");
        let fresh = || Bmc { first: resolved, any: None, systems: HashMap::new() };
        if let Some(other) = self.bmcs.entry(host(address)).or_insert_with(fresh).add(system, resolved) {
            let address = address.trim_end_matches('/');
            let what = match system.filter(|_| other.node.spec.str_at("bmc.system").is_some()) {
                Some(system) => format!("BMC {address} and system `{system}`"),
                None => format!("BMC {address}"),
            };
            findings.push(collision((resolved, Of::BmcItself), (other, Of::BmcItself), &what));
        }
        let Some(place) = spec.str_at("bmc.network").zip(address_of(address)) else { return };
        match self.addresses.get(&place) {
            Some(other) if !std::ptr::eq(*other, resolved) => {
                let what = format!("address {} in network `{}`", place.1, place.0);
                findings.push(collision((resolved, Of::Bmc), (other, Of::Node(place.0)), &what));
            }
            _ => drop(self.bmc_addresses.entry(place).or_insert(resolved)),
        }
    }
}

/// Host and port of a BMC: whatever else stands in an address, or is left out, leads to the same one.
fn host(address: &str) -> String {
    let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => ":623",
    };
    host.strip_suffix(port).map(str::to_string).unwrap_or(host)
}

/// What of a node collides.
#[derive(Clone, Copy)]
enum Of<'a> {
    /// Its address in a network.
    Node(&'a str),
    BootMac,
    /// The address of its BMC, as one of a network.
    Bmc,
    /// The BMC itself.
    BmcItself,
}

impl Of<'_> {
    fn path(self) -> Path {
        match self {
            Of::Node(network) => Path(vec!["addresses".into(), network.into()]),
            Of::BootMac => Path(vec!["boot-mac".into()]),
            Of::Bmc | Of::BmcItself => Path(vec!["bmc".into(), "address".into()]),
        }
    }

    fn called(self, resolved: &Resolved) -> String {
        match self {
            Of::Bmc => format!("the BMC of node `{}`", resolved.node.name),
            _ => format!("node `{}`", resolved.node.name),
        }
    }
}

fn collision(this: (&Resolved, Of<'_>), other: (&Resolved, Of<'_>), what: &str) -> Finding {
    let message = format!("{} has the same {what} as {}", this.1.called(this.0), other.1.called(other.0));
    let place = place_at(&this.0.node, &this.1.path());
    let other_place = place_at(&other.0.node, &other.1.path());
    let help = match other_place == place {
        true => "let the value vary from node to node, such as with a variable of the block".to_string(),
        false => format!("the other is at {other_place}; correct one of the two"),
    };
    Finding::new(DUPLICATE_ADDRESS, subject(this.0), message).at(place).help(help)
}
