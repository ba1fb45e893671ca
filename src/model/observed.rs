//! What was seen of the machines: when, by whom, with gaps written as unknown.

use super::value::Value;
use crate::units::{Mac, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The source of a fact that says what a step's `observe` returned.
pub fn step_source(step: &str) -> String {
    format!("{STEP_SOURCE}{step}")
}

/// What the sources of such facts begin with.
pub const STEP_SOURCE: &str = "step:";

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
