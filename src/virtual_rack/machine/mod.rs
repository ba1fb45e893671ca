//! One machine: what it is, what it keeps, and what it is doing now.
//!
//! Owns the lock around a machine's state and its way to the state folder. Power is in `power`, the boot
//! order in `firmware`, the handle of whatever runs on the machine in `activity`.

pub mod activity;
pub mod firmware;
pub mod inspect;
mod inspect_parts;
pub mod parts;
pub mod power;
pub mod settings;

use super::disk::{Content, Folder};
use super::redfish::desk::Desk;
use super::spec::{MachineSpec, Plug};
use super::surroundings::Surroundings;
use crate::units::Mac;
use settings::{Board, Drive, Identity, Kept, Target};
use std::io;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::AbortHandle;

/// `PowerState` (Redfish schema Resource).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    Off,
    PoweringOn,
    On,
    PoweringOff,
}

impl Power {
    /// As Redfish writes it.
    pub fn name(self) -> &'static str {
        match self {
            Power::Off => "Off",
            Power::PoweringOn => "PoweringOn",
            Power::On => "On",
            Power::PoweringOff => "PoweringOff",
        }
    }
}

/// A machine of the rack.
pub struct Machine {
    pub spec: MachineSpec,
    pub around: Arc<Surroundings>,
    pub folder: Folder,
    /// Sessions and tasks of the BMC.
    pub desk: Mutex<Desk>,
    /// Requests to the BMC so far: what the faults are drawn by.
    pub requests: AtomicU64,
    power_ons: AtomicU64,
    boots: AtomicU64,
    orders: AtomicU64,
    volumes: AtomicU64,
    transactions: AtomicU32,
    live: Mutex<Live>,
}

/// A machine's state, behind its lock.
pub struct Live {
    pub power: Power,
    pub board: Board,
    pub drive: Drive,
    /// Counts what the machine was set to do; what an earlier turn still wants to change is refused.
    turn: u64,
    task: Option<AbortHandle>,
    /// A boot, an install or a wipe that has a start in the log and no end.
    open: Option<Open>,
    /// Failures that are in the log already since the last turn: a machine that finds nothing to boot
    /// tries for ever, and says so once.
    said: Vec<(Target, String)>,
}

enum Open {
    Boot { device: Target, booted: String },
    Install { image: String, checksum: String },
    Wipe { disk: String, how: String, effect: String },
}

const BOARD: &str = "machine.json";
const DRIVE: &str = "disk.json";

impl Machine {
    /// Finds the machine in its folder, or unpacks a new one. It stands still until [`Machine::resume`].
    pub fn open(
        spec: MachineSpec,
        around: Arc<Surroundings>,
        folder: Folder,
        known: &dyn Fn(&Mac) -> bool,
    ) -> io::Result<Arc<Machine>> {
        let mut board = folder.load::<Board>(BOARD)?.unwrap_or_else(|| Board::new(&spec));
        board.meet(&spec, known);
        let drive = folder.load::<Drive>(DRIVE)?.unwrap_or_default();
        let power = if board.powered { Power::On } else { Power::Off };
        let live = Live { power, board, drive, turn: 0, task: None, open: None, said: Vec::new() };
        folder.save(BOARD, &live.board)?;
        Ok(Arc::new(Machine {
            spec,
            around,
            folder,
            desk: Mutex::default(),
            requests: AtomicU64::new(0),
            power_ons: AtomicU64::new(0),
            boots: AtomicU64::new(0),
            orders: AtomicU64::new(0),
            volumes: AtomicU64::new(0),
            transactions: AtomicU32::new(0),
            live: Mutex::new(live),
        }))
    }

    pub fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what the board keeps and writes it down.
    pub fn change<R>(&self, change: impl FnOnce(&mut Live) -> R) -> R {
        let mut live = self.live();
        let result = change(&mut live);
        self.keep(&live);
        result
    }

    /// Writes the board down. A full disk costs the memory of the change, not the rack.
    fn keep(&self, live: &Live) {
        if let Err(error) = self.folder.save(BOARD, &live.board) {
            tracing::warn!(node = %self.spec.node, %error, "a machine's settings are not kept");
        }
    }

    fn keep_drive(&self, live: &Live) {
        if let Err(error) = self.folder.save(DRIVE, &live.drive) {
            tracing::warn!(node = %self.spec.node, %error, "a machine's disk is not kept");
        }
    }

    pub fn identity(&self) -> Identity {
        self.live().board.identity.clone()
    }

    pub fn kept(&self) -> Option<Kept> {
        self.live().drive.kept.clone()
    }

    pub fn remembered_content(&self) -> Option<Content> {
        self.live().drive.content.clone()
    }

    /// A cable of it ends in a port that is enabled. A machine without cables is on every network.
    pub fn has_network(&self) -> bool {
        let switches = &self.around.switches;
        let is_up =
            |plug: &Plug| switches.get(&plug.switch).is_none_or(|switch| switch.is_enabled(&plug.port));
        let mut cables = self.spec.plugs.iter().filter(|plug| !plug.aggregate).peekable();
        cables.peek().is_none() || cables.any(is_up)
    }

    /// What it broadcasts when it boots is heard: the port that it boots from carries a boot network without tags.
    pub fn is_heard_when_booting(&self) -> bool {
        let Some(plug) = self.spec.plugs.iter().find(|plug| plug.boots) else { return self.has_network() };
        let Some(switch) = self.around.switches.get(&plug.switch) else { return true };
        switch.untagged(&plug.port).is_some_and(|vlan| self.around.boot_vlans.contains(&vlan))
    }

    /// A transaction id for DHCP: different for each exchange of this machine.
    pub fn next_transaction(&self) -> u32 {
        let count = self.transactions.fetch_add(1, Ordering::Relaxed);
        let salt = self.live().board.identity.macs.first().map_or(0, |mac| u32::from(mac.0[5]));
        count.wrapping_mul(0x9e37_79b9) ^ (salt << 24) ^ 0x5261_636b
    }

    fn next_power_on(&self) -> u64 {
        self.power_ons.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts what an agent does on this machine: what its faults are drawn by.
    pub fn next_order(&self) -> u64 {
        self.orders.fetch_add(1, Ordering::Relaxed)
    }

    /// How many volumes were asked for before: what their faults are drawn by.
    pub fn next_volume(&self) -> u64 {
        self.volumes.fetch_add(1, Ordering::Relaxed)
    }

    fn next_boot(&self) -> u64 {
        self.boots.fetch_add(1, Ordering::Relaxed)
    }
}
