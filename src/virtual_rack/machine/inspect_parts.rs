//! What can be done to the parts of a machine behind everybody's back.
//!
//! Owns the meaning of `firmware`, `parts`, `log` and `volumes` in `PATCH /rack/nodes/NAME`: `{"bios": "1.2"}`,
//! `{"drive/2": {"health": "Critical", "predicted": true, "absent": false}}` with `null` for as delivered,
//! `{"severity": "Warning", "message": "…"}` with `null` for all resolved, and `{"NAME": null}` for a volume that goes.

use super::parts::{self, Condition, Health};
use super::{Live, Machine};
use crate::virtual_rack::clock;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A checked change of parts.
#[derive(Default)]
pub struct PartsChange {
    firmware: BTreeMap<String, String>,
    conditions: BTreeMap<String, Option<Condition>>,
    log: Option<LogChange>,
    lost_volumes: Vec<u64>,
}

enum LogChange {
    Entry(Health, String),
    AllResolved,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewEntry {
    severity: Health,
    message: String,
}

impl PartsChange {
    pub fn take(&mut self, machine: &Machine, name: &str, value: &Value) -> Result<(), String> {
        let wrong = || format!("`{name}` cannot be {value}");
        match (name, value) {
            ("log", Value::Null) => self.log = Some(LogChange::AllResolved),
            ("log", value) => {
                let entry = NewEntry::deserialize(value).map_err(|error| format!("`log`: {error}"))?;
                self.log = Some(LogChange::Entry(entry.severity, entry.message));
            }
            ("firmware", Value::Object(versions)) => {
                for (component, version) in versions {
                    let version = version.as_str().ok_or_else(wrong)?;
                    self.firmware.insert(component.clone(), version.to_string());
                }
            }
            ("parts", Value::Object(changes)) => self.take_conditions(machine, changes)?,
            ("volumes", Value::Object(volumes)) => {
                for (name, gone) in volumes {
                    let live = machine.live();
                    let known = live.board.parts.volumes.iter().find(|volume| volume.name == *name);
                    let volume = known.ok_or_else(|| format!("there is no volume `{name}`"))?;
                    if !gone.is_null() {
                        return Err(format!("volume `{name}` can only be null"));
                    }
                    self.lost_volumes.push(volume.id);
                }
            }
            _ => return Err(wrong()),
        }
        Ok(())
    }

    fn take_conditions(&mut self, machine: &Machine, changes: &Map<String, Value>) -> Result<(), String> {
        let names = parts::names(&machine.spec);
        for (part, condition) in changes {
            if !names.contains(part) {
                return Err(format!("there is no part `{part}`; there is {}", names.join(", ")));
            }
            let condition = Option::<Condition>::deserialize(condition)
                .map_err(|error| format!("part `{part}`: {error}"))?;
            self.conditions.insert(part.clone(), condition);
        }
        Ok(())
    }

    pub fn make(self, machine: &Machine, live: &mut Live) {
        live.board.parts.firmware.extend(self.firmware);
        for (part, condition) in self.conditions {
            match condition {
                Some(condition) => live.board.parts.changed.insert(part, condition),
                None => live.board.parts.changed.remove(&part),
            };
        }
        match self.log {
            Some(LogChange::Entry(severity, message)) => {
                live.board.parts.note(severity, message, clock::now());
            }
            Some(LogChange::AllResolved) => {
                live.board.parts.log.iter_mut().for_each(|entry| entry.resolved = true);
            }
            None => {}
        }
        for id in self.lost_volumes {
            machine.remove_volume(live, id);
        }
    }
}
