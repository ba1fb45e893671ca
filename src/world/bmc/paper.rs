//! A client on paper: it reads what the service says, writes nothing, and reads back what it would have written.
//!
//! Owns the list of requests that were not sent, and what the machine would show after them: a changed resource as
//! changed (RFC 7396), the power as asked for, a boot override for one boot as used up by the next start (DSP0268,
//! `BootSourceOverrideEnabled`). Assumes that every request succeeds; whoever traces says so.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A mutating request as it would be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    pub method: String,
    pub path: String,
    pub body: Value,
}

#[derive(Debug, Default)]
pub(super) struct Paper(Mutex<Sheet>);

#[derive(Debug, Default)]
struct Sheet {
    written: Vec<Written>,
    /// By path: what was changed of a resource, as one merge patch.
    changed: BTreeMap<String, Value>,
    /// What the last reset leaves: `On` or `Off`.
    power: Option<&'static str>,
    /// The machine was started, so that pending settings are in force.
    started: bool,
    /// It was started since the boot override was last written.
    override_used: bool,
}

impl Paper {
    /// Notes a request instead of sending it.
    pub fn write(&self, method: &str, path: &str, body: &Value) {
        let mut sheet = self.sheet();
        sheet.written.push(Written { method: method.into(), path: path.into(), body: body.clone() });
        match body.get("ResetType").and_then(Value::as_str) {
            Some("ForceOff" | "GracefulShutdown") => sheet.power = Some("Off"),
            Some(_) => {
                sheet.power = Some("On");
                sheet.started = true;
                sheet.override_used = true;
            }
            None => {
                sheet.override_used &= body.get("Boot").is_none();
                merge(sheet.changed.entry(path.into()).or_insert_with(|| json!({})), body);
            }
        }
    }

    /// A resource as it would be read now.
    pub fn read(&self, path: &str, mut resource: Value) -> Value {
        let sheet = self.sheet();
        if let Some(change) = sheet.changed.get(path) {
            merge(&mut resource, change);
        }
        if let (Some(power), Some(state)) = (sheet.power, resource.get_mut("PowerState")) {
            *state = json!(power);
        }
        let enabled = resource.pointer_mut("/Boot/BootSourceOverrideEnabled");
        if let Some(enabled) = enabled.filter(|enabled| sheet.override_used && **enabled == "Once") {
            *enabled = json!("Disabled");
        }
        resource
    }

    /// True when the machine was started on paper: its pending settings are in force.
    pub fn started(&self) -> bool {
        self.sheet().started
    }

    /// What was written since this was last asked.
    pub fn take(&self) -> Vec<Written> {
        std::mem::take(&mut self.sheet().written)
    }

    fn sheet(&self) -> MutexGuard<'_, Sheet> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// JSON Merge Patch (RFC 7396, section 2).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Some(target) = target.as_object_mut() else { return };
    for (name, value) in patch {
        match value {
            Value::Null => drop(target.remove(name)),
            other => merge(target.entry(name.clone()).or_insert(Value::Null), other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEM: &str = "/redfish/v1/Systems/1";
    const RESET: &str = "/redfish/v1/Systems/1/Actions/ComputerSystem.Reset";

    fn system() -> Value {
        json!({ "PowerState": "Off", "Boot": { "BootSourceOverrideEnabled": "Disabled" } })
    }

    #[test]
    fn what_was_written_is_read_back_and_nothing_else() {
        let paper = Paper::default();
        assert_eq!(paper.read(SYSTEM, system()), system());
        let boot =
            json!({ "Boot": { "BootSourceOverrideTarget": "Pxe", "BootSourceOverrideEnabled": "Once" } });
        paper.write("PATCH", SYSTEM, &boot);
        assert_eq!(paper.read(SYSTEM, system())["Boot"], boot["Boot"]);
        assert_eq!(paper.read("/redfish/v1/Systems/2", system()), system());
        assert_eq!(paper.take().len(), 1);
        assert!(paper.take().is_empty());
    }

    #[test]
    fn a_start_uses_an_override_for_one_boot_up_and_a_new_one_stands() {
        let paper = Paper::default();
        let once = json!({ "Boot": { "BootSourceOverrideEnabled": "Once" } });
        let enabled =
            |paper: &Paper| paper.read(SYSTEM, system())["Boot"]["BootSourceOverrideEnabled"].clone();
        paper.write("PATCH", SYSTEM, &once);
        paper.write("POST", RESET, &json!({ "ResetType": "On" }));
        assert_eq!(paper.read(SYSTEM, system())["PowerState"], "On");
        assert_eq!(enabled(&paper), "Disabled");
        assert!(paper.started());
        paper.write("PATCH", SYSTEM, &once);
        assert_eq!(enabled(&paper), "Once");
        paper.write("POST", RESET, &json!({ "ResetType": "ForceOff" }));
        assert_eq!(paper.read(SYSTEM, system())["PowerState"], "Off");
        assert_eq!(enabled(&paper), "Once");
    }

    #[test]
    fn a_null_in_a_patch_removes() {
        let mut target = json!({ "a": { "b": 1, "c": 2 }, "d": [1] });
        merge(&mut target, &json!({ "a": { "b": null }, "d": [2] }));
        assert_eq!(target, json!({ "a": { "c": 2 }, "d": [2] }));
    }
}
