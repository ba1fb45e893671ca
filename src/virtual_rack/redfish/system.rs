//! The ComputerSystem: power, boot override, and the reset action (schema ComputerSystem.v1_22).
//!
//! Owns these shapes. What a press of the power button does is the machine's.

use super::super::machine::Machine;
use super::super::machine::power::{self, Press};
use super::super::machine::settings::{Board, Enabled, Override, Target};
use super::super::spec::BootMode;
use super::reply::{self, Reply};
use axum::http::HeaderMap;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub const PATH: &str = "/redfish/v1/Systems/1";

pub fn show(machine: &Machine) -> Reply {
    let live = machine.live();
    let (board, spec, power) = (&live.board, &machine.spec, live.power.name());
    let boot = boot(board);
    let tag = reply::tag(&boot);
    let link = |name: &str| json!({"@odata.id": format!("{PATH}/{name}")});
    let health = |part: &str| machine.condition(board, part).health.name();
    let mut body = json!({
        "@odata.id": PATH,
        "@odata.type": "#ComputerSystem.v1_22_0.ComputerSystem",
        "@odata.etag": tag,
        "Id": "1",
        "Name": "System",
        "SystemType": "Physical",
        "HostName": live.drive.kept.as_ref().map(|kept| &kept.hostname),
        "UUID": board.identity.uuid,
        "SerialNumber": board.identity.serial,
        "Manufacturer": spec.vendor,
        "Model": spec.model,
        "SKU": board.identity.serial,
        "AssetTag": "",
        "PowerState": power,
        "BiosVersion": board.parts.firmware.get("bios"),
        "Status": {"State": "Enabled", "Health": "OK", "HealthRollup": machine.rollup(board).name()},
        "Boot": boot,
        "MemorySummary": {"TotalSystemMemoryGiB": spec.memory_gib, "Status": {"HealthRollup": health("memory/1")}},
        "ProcessorSummary": {"Count": 1, "CoreCount": spec.cores, "Model": "Virtual CPU", "Status": {"HealthRollup": health("processor/1")}},
        "Bios": link("Bios"),
        "EthernetInterfaces": link("EthernetInterfaces"),
        "Processors": link("Processors"),
        "Memory": link("Memory"),
        "Storage": link("Storage"),
        "LogServices": link("LogServices"),
        "PCIeDevices": super::hardware::pci_links(machine, board),
        "Links": {
            "Chassis": [{"@odata.id": "/redfish/v1/Chassis/1"}],
            "ManagedBy": [{"@odata.id": "/redfish/v1/Managers/1"}],
        },
        "Actions": {"#ComputerSystem.Reset": {
            "target": format!("{PATH}/Actions/ComputerSystem.Reset"),
            "ResetType@Redfish.AllowableValues": RESET_TYPES,
        }},
    });
    let shown = live.board.last_reset.filter(|_| machine.around.faults.shows_resets(&spec.node));
    if let Some(time) = shown {
        body["LastResetTime"] = json!(time.to_string());
    }
    Reply::tagged(body, tag)
}

/// The Boot object. It is all that can be set, so the entity tag is made from it alone: a tag that moved
/// with the power would refuse changes that nothing contradicts.
fn boot(board: &Board) -> Value {
    json!({
        "BootSourceOverrideEnabled": board.boot.enabled,
        "BootSourceOverrideEnabled@Redfish.AllowableValues": ["Disabled", "Once", "Continuous"],
        "BootSourceOverrideTarget": board.boot.target,
        "BootSourceOverrideTarget@Redfish.AllowableValues": ["None", "Pxe", "Hdd", "Cd", "UefiHttp", "BiosSetup"],
        "BootSourceOverrideMode": board.boot.mode,
        "BootSourceOverrideMode@Redfish.AllowableValues": ["UEFI", "Legacy"],
    })
}

/// PATCH of the boot override.
pub fn change(machine: &Machine, body: &Map<String, Value>, headers: &HeaderMap) -> Reply {
    let changed = machine.change(|live| {
        if !reply::precondition_holds(headers, &reply::tag(&boot(&live.board))) {
            return Err(Reply::changed_since());
        }
        live.board.boot = wanted(&live.board.boot, body)?;
        Ok(())
    });
    match changed {
        Ok(()) => show(machine),
        Err(refusal) => refusal,
    }
}

fn wanted(current: &Override, body: &Map<String, Value>) -> Result<Override, Reply> {
    let mut boot = current.clone();
    for (name, value) in body {
        match (name.as_str(), value) {
            ("Boot", Value::Object(fields)) => {
                for (name, value) in fields {
                    set(&mut boot, name, value)?;
                }
            }
            ("Boot", other) => return Err(Reply::property_type(name, other)),
            (name, _) if name.starts_with('@') => {}
            (name, _) => return Err(Reply::property_unknown(name)),
        }
    }
    if boot.enabled == Enabled::Disabled {
        boot.target = Target::None;
    }
    Ok(boot)
}

fn set(boot: &mut Override, name: &str, value: &Value) -> Result<(), Reply> {
    match name {
        "BootSourceOverrideEnabled" => boot.enabled = one_of::<Enabled>(name, value)?,
        "BootSourceOverrideTarget" => boot.target = one_of::<Target>(name, value)?,
        "BootSourceOverrideMode" => boot.mode = one_of::<BootMode>(name, value)?,
        _ => return Err(Reply::property_unknown(name)),
    }
    Ok(())
}

fn one_of<T: DeserializeOwned>(name: &str, value: &Value) -> Result<T, Reply> {
    let Value::String(text) = value else { return Err(Reply::property_type(name, value)) };
    T::deserialize(value).map_err(|_| Reply::not_in_list(name, text))
}

const RESET_TYPES: [&str; 8] =
    ["On", "ForceOff", "GracefulShutdown", "ForceRestart", "GracefulRestart", "PowerCycle", "ForceOn", "Nmi"];

/// The action `#ComputerSystem.Reset`: 204, also when the machine is already there; 409 for a restart of a
/// machine that is off.
pub fn reset(machine: &Arc<Machine>, body: &Map<String, Value>) -> Reply {
    let kind = match body.get("ResetType") {
        Some(Value::String(kind)) => kind.as_str(),
        Some(other) => return Reply::property_type("ResetType", other),
        None => return missing_parameter(),
    };
    let pressed = match kind {
        "On" | "ForceOn" => power::press(machine, Press::On),
        "ForceOff" => power::press(machine, Press::Off),
        "GracefulShutdown" => power::press(machine, Press::Shutdown),
        "ForceRestart" | "GracefulRestart" => power::press(machine, Press::Reset),
        "PowerCycle" => power::press(machine, Press::Cycle),
        // The virtual systems do not listen to it.
        "Nmi" => Ok(()),
        other => return wrong_reset(other),
    };
    match pressed {
        Ok(()) => Reply::nothing(),
        Err(power::Refused) => {
            let text = "The operation failed because the system is powered off.";
            Reply::error(409, "ResourceInStandby", text, &[])
        }
    }
}

fn missing_parameter() -> Reply {
    let text = "The action ComputerSystem.Reset requires that the parameter ResetType be present in the request body.";
    Reply::error(400, "ActionParameterMissing", text, &["ComputerSystem.Reset", "ResetType"])
}

fn wrong_reset(value: &str) -> Reply {
    let text = format!(
        "The value '{value}' for the parameter ResetType in the action ComputerSystem.Reset is not in the list of acceptable values."
    );
    Reply::error(400, "ActionParameterValueNotInList", &text, &[value, "ResetType", "ComputerSystem.Reset"])
}
