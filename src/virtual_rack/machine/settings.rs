//! What a machine keeps without power: identity, BIOS settings, boot override, disk. Serialized as it lies
//! in the state folder.
//!
//! Owns the shapes and how BIOS settings change. Does not write them down.

use super::super::disk::Content;
use super::super::spec::{BootMode, MachineSpec};
use super::parts::Parts;
use crate::units::{Mac, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a machine says it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub uuid: String,
    pub serial: String,
    pub macs: Vec<Mac>,
}

/// `BootSourceOverrideEnabled` (Redfish schema ComputerSystem).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Enabled {
    Disabled,
    Once,
    Continuous,
}

/// `BootSourceOverrideTarget`; also the name of a boot device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    None,
    Pxe,
    Hdd,
    Cd,
    UefiHttp,
    BiosSetup,
}

impl Target {
    /// As Redfish and the log write it.
    pub fn name(self) -> &'static str {
        match self {
            Target::None => "None",
            Target::Pxe => "Pxe",
            Target::Hdd => "Hdd",
            Target::Cd => "Cd",
            Target::UefiHttp => "UefiHttp",
            Target::BiosSetup => "BiosSetup",
        }
    }
}

/// The boot override of a system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    pub enabled: Enabled,
    pub target: Target,
    pub mode: BootMode,
}

/// How the last boot attempt went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastBoot {
    pub device: Target,
    pub outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// An installed system that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub image: String,
    pub checksum: String,
    pub boot_id: String,
    /// Its phone-home is over, whether heard or given up.
    pub reported: bool,
}

/// What an installer leaves on the disk beside the image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub hostname: String,
    pub kernel_params: Vec<String>,
    pub authorized_keys: Vec<String>,
    pub phone_home: Option<String>,
}

/// The disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drive {
    pub content: Option<Content>,
    pub kept: Option<Kept>,
}

/// The board: everything else that lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Board {
    pub identity: Identity,
    pub powered: bool,
    pub bios: BTreeMap<String, Value>,
    pub pending: BTreeMap<String, Value>,
    pub boot: Override,
    /// `false`: the BMC accepts connections and never answers.
    pub responding: bool,
    pub last_boot: Option<LastBoot>,
    /// When the machine was last started or reset.
    #[serde(default)]
    pub last_reset: Option<Time>,
    /// The system that runs, so that a restarted rack finds it running.
    pub running: Option<Running>,
    /// Firmware, volumes, the event log, and parts that are not as delivered.
    #[serde(default)]
    pub parts: Parts,
}

impl Board {
    /// A board as delivered: off, factory settings.
    pub fn new(spec: &MachineSpec) -> Board {
        Board {
            identity: Identity {
                uuid: spec.uuid.clone(),
                serial: spec.serial.clone(),
                macs: spec.macs.clone(),
            },
            powered: false,
            bios: spec.bios.clone(),
            pending: BTreeMap::new(),
            boot: Override { enabled: Enabled::Disabled, target: Target::None, mode: spec.boot_mode },
            responding: true,
            last_boot: None,
            last_reset: None,
            running: None,
            parts: Parts::default(),
        }
    }

    /// A kept board meets a specification that may have changed. Hardware stays what it was: UUID and
    /// serial number for ever, so that a design which swaps two BMC addresses meets the wrong machines.
    /// NICs stay as long as the rack still knows their boot MAC; a boot MAC that nobody names any more was
    /// a replaced NIC or a corrected slip of the pen. Attributes that are new to the BIOS have factory values.
    pub fn meet(&mut self, spec: &MachineSpec, known: &dyn Fn(&Mac) -> bool) {
        if !self.identity.macs.first().is_some_and(known) {
            self.identity.macs = spec.macs.clone();
        }
        for (name, value) in &spec.bios {
            self.bios.entry(name.clone()).or_insert_with(|| value.clone());
        }
        self.parts.meet(spec);
    }

    /// What is wrong with setting BIOS attribute `name` to `value`, if anything.
    pub fn refusal(&self, name: &str, value: &Value) -> Option<Refusal> {
        let Some(current) = self.bios.get(name) else { return Some(Refusal::Unknown) };
        let same = match current {
            Value::Bool(_) => value.is_boolean(),
            Value::Number(_) => value.is_i64() || value.is_u64(),
            _ => value.is_string(),
        };
        (!same).then_some(Refusal::Type)
    }

    /// Self-test at power-on and reset: pending settings become effective.
    pub fn post(&mut self) {
        self.bios.append(&mut self.pending);
    }
}

/// Why a BIOS attribute cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Unknown,
    Type,
}
