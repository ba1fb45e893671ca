//! From cables to ports: which port of which switch each interface of a node is plugged into, and what it is to carry.
//!
//! Owns what follows from `cable`, `interface`, `link`, `network` and `hardware` together: `ports` (in production),
//! `boot-ports` (while the machine is installed) and `port-switches` (how their switches are reached) of a node's spec.
//! It is a layer of its own, so that `show --why` names what each value comes from. Judges nothing: what hinders is
//! handed to the rules.

use super::catalog::Catalog;
use super::read::Item;
use super::resolve::{Resolved, place_at};
use super::rules::links::{Link, is_left_alone, texts};
use crate::finding::Place;
use crate::model::path::Path;
use crate::model::site::Layer;
use crate::model::value::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A trunk without a native network carries untagged frames in no VLAN (IEEE 802.1Q: the identifier 0 names none).
const NO_VLAN: i64 = 0;

/// Why nothing, or not everything, can be said of a node's ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The cable does not say its `switch` or its `port`.
    Incomplete { interface: Arc<str>, missing: &'static str },
    /// No interface, no member of one, and not what the machine boots from.
    NoInterface { interface: Arc<str> },
    /// Its port is to carry a network without a VLAN number.
    NoVlan { interface: Arc<str>, network: Arc<str> },
    /// Nothing says which of its cabled interfaces the machine boots from.
    NoBootInterface,
    /// Nothing says which network is the one that it boots from.
    NoBootNetwork { interface: Arc<str> },
}

/// What the cables of one node come to.
#[derive(Default)]
pub struct Wiring {
    ports: Map,
    boot_ports: Map,
    switches: Map,
    places: BTreeMap<Path, Place>,
    pub faults: Vec<Fault>,
}

/// Completes the spec of every node that has cables.
pub fn plug(catalog: &Catalog, nodes: &mut [Resolved]) {
    for resolved in nodes.iter_mut() {
        let Some(wiring) = of(catalog, resolved) else { continue };
        let node = &mut resolved.node;
        let parts =
            [("ports", wiring.ports), ("boot-ports", wiring.boot_ports), ("port-switches", wiring.switches)];
        let tree = Value::map(parts.map(|(name, map)| (name, Value::Map(Arc::new(map)))));
        for (name, value) in tree.as_map().into_iter().flatten() {
            node.spec.put(std::slice::from_ref(name), value.clone());
        }
        node.layers.own.push(Layer {
            label: "its cables".into(),
            written: true,
            tree,
            place: wiring.places.values().next().cloned(),
            places: Arc::new(wiring.places),
        });
    }
}

/// What follows from a node's cables; `None` when it has none.
pub fn of(catalog: &Catalog, resolved: &Resolved) -> Option<Wiring> {
    let cables = resolved.node.spec.get("cables").and_then(Value::as_map).filter(|map| !map.is_empty())?;
    let mut wiring = Wiring::default();
    let plan = Planned { catalog, resolved };
    for (interface, cable) in cables {
        plan.production(interface, cable, &mut wiring);
    }
    plan.boot(cables, &mut wiring);
    Some(wiring)
}

/// What an interface is to the node.
enum Use<'a> {
    /// Somebody else configures its port.
    LeftAlone,
    /// No interface of the node is made of it.
    Idle,
    Carries(Link<'a>),
    /// It is a member of a bond whose own cable names this aggregate of the same switch.
    Member(&'a str),
}

struct Planned<'a> {
    catalog: &'a Catalog,
    resolved: &'a Resolved,
}

