//! What was seen of the machines: when, by whom, with gaps written as unknown.

use super::value::Value;
use crate::units::{Mac, Time};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The source of a fact that says what a step's `observe` returned.
pub fn step_source(step: &str) -> String {
    format!("{STEP_SOURCE}{step}")
}

/// What the sources of such facts begin with.
pub const STEP_SOURCE: &str = "step:";

/// The fact source of what a BMC says of its machine.
pub const MACHINE_SOURCE: &str = "machine";

/// The fact source of what an installed system says of itself when it boots.
pub const SYSTEM_SOURCE: &str = "system";

/// The fact source of the host key by which a node's installed system is known over SSH.
pub const HOST_KEY_SOURCE: &str = "host-key";

/// Everything seen, by node name.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    pub nodes: BTreeMap<Arc<str>, NodeObserved>,
}

#[derive(Clone, Debug, Default)]
pub struct NodeObserved {
    /// The machine behind the node's BMC address.
    pub machine: Seen<Machine>,
    /// What each lifecycle step's `observe` returned, by step name.
    pub steps: BTreeMap<Arc<str>, Seen<Value>>,
}

/// One look at something.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seen<T> {
    /// Nobody has looked.
    #[default]
    Never,
    /// We looked and could not see: never the same as absent.
    Unknown {
        why: String,
        at: Time,
    },
    Is {
        value: T,
        at: Time,
    },
}

impl Observed {
    /// Which nodes' machines report a MAC: more than one is a mistake in somebody's BMC address.
    pub fn mac_claims(&self) -> BTreeMap<Mac, BTreeSet<Arc<str>>> {
        let mut claims: BTreeMap<Mac, BTreeSet<Arc<str>>> = BTreeMap::new();
        for (name, seen) in &self.nodes {
            let macs = seen.machine.value().map(|machine| machine.identity.macs.as_slice());
            for mac in macs.unwrap_or_default() {
                claims.entry(*mac).or_default().insert(name.clone());
            }
        }
        claims
    }
}

impl<T> Seen<T> {
    pub fn value(&self) -> Option<&T> {
        match self {
            Seen::Is { value, .. } => Some(value),
            _ => None,
        }
    }
}

/// What a BMC says of its machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub identity: Identity,
    /// `on`, `off`, `powering-on` or `powering-off`.
    pub power: String,
}

/// What makes a machine itself. Empty parts were not reported.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub uuid: Option<String>,
    pub serial: Option<String>,
    pub macs: Vec<Mac>,
}

impl Identity {
    /// Why `self`, just read, is not the machine `recorded`; `None` when nothing speaks against it.
    pub fn differs_from(&self, recorded: &Identity) -> Option<String> {
        let differs = |what: &str, now: &Option<String>, then: &Option<String>| match (now, then) {
            (Some(now), Some(then)) if !now.eq_ignore_ascii_case(then) => {
                Some(format!("its {what} is {now}, on record is {then}"))
            }
            _ => None,
        };
        differs("system UUID", &self.uuid, &recorded.uuid)
            .or_else(|| differs("serial number", &self.serial, &recorded.serial))
            .or_else(|| self.confirms_nothing_of(recorded))
    }

    /// A machine that says nothing of what is on record could be any machine.
    fn confirms_nothing_of(&self, recorded: &Identity) -> Option<String> {
        let same_mac = self.macs.iter().any(|mac| recorded.macs.contains(mac));
        let confirms = (self.uuid.is_some() && recorded.uuid.is_some())
            || (self.serial.is_some() && recorded.serial.is_some())
            || same_mac;
        let knows = recorded.uuid.is_some() || recorded.serial.is_some() || !recorded.macs.is_empty();
        (knows && !confirms).then(|| "it does not say who it is, and its identity is on record".to_string())
    }

    /// This identity, with the parts that it lacks from `before`.
    pub fn or(&self, before: &Identity) -> Identity {
        Identity {
            uuid: self.uuid.clone().or_else(|| before.uuid.clone()),
            serial: self.serial.clone().or_else(|| before.serial.clone()),
            macs: if self.macs.is_empty() { before.macs.clone() } else { self.macs.clone() },
        }
    }

    /// Why a machine with this identity cannot be the one with `boot_mac`.
    pub fn lacks_mac(&self, boot_mac: Option<Mac>) -> Option<String> {
        let wanted = boot_mac?;
        if self.macs.is_empty() || self.macs.contains(&wanted) {
            return None;
        }
        let macs: Vec<String> = self.macs.iter().map(Mac::to_string).collect();
        Some(format!("it has the MACs {}, the design names {wanted}", macs.join(", ")))
    }
}
