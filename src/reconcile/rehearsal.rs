//! Rehearsal: the virtual rack that a design describes, and the file by which one is found.

use super::rehearsal_parts as parts;
use crate::effect::hardware::{Redirect, rehearsal_address};
use crate::model::blueprint::Step;
use crate::model::site::{Node, SWITCH_DRIVERS, Site};
use crate::model::value::Value;
use crate::units::Mac;
use crate::virtual_rack::{
    BootMode, Endpoints, Faults, MachineSpec, Plug, Rack, RackError, RackSpec, SwitchEndpoint, SwitchSpec,
};
use crate::world::bmc::Password;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Seed of everything that a rack draws, unless faults name another.
const SEED: u64 = 1;
/// What a rehearsal machine has: small, and the same everywhere.
const MEMORY_GIB: u32 = 64;
const CORES: u32 = 16;

/// Starts the rack that the site describes, with its machines' state in `state_dir`.
pub async fn start(site: &Site, state_dir: Option<PathBuf>, faults: Faults) -> Result<Rack, RackError> {
    Rack::start(describe(site, state_dir, false), faults).await
}

/// The same rack only to be looked at: its machines are as they were left, and nothing is written.
pub async fn start_frozen(site: &Site, state_dir: PathBuf) -> Result<Rack, RackError> {
    Rack::start(describe(site, Some(state_dir), true), Faults::default()).await
}

/// One machine for each node, made only from what its hardware profile and its own lines say.
fn describe(site: &Site, state_dir: Option<PathBuf>, frozen: bool) -> RackSpec {
    let link = site
        .networks
        .values()
        .find(|network| network.dhcp.is_some())
        .map_or(Ipv4Addr::LOCALHOST, |network| network.cidr.network());
    RackSpec {
        machines: site.nodes.iter().filter_map(|node| machine(site, node)).collect(),
        switches: switches(site),
        boot_vlans: site
            .networks
            .values()
            .filter(|network| network.dhcp.is_some())
            .filter_map(|network| network.vlan)
            .collect(),
        link,
        state_dir,
        frozen,
        seed: SEED,
    }
}

/// Every switch that speaks what is built in, with the ports that cables lead to.
fn switches(site: &Site) -> Vec<SwitchSpec> {
    let built_in = |driver: Option<&str>| driver.is_none_or(|driver| SWITCH_DRIVERS.contains(&driver));
    let declared = site.things.get("switch").into_iter().flatten();
    let empty = |name: &str| {
        let (ports, aggregates) = (BTreeSet::new(), BTreeSet::new());
        SwitchSpec { name: name.to_string(), ports, aggregates }
    };
    let mut switches: BTreeMap<&str, SwitchSpec> = declared
        .filter(|(_, thing)| built_in(thing.tree.str_at("driver")))
        .map(|(name, _)| (&**name, empty(name)))
        .collect();
    for node in &site.nodes {
        for (interface, cable) in cables(node) {
            let switch = cable.str_at("switch-name").and_then(|switch| switches.get_mut(switch));
            let Some((switch, port)) = switch.zip(cable.str_at("port")) else { continue };
            switch.ports.insert(port.to_string());
            if is_bond(node, interface) {
                switch.aggregates.insert(port.to_string());
            }
        }
    }
    switches.into_values().collect()
}

/// An interface that is made of others.
fn is_bond(node: &Node, interface: &str) -> bool {
    let own = node.spec.get("interfaces").and_then(|interfaces| interfaces.get(interface));
    own.and_then(|own| own.get("members")).and_then(Value::as_list).is_some_and(|members| !members.is_empty())
}

fn cables(node: &Node) -> impl Iterator<Item = (&Arc<str>, &Value)> {
    node.spec.get("cables").and_then(Value::as_map).into_iter().flatten()
}

/// The cables of a node whose ports are worked on. Where nobody does, somebody else has set them, and the machine is on
/// its networks.
fn plugs(site: &Site, node: &Node) -> Vec<Plug> {
    let works_on_ports =
        |step: &Step| site.tasks.get(&step.task).is_some_and(|task| task.allow.contains("port"));
    let lifecycle = site.blueprints.get(&node.lifecycle);
    if !lifecycle.is_some_and(|lifecycle| lifecycle.steps.iter().any(works_on_ports)) {
        return Vec::new();
    }
    let known = |parent: &str, key: &str| node.spec.get(parent).is_some_and(|map| map.get(key).is_some());
    let boots = |interface: &str| {
        let port = node.spec.get("boot-ports").and_then(|ports| ports.get(interface));
        port.and_then(|port| port.get("enabled")).and_then(Value::as_bool) == Some(true)
    };
    cables(node)
        .filter(|(interface, _)| known("ports", interface))
        .filter_map(|(interface, cable)| {
            Some(Plug {
                interface: interface.to_string(),
                switch: cable.str_at("switch-name")?.to_string(),
                port: cable.str_at("port")?.to_string(),
                boots: boots(interface),
                aggregate: is_bond(node, interface),
            })
        })
        .collect()
}

