//! The switches of a rack: ports that machines are plugged into, set by RESTCONF (RFC 8040).
//!
//! Owns what a switch keeps and who is plugged into it. `restconf` owns what a request means, `model` how a port is
//! written, `inspect` the eyes and hands of the control side.

pub mod inspect;
mod model;
mod restconf;
mod service;
#[cfg(test)]
mod tests;

use super::disk::Folder;
use super::faults::Faults;
use super::log::Log;
use super::machine::Machine;
use super::spec::SwitchSpec;
use super::surroundings::Surroundings;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

/// `interface-mode` (openconfig-vlan-types).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    Access,
    Trunk,
}

/// The settings of one port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Port {
    pub enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub mode: Mode,
    pub access_vlan: u16,
    pub native_vlan: Option<u16>,
    pub trunk_vlans: BTreeSet<u16>,
    /// It is an aggregate of others.
    #[serde(default)]
    pub lag: bool,
    /// The aggregate that it is a member of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<String>,
}

impl Port {
    /// As the factory delivers it.
    fn new(lag: bool) -> Port {
        Port {
            enabled: true,
            description: None,
            mode: Mode::Access,
            access_vlan: 1,
            native_vlan: None,
            trunk_vlans: BTreeSet::new(),
            lag,
            aggregate: None,
        }
    }

    /// The VLAN in which untagged frames are, while the port is enabled. A member of an aggregate carries nothing for
    /// firmware, which does not speak LACP.
    fn untagged(&self) -> Option<u16> {
        match self.mode {
            _ if !self.enabled || self.aggregate.is_some() => None,
            Mode::Access => Some(self.access_vlan),
            Mode::Trunk => self.native_vlan,
        }
    }
}

/// What a switch keeps without power.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Board {
    pub ports: BTreeMap<String, Port>,
    /// `true`: it accepts connections and never answers.
    #[serde(default)]
    pub silent: bool,
}

/// A switch of the rack.
pub struct Switch {
    pub name: String,
    folder: Folder,
    board: Mutex<Board>,
    requests: AtomicU64,
    /// Who is plugged in, by port: the node's interface, and the machine.
    plugged: OnceLock<BTreeMap<String, (String, Weak<Machine>)>>,
}

const BOARD: &str = "switch.json";

impl Switch {
    /// Finds the switch in its folder, or unpacks a new one.
    pub fn open(spec: &SwitchSpec, folder: Folder) -> io::Result<Switch> {
        let mut board = folder.load::<Board>(BOARD)?.unwrap_or_default();
        for port in &spec.ports {
            let lag = spec.aggregates.contains(port);
            board.ports.entry(port.clone()).or_insert_with(|| Port::new(lag)).lag = lag;
        }
        folder.save(BOARD, &board)?;
        Ok(Switch {
            name: spec.name.clone(),
            folder,
            board: Mutex::new(board),
            requests: AtomicU64::new(0),
            plugged: OnceLock::new(),
        })
    }

    /// Plugs the machines of the rack in, once.
    pub fn plug(&self, machines: &[Arc<Machine>]) {
        let mut plugged = BTreeMap::new();
        for machine in machines {
            for plug in machine.spec.plugs.iter().filter(|plug| plug.switch == self.name) {
                let end = (plug.interface.clone(), Arc::downgrade(machine));
                plugged.insert(plug.port.clone(), end);
            }
        }
        let _ = self.plugged.set(plugged);
    }

    pub fn untagged(&self, port: &str) -> Option<u16> {
        self.board().ports.get(port).and_then(Port::untagged)
    }

    pub fn is_enabled(&self, port: &str) -> bool {
        self.board().ports.get(port).is_some_and(|port| port.enabled)
    }

    /// The interface and the machine at the other end of a port.
    fn end(&self, port: &str) -> Option<(&str, Arc<Machine>)> {
        let (interface, machine) = self.plugged.get()?.get(port)?;
        Some((interface, machine.upgrade()?))
    }

    /// There is light on the cable: the port is enabled, and the machine has power.
    fn has_link(&self, port: &str) -> bool {
        let has_members = || {
            let board = self.board();
            let is_member = |own: &Port| own.enabled && own.aggregate.as_deref() == Some(port);
            !board.ports.get(port).is_some_and(|port| port.lag) || board.ports.values().any(is_member)
        };
        self.is_enabled(port)
            && has_members()
            && self.end(port).is_some_and(|(_, machine)| machine.live().board.powered)
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what the switch keeps and writes it down. A full disk costs the memory of the change, not the rack.
    fn change<R>(&self, change: impl FnOnce(&mut Board) -> R) -> R {
        let mut board = self.board();
        let result = change(&mut board);
        if let Err(error) = self.folder.save(BOARD, &*board) {
            tracing::warn!(switch = self.name, %error, "the settings of a switch are not kept");
        }
        result
    }
}

/// A switch with what is around it.
pub struct Served {
    pub switch: Arc<Switch>,
    pub around: Arc<Surroundings>,
}

impl Served {
    fn log(&self) -> &Log {
        &self.around.log
    }

    fn faults(&self) -> &Faults {
        &self.around.faults
    }
}