impl<'a> Planned<'a> {
    fn spec(&self) -> &'a Value {
        &self.resolved.node.spec
    }

    /// The port's settings when the machine is in production: what its link carries, or shut when nothing uses it.
    fn production(&self, interface: &Arc<str>, cable: &Value, wiring: &mut Wiring) {
        let place = place_at(&self.resolved.node, &Path(vec!["cables".into(), interface.clone()]));
        let (Some(switch), Some(port)) = (cable.str_at("switch-name"), cable.str_at("port")) else {
            let missing = if cable.get("switch-name").is_none() { "switch" } else { "port" };
            return wiring.faults.push(Fault::Incomplete { interface: interface.clone(), missing });
        };
        let used = self.use_of(interface, Some(switch));
        if let Some(item) = self.catalog.get("switch", switch).filter(|_| !matches!(used, Use::LeftAlone)) {
            wiring.place(&["port-switches", switch], &item.place);
            wiring.switches.insert(switch.into(), reached(item));
        }
        let settings = match used {
            Use::LeftAlone => return,
            Use::Idle if !self.is_boot_interface(interface) => {
                return wiring.faults.push(Fault::NoInterface { interface: interface.clone() });
            }
            Use::Idle => Some((shut(), place.clone())),
            Use::Carries(link) => {
                self.carried(interface, &link, wiring).map(|settings| (settings, link.item.place.clone()))
            }
            Use::Member(aggregate) => Some((member(aggregate), place.clone())),
        };
        let Some((mut settings, from)) = settings else { return };
        for (name, value) in [("switch-name", switch), ("port", port)] {
            settings.insert(name.into(), Value::text(value));
            wiring.place(&["ports", interface, name], &place);
        }
        for name in ["enabled", "mode", "native-vlan", "vlans", "aggregate"] {
            wiring.place(&["ports", interface, name], &from);
        }
        wiring.place(&["ports", interface], &place);
        wiring.ports.insert(interface.clone(), Value::Map(Arc::new(settings)));
    }

    /// What the port of an interface is there for; on `switch` it may be a member of an aggregate.
    fn use_of(&self, interface: &str, switch: Option<&str>) -> Use<'a> {
        let interfaces = self.spec().get("interfaces").and_then(Value::as_map).into_iter().flatten();
        let mut found = Use::Idle;
        for (name, own) in interfaces {
            let is_part = || texts(own.get("members")).any(|member| member == interface);
            if &**name != interface && !is_part() {
                continue;
            }
            let link = own.str_at("link").and_then(|link| self.catalog.get("link", link)).map(Link::of);
            match link {
                // Without a link nobody says what its port carries.
                None => return Use::LeftAlone,
                Some(link) if link.leave_alone || is_left_alone(own) => return Use::LeftAlone,
                Some(link) => {
                    if let Some(aggregate) = self.aggregate(name, interface, switch) {
                        return Use::Member(aggregate);
                    }
                    if matches!(found, Use::Idle) {
                        found = Use::Carries(link);
                    }
                }
            }
        }
        found
    }

    /// The aggregate that stands for a bond on the switch, for a member of the bond.
    fn aggregate(&self, bond: &str, interface: &str, switch: Option<&str>) -> Option<&'a str> {
        let cable = self.spec().get("cables")?.get(bond).filter(|_| bond != interface)?;
        cable.str_at("port").filter(|_| cable.str_at("switch-name") == switch)
    }

    /// True for an interface that is made of others: its port is an aggregate.
    fn is_bond(&self, interface: &str) -> bool {
        let own = self.spec().get("interfaces").and_then(|interfaces| interfaces.get(interface));
        own.is_some_and(|own| texts(own.get("members")).next().is_some())
    }

    fn is_boot_interface(&self, interface: &str) -> bool {
        self.spec().str_at("hardware.pxe-interface") == Some(interface)
    }

    /// `None` when a network has no VLAN number.
    fn carried(&self, interface: &Arc<str>, link: &Link<'_>, wiring: &mut Wiring) -> Option<Map> {
        let mut known = true;
        let mut vlan = |network: &str| {
            let vlan = self.vlan(network);
            if vlan.is_none() {
                known = false;
                let (interface, network) = (interface.clone(), network.into());
                wiring.faults.push(Fault::NoVlan { interface, network });
            }
            vlan
        };
        let untagged = link.native.or_else(|| link.allowed.keys().next().copied().filter(|_| !link.trunk));
        let native = untagged.and_then(&mut vlan);
        let tagged = link.allowed.keys().filter(|name| link.trunk && Some(**name) != untagged);
        let mut vlans: Vec<i64> = tagged.filter_map(|name| vlan(name)).collect();
        vlans.sort_unstable();
        let mode = if link.trunk { "trunk" } else { "access" };
        known.then(|| open(mode, native, vlans))
    }

    fn vlan(&self, network: &str) -> Option<i64> {
        self.catalog.get("network", network)?.tree.get("vlan")?.as_int()
    }

    /// While the machine is installed: the boot network, untagged, at the interface that it boots from, and nothing at
    /// any other.
    fn boot(&self, cables: &Map, wiring: &mut Wiring) {
        let Some(image) = self.spec().get("image").filter(|image| image.str_at("name").is_some()) else {
            return;
        };
        let named = self.spec().str_at("hardware.pxe-interface");
        let only = cables.keys().next().filter(|_| cables.len() == 1).map(|name| &**name);
        let Some(interface) = named.or(only) else { return wiring.faults.push(Fault::NoBootInterface) };
        // Where its port is another's, or not cabled, there is nothing to be done for it.
        if !wiring.ports.contains_key(interface) {
            return;
        }
        let interface: Arc<str> = interface.into();
        let Some(network) = self.boot_network(&interface) else {
            return wiring.faults.push(Fault::NoBootNetwork { interface });
        };
        let Some(vlan) = self.vlan(&network.name) else {
            let network = network.name.clone();
            let fault = Fault::NoVlan { interface, network };
            if !wiring.faults.contains(&fault) {
                wiring.faults.push(fault);
            }
            return;
        };
        // An aggregate without members carries nothing.
        let alone: Vec<Arc<str>> = wiring.ports.keys().filter(|name| !self.is_bond(name)).cloned().collect();
        for name in alone {
            wiring.boot_ports.insert(name.clone(), Value::Map(Arc::new(shut())));
            wiring.place(&["boot-ports", &name], &network.place);
        }
        let mut settings = open("access", Some(vlan), Vec::new());
        // Firmware knows no aggregates.
        if wiring.ports.get(&interface).is_some_and(|port| port.get("aggregate").is_some()) {
            settings.insert("aggregate".into(), Value::text(""));
        }
        // Another image is another install, for which the port has to be ready again.
        let text = |word: &str| image.str_at(word).unwrap_or_default();
        let image = format!("{} {}", text("name"), text("checksum"));
        settings.insert("image".into(), Value::from(image));
        wiring.boot_ports.insert(interface, Value::Map(Arc::new(settings)));
    }

    /// Of the networks on which machines are answered: the one that the interface's link has untagged, or allows; else one
    /// on which the node has an address; else the only one.
    fn boot_network(&self, interface: &str) -> Option<&'a Item> {
        let served: Vec<&Item> = self
            .catalog
            .of("network")
            .filter(|item| matches!(item.tree.str_at("dhcp.mode"), Some("server" | "proxy")))
            .collect();
        let named = |name: &str| served.iter().copied().find(|item| &*item.name == name);
        if let Use::Carries(link) = self.use_of(interface, None) {
            let native = link.native.and_then(named);
            if let Some(found) = native.or_else(|| link.allowed.keys().find_map(|name| named(name))) {
                return Some(found);
            }
        }
        let addresses = self.spec().get("addresses").and_then(Value::as_map);
        let addressed = addresses.and_then(|map| map.keys().find_map(|name| named(name)));
        addressed.or_else(|| served.first().copied().filter(|_| served.len() == 1))
    }
}

impl Wiring {
    fn place(&mut self, path: &[&str], place: &Place) {
        self.places.insert(Path(path.iter().map(|key| Arc::from(*key)).collect()), place.clone());
    }
}

fn shut() -> Map {
    [("enabled".into(), Value::Bool(false))].into_iter().collect()
}

fn member(aggregate: &str) -> Map {
    [("enabled".into(), Value::Bool(true)), ("aggregate".into(), Value::text(aggregate))]
        .into_iter()
        .collect()
}

fn open(mode: &str, native: Option<i64>, vlans: Vec<i64>) -> Map {
    [
        ("enabled".into(), Value::Bool(true)),
        ("mode".into(), Value::text(mode)),
        ("native-vlan".into(), Value::Int(native.unwrap_or(NO_VLAN))),
        ("vlans".into(), Value::list(vlans.into_iter().map(Value::Int).collect())),
    ]
    .into_iter()
    .collect()
}

/// How a switch is reached, by the words of its own item.
fn reached(item: &Item) -> Value {
    let words = ["address", "uri", "driver", "user", "password", "ca"];
    Value::map(words.map(|word| (word, item.tree.get(word).cloned().unwrap_or_default())))
}