fn machine(site: &Site, node: &Node) -> Option<MachineSpec> {
    let text = |path: &str| node.spec.str_at(path).map(str::to_string);
    let bmc_address = rehearsal_address(&node.spec)?;
    let identity = blake3::hash(bmc_address.as_bytes());
    let bytes = identity.as_bytes();
    let made_up = Mac([0x52, 0x54, bytes[16], bytes[17], bytes[18], bytes[19]]);
    Some(MachineSpec {
        node: node.name.to_string(),
        uuid: uuid(bytes),
        serial: format!("RW{}", crate::id::hex(&bytes[20..24]).to_uppercase()),
        vendor: text("hardware.vendor").unwrap_or_else(|| "Rackwright".into()),
        model: text("hardware.model").unwrap_or_else(|| "virtual".into()),
        macs: vec![node.boot_mac.unwrap_or(made_up)],
        plugs: plugs(site, node),
        boot_mode: if text("hardware.boot-mode").as_deref() == Some("bios") {
            BootMode::Bios
        } else {
            BootMode::Uefi
        },
        bios: factory_bios(node),
        memory_gib: MEMORY_GIB,
        cores: CORES,
        firmware: parts::firmware(&node.spec),
        pci: parts::pci(&node.spec),
        controller: parts::controller(&node.spec),
        drives: parts::drives(&node.spec),
        bmc_address,
    })
}

/// A version 4 UUID (RFC 9562, 5.4) from fixed bytes.
fn uuid(bytes: &[u8]) -> String {
    let mut own: Vec<u8> = bytes[..16].to_vec();
    own[6] = (own[6] & 0x0f) | 0x40;
    own[8] = (own[8] & 0x3f) | 0x80;
    let digits = crate::id::hex(&own);
    format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}

/// Every attribute that the design names, as a machine leaves the factory: not as the design wants it.
fn factory_bios(node: &Node) -> BTreeMap<String, serde_json::Value> {
    let Some(bios) =
        node.spec.get("hardware").and_then(|hardware| hardware.get("bios")).and_then(Value::as_map)
    else {
        return BTreeMap::new();
    };
    let factory = |value: &Value| match value {
        Value::Bool(truth) => (!truth).into(),
        Value::Int(_) => 0.into(),
        Value::Text(text) if &**text == "Enabled" => "Disabled".into(),
        Value::Text(text) if &**text == "Disabled" => "Enabled".into(),
        _ => "Factory".into(),
    };
    bios.iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.to_string(), factory(value)))
        .collect()
}

/// What stands in for the design's BMC addresses.
pub fn redirects(endpoints: &Endpoints) -> BTreeMap<String, Redirect> {
    endpoints
        .bmcs
        .iter()
        .map(|bmc| {
            let redirect = Redirect {
                endpoint: bmc.endpoint.clone(),
                user: bmc.user.clone(),
                password: Password::new(bmc.password.clone()),
            };
            (bmc.address.clone(), redirect)
        })
        .collect()
}

/// What stands in for the design's switches, by their names.
pub fn switches_of(endpoints: &Endpoints) -> BTreeMap<String, Redirect> {
    let redirect = |switch: &SwitchEndpoint| {
        let redirect = Redirect {
            endpoint: switch.endpoint.clone(),
            user: switch.user.clone(),
            password: Password::new(switch.password.clone()),
        };
        (switch.switch.clone(), redirect)
    };
    endpoints.switches.iter().map(redirect).collect()
}

/// Why the file of a running rack is no use.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error(
        "the rack's endpoints file `{0}` cannot be read: {1}; `rackwright rack --endpoints {0}` writes it"
    )]
    Unreadable(String, String),
    #[error("`{0}` is no endpoints file of a virtual rack: {1}")]
    Content(String, String),
    #[error("the rack's endpoints file `{0}` cannot be written: {1}")]
    Unwritable(String, String),
}

pub fn read_endpoints(path: &Path) -> Result<Endpoints, FileError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| FileError::Unreadable(name.clone(), error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| FileError::Content(name, error.to_string()))
}

/// Writes the file whole: whoever waits for it never reads half.
pub fn write_endpoints(path: &Path, endpoints: &Endpoints) -> Result<(), FileError> {
    let failed = |why: String| FileError::Unwritable(path.display().to_string(), why);
    let text = serde_json::to_string_pretty(endpoints).map_err(|error| failed(error.to_string()))?;
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    std::fs::write(&part, text).map_err(|error| failed(error.to_string()))?;
    std::fs::rename(&part, path).map_err(|error| failed(error.to_string()))
}

/// The ports that the boot services of a rehearsal had: DHCP, TFTP, HTTP.
pub fn read_ports(path: &Path) -> Option<[u16; 3]> {
    serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
}

/// Keeps them. Without them the next rehearsal draws others; nothing is lost but a boot under way.
pub fn write_ports(path: &Path, ports: [u16; 3]) {
    let written = serde_json::to_string(&ports).map(|text| std::fs::write(path, text));
    if !matches!(written, Ok(Ok(()))) {
        tracing::warn!(path = %path.display(), "the ports of the rehearsal could not be kept");
    }
}
