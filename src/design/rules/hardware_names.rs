//! A disk or an interface is named by an alias of the hardware or by the name that the kernel gives it.
//!
//! Why: a misspelt alias would be taken for a device, and no machine has it. Example: `disk "bootdisk"` where the
//! hardware says `alias "boot-disk"`. Fix: take the suggestion. Only names that are near an alias and that no
//! kernel would give are reported: what a device may be called is otherwise the machine's business.

use super::device_names::is_given;
use super::{Context, subject};
use crate::design::resolve::{Resolved, place_at, place_in_list};
use crate::finding::{Finding, HARDWARE_NAME, Place, did_you_mean};
use crate::model::path::Path;
use crate::model::value::{Map, Value};
use std::collections::HashSet;
use std::sync::Arc;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    // Nodes that share all three share the mistakes in them.
    let mut seen = HashSet::new();
    for resolved in context.sure_nodes() {
        let spec = &resolved.node.spec;
        let part = |key: &str| spec.get(key).and_then(address);
        let Some(aliases) = spec.get("hardware").and_then(|it| it.get("alias")?.as_map()) else { continue };
        if !aliases.is_empty() && seen.insert([part("hardware"), part("interfaces"), part("storage")]) {
            check_names(resolved, aliases, findings);
        }
    }
}

/// Where a shared map lies in memory.
fn address(value: &Value) -> Option<*const Map> {
    match value {
        Value::Map(map) => Some(Arc::as_ptr(map)),
        _ => None,
    }
}

fn check_names(resolved: &Resolved, aliases: &Map, findings: &mut Vec<Finding>) {
    let spec = &resolved.node.spec;
    let interfaces = spec.get("interfaces").and_then(Value::as_map);
    let is_known = |name: &str| {
        aliases.contains_key(name) || interfaces.is_some_and(|it| it.contains_key(name)) || is_given(name)
    };
    let mut judge = |name: &str, what: &str, place: &dyn Fn() -> Place| {
        let near = did_you_mean(name, aliases.keys().map(|alias| &**alias)).filter(|_| !is_known(name));
        if let Some(near) = near {
            let message = format!("{what} `{name}` is neither an alias of the hardware nor a kernel's name");
            let finding = Finding::new(HARDWARE_NAME, subject(resolved), message).at(place());
            findings.push(finding.help(format!("did you mean `{near}`?")));
        }
    };
    let boot = Path(vec!["hardware".into(), "pxe-interface".into()]);
    if let Some(name) = spec.at(&boot).and_then(Value::as_str) {
        judge(name, "PXE interface", &|| place_at(&resolved.node, &boot));
    }
    for (interface, value) in interfaces.into_iter().flatten() {
        let list = Path(vec!["interfaces".into(), interface.clone(), "members".into()]);
        for member in value.get("members").and_then(Value::as_list).unwrap_or_default() {
            let Some(name) = member.as_str() else { continue };
            judge(name, "member", &|| {
                place_in_list(&resolved.node, &list, name).unwrap_or_else(|| place_at(&resolved.node, &list))
            });
        }
    }
    let disks = Path(vec!["storage".into(), "disks".into()]);
    for disk in spec.at(&disks).and_then(Value::as_map).into_iter().flat_map(|disks| disks.keys()) {
        judge(disk, "disk", &|| place_at(&resolved.node, &disks.join(disk)));
    }
}
