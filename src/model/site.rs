//! The design compiled: every node's complete spec, the tasks, the blueprints, the networks.

use super::blueprint::Blueprint;
use super::image::Folder;
use super::path::Path;
use super::revision::Revision;
use super::task::{Script, Task};
use super::value::Value;
use crate::finding::Place;
use crate::units::Mac;
use ipnet::Ipv4Net;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Site {
    pub name: Arc<str>,
    pub first_install: FirstInstall,
    pub services: Services,
    /// The blueprint that is carried out for the site as a whole before any node, when it has one.
    pub lifecycle: Option<Arc<str>>,
    /// What the site says of itself, and of all its nodes.
    pub settings: Value,
    pub networks: BTreeMap<Arc<str>, Network>,
    /// In order of name.
    pub nodes: Vec<Node>,
    pub tasks: BTreeMap<Arc<str>, Arc<Task>>,
    pub blueprints: BTreeMap<Arc<str>, Arc<Blueprint>>,
    /// The addresses that were chosen for nodes that say `auto`.
    pub allocation: Allocation,
    /// Addresses of other things than nodes and networks: switches, time servers, our own services.
    pub fixed_addresses: BTreeSet<Ipv4Addr>,
    /// Its payloads are stood in for: it is the site of a rehearsal.
    pub rehearsed: bool,
    /// Its machines are those of a virtual rack, and nothing real is asked.
    pub on_rack: bool,
    /// Everything else that the design declares: racks, links, images, … by kind and name.
    pub things: BTreeMap<&'static str, BTreeMap<Arc<str>, Thing>>,
    /// Every script of the revision and of the standard library by file, for imports.
    pub scripts: BTreeMap<Arc<str>, Script>,
    /// The folders that images of containers are built from, by their path in the design.
    pub folders: BTreeMap<Arc<str>, Arc<Folder>>,
    /// The folder that holds the design's `files/`.
    pub root: Option<PathBuf>,
    pub revision: Revision,
}

/// Before the name of a site where names of nodes stand; no name of a node can have it.
const OF_SITE: &str = "site:";

/// What work that is done for a whole site is on record under.
pub fn target_name(site: &str) -> String {
    format!("{OF_SITE}{site}")
}

/// True for the name of a site among names of nodes.
pub fn is_site(target: &str) -> bool {
    target.starts_with(OF_SITE)
}

/// Addresses by network and node.
pub type Allocation = BTreeMap<(Arc<str>, Arc<str>), Ipv4Addr>;

/// A declared thing that has no type of its own yet, as it is written.
#[derive(Clone, Debug)]
pub struct Thing {
    pub tree: Value,
    pub place: Place,
}

/// What the `driver` of a switch may be called when RESTCONF (RFC 8040) with the OpenConfig models is meant, which is
/// built in; a switch without a driver speaks it, too.
pub const SWITCH_DRIVERS: &[&str] = &["restconf", "openconfig"];

/// May a node without a record be installed without naming the hazard?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstInstall {
    #[default]
    Ask,
    /// Yes, when the machine is seen powered off.
    Allow,
}

/// Where the boot services listen, and what address machines are told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services {
    pub dhcp: Option<SocketAddr>,
    pub tftp: Option<SocketAddr>,
    pub http: Option<SocketAddr>,
    /// Base URL that machines use, such as `http://10.20.0.1:8080`; from `http` when absent.
    pub advertise: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Network {
    pub name: Arc<str>,
    pub cidr: Ipv4Net,
    pub gateway: Option<Ipv4Addr>,
    pub vlan: Option<u16>,
    /// Bytes of the largest packet.
    pub mtu: Option<u32>,
    pub dns: Vec<Ipv4Addr>,
    pub domain: Option<Arc<str>>,
    /// Networks of one domain reach each other by each other's routes.
    pub route_domain: Option<Arc<str>>,
    pub ranges: Vec<Range>,
    pub routes: Vec<Route>,
    /// There only when we are the server.
    pub dhcp: Option<Dhcp>,
    pub relays: Vec<Relay>,
    pub labels: Value,
    pub place: Place,
}

/// Addresses from `first` to `last`, both included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// `static`, `reserved`, or `dhcp`.
    pub kind: Arc<str>,
    pub first: Ipv4Addr,
    pub last: Ipv4Addr,
}

/// A way out of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// To a network; `None` when it is to a route domain.
    pub to: Option<Ipv4Net>,
    pub route_domain: Option<Arc<str>>,
    pub gateway: Ipv4Addr,
    pub metric: Option<u32>,
}

/// An agent that passes DHCP requests on from its network (RFC 2131, `giaddr`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    pub address: Ipv4Addr,
    /// Where it sends them.
    pub upstream: Option<Ipv4Addr>,
}

/// Whether and how we answer DHCP on a network (RFC 2131).
#[derive(Clone, Debug)]
pub struct Dhcp {
    /// The dynamic range.
    pub range: Range,
    pub lease: Duration,
}

/// One physical machine that we manage.
#[derive(Clone, Debug)]
pub struct Node {
    pub name: Arc<str>,
    /// The node's earlier name, whose record it takes over.
    pub was: Option<Arc<str>>,
    /// The complete spec; every known optional field is present, as `Null` when nobody set it.
    pub spec: Value,
    /// The blueprint that brings it up.
    pub lifecycle: Arc<str>,
    pub boot_mac: Option<Mac>,
    /// What contributed to the spec, from weakest to strongest.
    pub layers: Layers,
    pub place: Place,
}

/// From weakest to strongest: those that nodes share, then the node's own.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    pub shared: Arc<[Layer]>,
    pub own: Vec<Layer>,
}

impl Layers {
    pub fn iter(&self) -> std::iter::Chain<std::slice::Iter<'_, Layer>, std::slice::Iter<'_, Layer>> {
        self.shared.iter().chain(&self.own)
    }
}

/// One contribution to a node's spec, for provenance.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Such as `profile "base"`.
    pub label: Arc<str>,
    /// False for built-in defaults: a leaf that nobody wrote.
    pub written: bool,
    pub tree: Value,
    /// Where the layer itself stands; `None` for built-in defaults.
    pub place: Option<Place>,
    /// Where each leaf, or the nearest thing above it, stands.
    pub places: Arc<BTreeMap<Path, Place>>,
}

impl AsMut<Node> for Node {
    fn as_mut(&mut self) -> &mut Node {
        self
    }
}

impl Node {
    /// The profile that is put on it and every one that this extends, parents first.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        self.layers.iter().filter_map(|layer| layer.label.strip_prefix("profile \"")?.strip_suffix('"'))
    }

    /// True when a person wrote something at or above `path`, in any layer.
    pub fn is_written(&self, path: &Path) -> bool {
        self.layers.iter().any(|layer| layer.written && layer.tree.at(path).is_some())
    }
}

impl Site {
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.binary_search_by(|node| (*node.name).cmp(name)).ok().map(|index| &self.nodes[index])
    }
}
