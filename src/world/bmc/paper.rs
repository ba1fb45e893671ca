//! A client on paper: it reads what the service says, writes nothing, and reads back what it would have written.
//!
//! Owns the list of requests that were not sent, and what the machine would show after them: a changed resource as
//! changed (RFC 7396), a resource that was made in its collection and one that was removed no more, the power as asked for, a boot override for one boot as used up by the next start (DSP0268,
//! `BootSourceOverrideEnabled`). Assumes that every request succeeds; whoever traces says so.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A mutating request as it would be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    pub method: String,
    pub path: String,
    pub body: Value,
}

/// What the path of an action holds (DSP0266, 7.5); any other POST makes a member of a collection.
const ACTIONS: &str = "/Actions/";

#[derive(Debug, Default)]
pub(super) struct Paper(Mutex<Sheet>);

#[derive(Debug, Default)]
struct Sheet {
    written: Vec<Written>,
    /// By path: what was changed of a resource, as one merge patch.
    changed: BTreeMap<String, Value>,
    /// By path: what was made, with the collection that it is in.
    made: BTreeMap<String, (String, Value)>,
    removed: BTreeSet<String>,
    /// How many were ever made: two are never the same one.
    members: usize,
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
        match method {
            "DELETE" => {
                sheet.made.remove(path);
                sheet.removed.insert(path.into());
                return;
            }
            "POST" if !path.contains(ACTIONS) => {
                sheet.members += 1;
                let member = format!("{}/on-paper-{}", path.trim_end_matches('/'), sheet.members);
                let mut resource = body.clone();
                merge(&mut resource, &json!({ "@odata.id": member }));
                sheet.made.insert(member, (path.into(), resource));
                return;
            }
            _ => {}
        }
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

    /// What is there or gone only on paper: `None` for everything that the service has to be asked for.
    pub fn holds(&self, path: &str) -> Option<Option<Value>> {
        let sheet = self.sheet();
        match sheet.made.get(path) {
            Some((_, resource)) => Some(Some(resource.clone())),
            None => sheet.removed.contains(path).then_some(None),
        }
    }

    /// A resource as it would be read now.
    pub fn read(&self, path: &str, mut resource: Value) -> Value {
        let sheet = self.sheet();
        if let Some(change) = sheet.changed.get(path) {
            merge(&mut resource, change);
        }
        if let Some(members) = resource.get_mut("Members").and_then(Value::as_array_mut) {
            let is_removed = |member: &Value| {
                let path = member.get("@odata.id").and_then(Value::as_str);
                path.is_some_and(|path| sheet.removed.contains(path))
            };
            members.retain(|member| !is_removed(member));
            let made = sheet.made.iter().filter(|(_, (collection, _))| collection == path);
            members.extend(made.map(|(member, _)| json!({ "@odata.id": member })));
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
    fn what_was_made_is_in_its_collection_and_what_was_removed_is_not() {
        const VOLUMES: &str = "/redfish/v1/Systems/1/Storage/1/Volumes";
        let paper = Paper::default();
        let old = format!("{VOLUMES}/1");
        let there = json!({ "Members": [{ "@odata.id": old }], "Members@odata.count": 1 });
        let paths = |paper: &Paper| -> Vec<String> {
            let shown = paper.read(VOLUMES, there.clone());
            let members = shown["Members"].as_array().unwrap().iter();
            members.map(|member| member["@odata.id"].as_str().unwrap().to_string()).collect()
        };
        assert_eq!(paper.holds(&old), None);
        paper.write("DELETE", &old, &Value::Null);
        assert_eq!((paper.holds(&old), paths(&paper)), (Some(None), vec![]));
        paper.write("POST", VOLUMES, &json!({ "Name": "os" }));
        let made = paths(&paper);
        assert_eq!(made.len(), 1);
        assert_eq!(paper.holds(&made[0]).unwrap().unwrap()["Name"], "os");
        paper.write("DELETE", &made[0], &Value::Null);
        assert!(paths(&paper).is_empty());
        assert_eq!(paper.take().len(), 3);
        // An action makes nothing.
        paper.write("POST", RESET, &json!({ "ResetType": "On" }));
        assert_eq!(paper.read(VOLUMES, json!({ "Members": [] }))["Members"], json!([]));
    }

    #[test]
    fn a_null_in_a_patch_removes() {
        let mut target = json!({ "a": { "b": 1, "c": 2 }, "d": [1] });
        merge(&mut target, &json!({ "a": { "b": null }, "d": [2] }));
        assert_eq!(target, json!({ "a": { "c": 2 }, "d": [2] }));
    }
}
