//! The parts of a machine: what it was delivered with, what has become of them since, and the volumes on its drives.
//!
//! Owns the arithmetic of a storage controller and what a part may be made to look like. Part names are `chassis`,
//! `controller`, `processor/1`, `memory/1`, `fan/1`, `fan/2`, `psu/1`, `psu/2`, and `drive/N` and `pci/N` from 1. The
//! machine boots from drive 1: what happens to that drive happens to what is on its disk.

use super::super::spec::MachineSpec;
use super::settings::Board;
use super::{Live, Machine};
use crate::units::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Volumes that the controller keeps.
const VOLUMES: usize = 64;
/// Entries that the event log keeps; the oldest goes.
const LOG_ENTRIES: usize = 512;
/// The longest name of a volume, as controllers have one.
pub const NAME_CHARACTERS: usize = 64;
/// The drive that holds the disk.
const BOOT_DRIVE: usize = 1;

/// `Health` (Redfish schema Resource), from good to bad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Health {
    #[default]
    #[serde(rename = "OK")]
    Ok,
    Warning,
    Critical,
}

impl Health {
    /// As Redfish writes it.
    pub fn name(self) -> &'static str {
        match self {
            Health::Ok => "OK",
            Health::Warning => "Warning",
            Health::Critical => "Critical",
        }
    }
}

/// How a part is other than delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Condition {
    pub health: Health,
    /// Of a drive: `FailurePredicted`.
    pub predicted: bool,
    /// Nobody finds it any more: it was pulled, or is dead.
    pub absent: bool,
}

/// A volume of the storage controller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    pub id: u64,
    pub name: String,
    /// `1`, `10` …: what follows `RAID` in `RAIDType`.
    pub level: String,
    pub bytes: u64,
    /// Numbers of drives, from 1.
    pub drives: Vec<usize>,
}

/// An entry of the event log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    pub id: u64,
    pub severity: Health,
    pub message: String,
    pub created: Time,
    pub resolved: bool,
}

/// What of the parts lasts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Parts {
    /// Versions by component.
    pub firmware: BTreeMap<String, String>,
    /// By part; a part that is as delivered is not in it.
    pub changed: BTreeMap<String, Condition>,
    pub volumes: Vec<Volume>,
    pub log: Vec<LogEntry>,
    last_volume: u64,
    last_entry: u64,
}

/// Why a volume cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `RAIDType` is none of those that there are.
    Level,
    Drives(String),
    Size(String),
    Name(String),
}

/// Levels with the least number of drives and how many hold a copy or parity (DSP0268, `Volume.RAIDType`).
const LEVELS: &[(&str, usize)] = &[("0", 1), ("1", 2), ("5", 3), ("6", 4), ("10", 4), ("50", 6), ("60", 8)];

/// Of `count` drives of a level, on how many different data lie.
fn data_drives(level: &str, count: usize) -> usize {
    match level {
        "1" => 1,
        "10" => count / 2,
        "5" => count - 1,
        "6" | "50" => count - 2,
        "60" => count - 4,
        _ => count,
    }
}

impl Parts {
    /// Components that the machine did not have before come with the version of the specification.
    pub fn meet(&mut self, spec: &MachineSpec) {
        for (component, version) in &spec.firmware {
            self.firmware.entry(component.clone()).or_insert_with(|| version.clone());
        }
    }

    /// The bytes of drive `number` that no volume takes.
    fn free(&self, spec: &MachineSpec, number: usize) -> u64 {
        let whole = number.checked_sub(1).and_then(|at| spec.drives.get(at)).map_or(0, |drive| drive.bytes);
        let on_it = self.volumes.iter().filter(|volume| volume.drives.contains(&number));
        let share = |volume: &Volume| {
            volume.bytes.div_ceil(data_drives(&volume.level, volume.drives.len()).max(1) as u64)
        };
        whole.saturating_sub(on_it.map(share).fold(0, u64::saturating_add))
    }

