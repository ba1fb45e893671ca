//! A whole rack on loopback: BMCs that speak Redfish over HTTP, switches that speak RESTCONF, and machines that really boot.
//!
//! Owns the start and end of a rack, its ports and its credentials. A machine knows only what the wire told
//! it: this floor shares no code with the clients and services that it is there to try.
//!
//! ```text
//! redfish/   the BMC of each machine        machine/   power, firmware, what is kept
//! switch/    the ports of each switch       boot/      DHCP, TFTP, HTTP, iPXE, agent, installed system
//! control    the side that tests look at
//! ```

mod boot;
mod clock;
mod control;
mod disk;
mod faults;
#[cfg(test)]
mod hardware_tests;
mod log;
mod machine;
mod ports;
mod redfish;
mod spec;
mod surroundings;
mod switch;
#[cfg(test)]
mod tests;
mod wire;

pub use faults::{Faults, FaultsError};
pub use spec::{
    BmcEndpoint, BootMode, DriveSpec, Endpoints, Fabric, MachineSpec, PciSpec, Plug, RackSpec,
    SwitchEndpoint, SwitchSpec,
};

use crate::units::Mac;
use disk::Folder;
use log::Log;
use machine::{Machine, power};
use ports::Ports;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use surroundings::{Credentials, Surroundings};
use switch::{Served, Switch};
use tokio::task::JoinSet;

