//! What a rack is made of, and where it can be reached: plain data for whoever starts one.
//!
//! Owns the shapes of the specification and of the endpoints. Starts nothing.

use crate::units::Mac;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// A rack to start.
#[derive(Clone, Debug)]
pub struct RackSpec {
    pub machines: Vec<MachineSpec>,
    pub switches: Vec<SwitchSpec>,
    /// The VLANs on which machines are answered when they boot.
    pub boot_vlans: BTreeSet<u16>,
    /// The network address of the boot network: what the relay agent names as link selection (RFC 3527).
    pub link: Ipv4Addr,
    /// Where disks, settings, ports and the request log are kept. `None`: in memory, gone with the rack.
    pub state_dir: Option<PathBuf>,
    /// The machines are as the folder remembers them, and nothing is written into it.
    pub frozen: bool,
    /// Varies the small delays of the machines; faults have a seed of their own.
    pub seed: u64,
}

/// One switch. Its ports leave the factory enabled, in VLAN 1 without tags; what the state folder remembers wins.
#[derive(Clone, Debug)]
pub struct SwitchSpec {
    pub name: String,
    pub ports: BTreeSet<String>,
    /// Which of them are aggregates of others (LACP).
    pub aggregates: BTreeSet<String>,
}

/// A cable from a machine to a switch.
#[derive(Clone, Debug)]
pub struct Plug {
    pub interface: String,
    pub switch: String,
    pub port: String,
    /// It is the interface that the machine boots from.
    pub boots: bool,
    /// It is no cable of its own: the port is an aggregate of others.
    pub aggregate: bool,
}

/// One machine as it leaves the factory. What the state folder remembers wins over it.
#[derive(Clone, Debug)]
pub struct MachineSpec {
    pub node: String,
    /// The BMC address as the design writes it, such as `https://10.17.1.1`. Unique in a rack.
    pub bmc_address: String,
    pub uuid: String,
    pub serial: String,
    pub vendor: String,
    pub model: String,
    /// The NICs; the first is the boot NIC.
    pub macs: Vec<Mac>,
    /// Its cables; a machine without any is on every network.
    pub plugs: Vec<Plug>,
    pub boot_mode: BootMode,
    /// Factory values of the BIOS attributes: strings, integers, booleans. Others cannot be set.
    pub bios: BTreeMap<String, Value>,
    pub memory_gib: u32,
    pub cores: u32,
    /// Versions by component; `bios` and `bmc` are among them.
    pub firmware: BTreeMap<String, String>,
    pub pci: Vec<PciSpec>,
    /// The name of its one storage controller.
    pub controller: String,
    /// Behind the storage controller. The machine boots from the first.
    pub drives: Vec<DriveSpec>,
}

/// A device on the PCI bus.
#[derive(Clone, Debug)]
pub struct PciSpec {
    pub name: String,
    /// Four hexadecimal digits each, as the PCI-SIG gives them out.
    pub vendor: String,
    pub device: String,
    /// `DeviceClass` (Redfish schema PCIeFunction).
    pub class: String,
}

/// A drive.
#[derive(Clone, Debug)]
pub struct DriveSpec {
    /// What is printed beside it on the machine.
    pub bay: String,
    /// `SSD` or `HDD`.
    pub media: String,
    /// `SAS`, `SATA`, `NVMe`.
    pub protocol: String,
    pub bytes: u64,
}

impl MachineSpec {
    /// The size of the disk that it boots from.
    pub fn boot_bytes(&self) -> u64 {
        self.drives.first().map_or(0, |drive| drive.bytes)
    }
}

/// The firmware interface. Serialized as Redfish spells `BootSourceOverrideMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BootMode {
    #[serde(rename = "UEFI")]
    Uefi,
    #[serde(rename = "Legacy")]
    Bios,
}

/// Where the rack's switch forwards what a machine cannot broadcast on loopback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fabric {
    /// Where the relay agent sends DHCP.
    pub dhcp: Option<SocketAddr>,
    /// Where port 69 of any next-server leads.
    pub tftp: Option<SocketAddr>,
}

/// The addresses of a running rack.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// `http://127.0.0.1:PORT` of the control side.
    pub control: String,
    pub bmcs: Vec<BmcEndpoint>,
    #[serde(default)]
    pub switches: Vec<SwitchEndpoint>,
}

/// Which loopback port stands for a switch of the design.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct SwitchEndpoint {
    /// Its name in the design: the key.
    pub switch: String,
    /// `http://127.0.0.1:PORT`.
    pub endpoint: String,
    pub user: String,
    pub password: String,
}

/// Which loopback port stands for a BMC address of the design.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct BmcEndpoint {
    pub node: String,
    /// The address as the design writes it: the key.
    pub address: String,
    /// `http://127.0.0.1:PORT`.
    pub endpoint: String,
    pub user: String,
    pub password: String,
}