    /// Checks a volume and adds it; without `bytes` it takes what its drives have left.
    pub fn add_volume(&mut self, spec: &MachineSpec, wanted: Volume) -> Result<u64, Refusal> {
        let (_, least) = LEVELS.iter().find(|(level, _)| *level == wanted.level).ok_or(Refusal::Level)?;
        let count = wanted.drives.len();
        if count < *least || (wanted.level == "10" && count % 2 == 1) {
            let why =
                format!("RAID{} needs {least} drives or more, and an even number for RAID10", wanted.level);
            return Err(Refusal::Drives(why));
        }
        if wanted.name.is_empty() || wanted.name.chars().count() > NAME_CHARACTERS {
            return Err(Refusal::Name(format!("a name has 1 to {NAME_CHARACTERS} characters")));
        }
        if self.volumes.iter().any(|volume| volume.name == wanted.name) {
            return Err(Refusal::Name("another volume has this name".into()));
        }
        if self.volumes.len() >= VOLUMES {
            return Err(Refusal::Size(format!("the controller keeps {VOLUMES} volumes")));
        }
        let least_free = wanted.drives.iter().map(|number| self.free(spec, *number)).min().unwrap_or(0);
        let room = least_free.saturating_mul(data_drives(&wanted.level, count) as u64);
        let bytes = if wanted.bytes == 0 { room } else { wanted.bytes };
        if room == 0 {
            return Err(Refusal::Drives("a drive has no room left: it is in another volume".into()));
        }
        if bytes > room {
            return Err(Refusal::Size(format!("the drives have {room} bytes left for it")));
        }
        self.last_volume += 1;
        self.volumes.push(Volume { id: self.last_volume, bytes, ..wanted });
        Ok(self.last_volume)
    }

    pub fn note(&mut self, severity: Health, message: String, created: Time) {
        if self.log.len() >= LOG_ENTRIES {
            self.log.remove(0);
        }
        self.last_entry += 1;
        self.log.push(LogEntry { id: self.last_entry, severity, message, created, resolved: false });
    }
}

/// Every part that can be made to look otherwise.
pub fn names(spec: &MachineSpec) -> Vec<String> {
    let fixed = ["chassis", "controller", "processor/1", "memory/1", "fan/1", "fan/2", "psu/1", "psu/2"];
    let drives = (1..=spec.drives.len()).map(|number| format!("drive/{number}"));
    let pci = (1..=spec.pci.len()).map(|number| format!("pci/{number}"));
    fixed.into_iter().map(str::to_string).chain(drives).chain(pci).collect()
}

impl Machine {
    /// How a part is, with the drives that a seeded fault lets fail.
    pub fn condition(&self, board: &Board, part: &str) -> Condition {
        let mut condition = board.parts.changed.get(part).copied().unwrap_or_default();
        let number = part.strip_prefix("drive/").and_then(|number| number.parse().ok());
        if number.is_some_and(|number| self.around.faults.drive_fails(&self.spec.node, number)) {
            condition.health = Health::Critical;
            condition.predicted = true;
        }
        condition
    }

    /// The worst health of all that is there.
    pub fn rollup(&self, board: &Board) -> Health {
        let there = names(&self.spec).into_iter().map(|part| self.condition(board, &part));
        let worst = |condition: Condition| match condition {
            Condition { absent: true, .. } => Health::Ok,
            Condition { predicted: true, health, .. } => health.max(Health::Warning),
            Condition { health, .. } => health,
        };
        there.map(worst).max().unwrap_or_default()
    }

    /// Adds a volume: what was on its drives is gone.
    pub fn make_volume(&self, live: &mut Live, wanted: Volume) -> Result<u64, Refusal> {
        let drives = wanted.drives.clone();
        let id = live.board.parts.add_volume(&self.spec, wanted)?;
        self.lose(live, &drives);
        Ok(id)
    }

    /// Removes a volume with what is on it; `false` when there is none of that number.
    pub fn remove_volume(&self, live: &mut Live, id: u64) -> bool {
        let Some(at) = live.board.parts.volumes.iter().position(|volume| volume.id == id) else {
            return false;
        };
        let volume = live.board.parts.volumes.remove(at);
        self.lose(live, &volume.drives);
        true
    }

