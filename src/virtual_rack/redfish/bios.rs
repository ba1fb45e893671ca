//! BIOS attributes: what is effective, what is pending, and their registry (schemas Bios, AttributeRegistry).
//!
//! Owns these shapes and the checks of a change. Pending settings become effective in the firmware.

use super::super::machine::Machine;
use super::super::machine::settings::{Board, Refusal};
use super::reply::{self, Reply};
use super::{desk, system};
use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

const REGISTRY: &str = "BiosAttributeRegistry.v1_0_0";

pub fn show(machine: &Machine) -> Reply {
    let live = machine.live();
    Reply::resource(json!({
        "@odata.id": format!("{}/Bios", system::PATH),
        "@odata.type": "#Bios.v1_2_3.Bios",
        "Id": "Bios",
        "Name": "BIOS Configuration Current Settings",
        "AttributeRegistry": REGISTRY,
        "Attributes": live.board.bios,
        "@Redfish.Settings": {
            "@odata.type": "#Settings.v1_3_5.Settings",
            "SettingsObject": {"@odata.id": format!("{}/Bios/Settings", system::PATH)},
            "SupportedApplyTimes": ["OnReset"],
        },
    }))
}

pub fn show_pending(machine: &Machine) -> Reply {
    Reply::resource(pending(&machine.live().board))
}

fn pending(board: &Board) -> Value {
    json!({
        "@odata.id": format!("{}/Bios/Settings", system::PATH),
        "@odata.type": "#Bios.v1_2_3.Bios",
        "Id": "Settings",
        "Name": "BIOS Configuration Pending Settings",
        "AttributeRegistry": REGISTRY,
        "Attributes": board.pending,
    })
}

/// PATCH of the pending settings: 202, or 400 that names the first attribute that is wrong. All or nothing.
pub fn change(machine: &Machine, body: &Map<String, Value>, headers: &HeaderMap) -> Reply {
    let attributes = match attributes(body) {
        Ok(attributes) => attributes,
        Err(refusal) => return refusal,
    };
    let changed = machine.change(|live| {
        if !reply::precondition_holds(headers, &reply::tag(&pending(&live.board))) {
            return Err(Reply::changed_since());
        }
        for (name, value) in attributes {
            match live.board.refusal(name, value) {
                Some(Refusal::Unknown) => return Err(Reply::property_unknown(name)),
                Some(Refusal::Type) => return Err(Reply::property_type(name, value)),
                None => {}
            }
        }
        let wanted = attributes.iter().map(|(name, value)| (name.clone(), value.clone()));
        live.board.pending.extend(wanted);
        Ok(())
    });
    match changed {
        Ok(()) => desk::accept(machine, "Store BIOS settings"),
        Err(refusal) => refusal,
    }
}

fn attributes(body: &Map<String, Value>) -> Result<&Map<String, Value>, Reply> {
    if let Some(name) = body.keys().find(|name| *name != "Attributes" && !name.starts_with('@')) {
        return Err(Reply::property_unknown(name));
    }
    if let Some(time) = body.get("@Redfish.SettingsApplyTime").and_then(|time| time.get("ApplyTime"))
        && time != "OnReset"
    {
        return Err(Reply::not_in_list("ApplyTime", time.as_str().unwrap_or_default()));
    }
    match body.get("Attributes") {
        Some(Value::Object(attributes)) => Ok(attributes),
        Some(other) => Err(Reply::property_type("Attributes", other)),
        None => Err(Reply::property_missing("Attributes")),
    }
}

/// The registry: each attribute with its type. Strings have no list of values: the factory knows none.
pub fn registry(machine: &Machine) -> Reply {
    let live = machine.live();
    let attributes: Vec<Value> =
        live.board.bios.keys().map(|name| registered(machine, &live.board, name)).collect();
    Reply::resource(json!({
        "@odata.id": "/redfish/v1/Registries/BiosAttributeRegistry/BiosAttributeRegistry.v1_0_0.json",
        "@odata.type": "#AttributeRegistry.v1_3_8.AttributeRegistry",
        "Id": REGISTRY,
        "Name": "BIOS Attribute Registry",
        "Language": "en",
        "OwningEntity": machine.spec.vendor,
        "RegistryVersion": "1.0.0",
        "RegistryEntries": {"Attributes": attributes},
    }))
}

fn registered(machine: &Machine, board: &Board, name: &str) -> Value {
    let kind = match board.bios.get(name) {
        Some(Value::Bool(_)) => "Boolean",
        Some(Value::Number(_)) => "Integer",
        _ => "String",
    };
    json!({
        "AttributeName": name,
        "DisplayName": name,
        "Type": kind,
        "DefaultValue": machine.spec.bios.get(name),
        "ReadOnly": false,
        "ResetRequired": true,
    })
}