/// A rack cannot start.
#[derive(Debug, thiserror::Error)]
pub enum RackError {
    #[error("the state folder of the virtual rack cannot be used")]
    State(#[source] io::Error),
    #[error("the virtual rack cannot listen on loopback")]
    Listen(#[source] io::Error),
    #[error("two machines of the virtual rack have the BMC address {0}")]
    DuplicateAddress(String),
    #[error("two machines of the virtual rack are named {0}")]
    DuplicateNode(String),
    #[error("the fault wrong-machine names `{0}`, which the virtual rack does not have")]
    UnknownNode(String),
    #[error("the virtual rack has no randomness for its password")]
    Randomness(#[source] crate::id::NoRandomness),
    #[error("the virtual rack cannot make its HTTP client")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A running rack. Dropping it ends its tasks; machines stay powered in the state folder.
pub struct Rack {
    parts: Arc<RackParts>,
    endpoints: Endpoints,
    tasks: JoinSet<()>,
}

/// What the control side sees of a rack.
pub(in crate::virtual_rack) struct RackParts {
    around: Arc<Surroundings>,
    machines: Vec<Arc<Machine>>,
}

impl Rack {
    /// Starts a rack; everything listens when this returns. Machines that were on when a rack last ended
    /// with this state folder are on again, and their installed systems run without a new boot.
    pub async fn start(spec: RackSpec, faults: Faults) -> Result<Rack, RackError> {
        check(&spec, &faults)?;
        // A port and some connections a machine: the usual soft limit of 1024 files is too low for a rack.
        let _ = rlimit::increase_nofile_limit(u64::MAX);
        let folder = Folder::open(spec.state_dir.clone(), spec.frozen).map_err(RackError::State)?;
        let credentials = credentials(&folder)?;
        let relay = Arc::new(boot::relay::Relay::bind().await.map_err(RackError::Listen)?);
        let log = Log::open(&folder).map_err(RackError::State)?;
        let http = boot::http::client().map_err(|error| RackError::Client(error.into()))?;
        let place = (spec.link, spec.seed);
        let switches = switches(&spec.switches, &folder).map_err(RackError::State)?;
        let network = (switches, spec.boot_vlans);
        let around = Surroundings::new(relay.clone(), http, log, faults, credentials, place, network);
        let around = Arc::new(around);
        let machines = unpack(spec.machines, &around, &folder).map_err(RackError::State)?;
        around.switches.values().for_each(|switch| switch.plug(&machines));
        let parts = Arc::new(RackParts { around, machines });
        let mut tasks = JoinSet::new();
        tasks.spawn(relay.run());
        let endpoints = listen(&parts, &folder, &mut tasks).await?;
        parts.machines.iter().for_each(power::resume);
        Ok(Rack { parts, endpoints, tasks })
    }

    /// Plugs the rack's switch into boot services, in place of those before.
    pub fn connect(&self, fabric: Fabric) {
        self.parts.around.connect(fabric);
    }

    pub fn endpoints(&self) -> Endpoints {
        self.endpoints.clone()
    }

    /// Ends the rack and waits until its ports are free. Powers nothing off.
    pub async fn stop(mut self) {
        self.parts.machines.iter().for_each(|machine| power::freeze(machine));
        self.tasks.shutdown().await;
    }
}

impl Drop for Rack {
    fn drop(&mut self) {
        self.parts.machines.iter().for_each(|machine| power::freeze(machine));
    }
}

fn check(spec: &RackSpec, faults: &Faults) -> Result<(), RackError> {
    let (mut addresses, mut nodes) = (BTreeSet::new(), BTreeSet::new());
    for machine in &spec.machines {
        if !addresses.insert(machine.bmc_address.as_str()) {
            return Err(RackError::DuplicateAddress(machine.bmc_address.clone()));
        }
        if !nodes.insert(machine.node.as_str()) {
            return Err(RackError::DuplicateNode(machine.node.clone()));
        }
    }
    let (a, b) = faults.swapped().unzip();
    match [a, b].into_iter().flatten().find(|node| !nodes.contains(node)) {
        Some(unknown) => Err(RackError::UnknownNode(unknown.to_string())),
        None => Ok(()),
    }
}

/// The rack's own user and password, kept with its state.
fn credentials(folder: &Folder) -> Result<Credentials, RackError> {
    const NAME: &str = "credentials.json";
    if let Some(kept) = folder.load(NAME).map_err(RackError::State)? {
        return Ok(kept);
    }
    let password = crate::id::random_hex(12).map_err(RackError::Randomness)?;
    let drawn = Credentials { user: "rackwright".into(), password };
    folder.save(NAME, &drawn).map_err(RackError::State)?;
    Ok(drawn)
}

/// Machines in their folders. A folder belongs to a BMC address, not to a node: a machine stands where it
/// is cabled, and a node that is renamed or moved to another address meets what stands there.
fn unpack(
    specs: Vec<MachineSpec>,
    around: &Arc<Surroundings>,
    folder: &Folder,
) -> io::Result<Vec<Arc<Machine>>> {
    let named: BTreeSet<Mac> = specs.iter().flat_map(|spec| spec.macs.iter().copied()).collect();
    let known = |mac: &Mac| named.contains(mac);
    let machines = folder.child("machines")?;
    specs
        .into_iter()
        .map(|spec| {
            let own = machines.child(&folder_name(&spec.bmc_address))?;
            Machine::open(spec, around.clone(), own, &known)
        })
        .collect()
}

/// Switches in their folders, by name.
fn switches(specs: &[SwitchSpec], folder: &Folder) -> io::Result<BTreeMap<String, Arc<Switch>>> {
    if specs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let folder = folder.child("switches")?;
    let open = |spec: &SwitchSpec| {
        let switch = Switch::open(spec, folder.child(&folder_name(&spec.name))?)?;
        Ok((spec.name.clone(), Arc::new(switch)))
    };
    specs.iter().map(open).collect()
}

/// A BMC address as a folder name: everything but letters, digits, dots and dashes becomes `_`, and a piece
/// of the address's digest keeps two addresses apart that look the same then.
fn folder_name(address: &str) -> String {
    let plain = |character: char| {
        if character.is_ascii_alphanumeric() || ".-".contains(character) { character } else { '_' }
    };
    let text: String = address
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .chars()
        .map(plain)
        .take(80)
        .collect();
    let digest = blake3::hash(address.as_bytes());
    format!("{text}-{}", crate::id::hex(&digest.as_bytes()[..4]))
}

/// Binds every port, then serves.
async fn listen(
    parts: &Arc<RackParts>,
    folder: &Folder,
    tasks: &mut JoinSet<()>,
) -> Result<Endpoints, RackError> {
    let addresses = parts.machines.iter().map(|machine| machine.spec.bmc_address.as_str());
    let named: Vec<String> = parts.around.switches.keys().map(|name| format!("switch {name}")).collect();
    let names = addresses.chain([CONTROL]).chain(named.iter().map(String::as_str));
    let mut ports = Ports::load(folder, names).await.map_err(RackError::State)?;
    let (control, control_url) = ports.bind(CONTROL).await.map_err(RackError::Listen)?;
    let mut bmcs = Vec::with_capacity(parts.machines.len());
    for machine in &parts.machines {
        let address = &machine.spec.bmc_address;
        let (listener, endpoint) = ports.bind(address).await.map_err(RackError::Listen)?;
        tasks.spawn(wire::serve(listener, machine.clone()));
        bmcs.push(BmcEndpoint {
            node: machine.spec.node.clone(),
            address: address.clone(),
            endpoint,
            user: parts.around.credentials.user.clone(),
            password: parts.around.credentials.password.clone(),
        });
    }
    let mut switches = Vec::with_capacity(parts.around.switches.len());
    for (switch, name) in parts.around.switches.values().zip(&named) {
        let (listener, endpoint) = ports.bind(name).await.map_err(RackError::Listen)?;
        let served = Served { switch: switch.clone(), around: parts.around.clone() };
        tasks.spawn(wire::serve(listener, Arc::new(served)));
        switches.push(SwitchEndpoint {
            switch: switch.name.clone(),
            endpoint,
            user: parts.around.credentials.user.clone(),
            password: parts.around.credentials.password.clone(),
        });
    }
    ports.save(folder).map_err(RackError::State)?;
    swap(&mut bmcs, parts.around.faults.swapped());
    let router = control::router(parts.clone());
    tasks.spawn(async move {
        if let Err(error) = axum::serve(control, router).await {
            tracing::warn!(%error, "the control side of the rack ended");
        }
    });
    Ok(Endpoints { control: control_url, bmcs, switches })
}

/// The fault wrong-machine: each of two addresses leads to the other's BMC.
fn swap(bmcs: &mut [BmcEndpoint], swapped: Option<(&str, &str)>) {
    let Some((a, b)) = swapped else { return };
    let place = |node: &str| bmcs.iter().position(|bmc| bmc.node == node);
    if let (Some(a), Some(b)) = (place(a), place(b)) {
        let endpoint = bmcs[a].endpoint.clone();
        bmcs[a].endpoint = std::mem::replace(&mut bmcs[b].endpoint, endpoint);
    }
}

/// The control side's name in the table of ports; no BMC address looks like it.
const CONTROL: &str = "control";
const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;