    fn lose(&self, live: &mut Live, drives: &[usize]) {
        if !drives.contains(&BOOT_DRIVE) {
            return;
        }
        if let Err(error) = self.folder.wipe() {
            tracing::warn!(node = %self.spec.node, %error, "a disk cannot be wiped");
        }
        live.drive = super::settings::Drive::default();
        self.keep_drive(live);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::virtual_rack::spec::{BootMode, DriveSpec};

    fn spec(drives: usize) -> MachineSpec {
        let drive = DriveSpec { bay: "Bay".into(), media: "SSD".into(), protocol: "SAS".into(), bytes: 100 };
        MachineSpec {
            node: "n1".into(),
            bmc_address: "https://10.0.0.1".into(),
            uuid: String::new(),
            serial: String::new(),
            vendor: String::new(),
            model: String::new(),
            macs: Vec::new(),
            plugs: Vec::new(),
            boot_mode: BootMode::Uefi,
            bios: BTreeMap::new(),
            memory_gib: 1,
            cores: 1,
            firmware: BTreeMap::from([("bios".into(), "1".into())]),
            pci: Vec::new(),
            controller: "RAID".into(),
            drives: vec![drive; drives],
        }
    }

    fn volume(name: &str, level: &str, bytes: u64, drives: &[usize]) -> Volume {
        Volume { id: 0, name: name.into(), level: level.into(), bytes, drives: drives.to_vec() }
    }

    #[test]
    fn a_volume_takes_what_its_level_leaves() {
        for (level, count, bytes) in [
            ("0", 1, 100),
            ("0", 3, 300),
            ("1", 2, 100),
            ("5", 3, 200),
            ("6", 5, 300),
            ("10", 4, 200),
            ("60", 8, 400),
        ] {
            let (mut parts, spec) = (Parts::default(), spec(8));
            let drives: Vec<usize> = (1..=count).collect();
            parts.add_volume(&spec, volume("a", level, 0, &drives)).unwrap();
            assert_eq!(parts.volumes[0].bytes, bytes, "RAID{level} of {count}");
        }
    }

    #[test]
    fn what_the_drives_cannot_hold_is_refused() {
        let (mut parts, spec) = (Parts::default(), spec(4));
        parts.add_volume(&spec, volume("os", "1", 60, &[1, 2])).unwrap();
        parts.add_volume(&spec, volume("data", "1", 40, &[1, 2])).unwrap();
        let refused = |parts: &mut Parts, wanted| parts.add_volume(&spec, wanted).unwrap_err();
        assert!(matches!(refused(&mut parts, volume("x", "1", 0, &[2, 3])), Refusal::Drives(_)));
        assert!(matches!(refused(&mut parts, volume("x", "1", 101, &[3, 4])), Refusal::Size(_)));
        assert!(matches!(refused(&mut parts, volume("x", "5", 0, &[3, 4])), Refusal::Drives(_)));
        assert!(matches!(refused(&mut parts, volume("os", "1", 0, &[3, 4])), Refusal::Name(_)));
        assert_eq!(refused(&mut parts, volume("x", "7", 0, &[3, 4])), Refusal::Level);
        assert_eq!(parts.volumes.len(), 2);
    }

    #[test]
    fn the_oldest_entry_of_a_full_log_goes() {
        let mut parts = Parts::default();
        for number in 0..=LOG_ENTRIES {
            parts.note(Health::Warning, number.to_string(), Time(0));
        }
        assert_eq!((parts.log.len(), parts.log[0].message.as_str()), (LOG_ENTRIES, "1"));
    }

    #[test]
    fn firmware_stays_what_it_was_and_new_components_come_as_specified() {
        let mut parts = Parts { firmware: BTreeMap::from([("bios".into(), "0".into())]), ..Parts::default() };
        let mut spec = spec(1);
        spec.firmware.insert("nic".into(), "7".into());
        parts.meet(&spec);
        assert_eq!(parts.firmware, BTreeMap::from([("bios".into(), "0".into()), ("nic".into(), "7".into())]));
    }
}
