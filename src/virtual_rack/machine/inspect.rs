//! Looking at a machine and changing it from outside its BMC: the eyes and hands of the control side.
//!
//! Owns the JSON of `GET /rack/nodes` and the meaning of `PATCH /rack/nodes/NAME`. Speaks no HTTP.

use super::Machine;
use super::inspect_parts::PartsChange;
use super::power::{self, Press};
use super::settings::{Drive, Refusal};
use crate::virtual_rack::disk::Content;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// All that there is to see.
pub fn describe(machine: &Machine) -> Value {
    let live = machine.live();
    let (board, running) = (&live.board, live.board.running.as_ref());
    json!({
        "node": machine.spec.node,
        "address": machine.spec.bmc_address,
        "power": live.power.name(),
        "uuid": board.identity.uuid,
        "serial": board.identity.serial,
        "macs": board.identity.macs,
        "bios": board.bios,
        "pending": board.pending,
        "boot": board.boot,
        "responding": board.responding,
        "disk": live.drive.content.as_ref().map(disk),
        "installed": live.drive.kept,
        "running": running.map(|running| &running.image),
        "boot-id": running.map(|running| &running.boot_id),
        "last-boot": board.last_boot,
        "firmware": board.parts.firmware,
        "parts": board.parts.changed,
        "volumes": board.parts.volumes,
        "log": board.parts.log,
    })
}

fn disk(content: &Content) -> Value {
    let image = content.first_line.strip_prefix("rackwright virtual image: ").map(str::trim);
    json!({"image": image, "checksum": content.checksum, "bytes": content.bytes})
}

/// A checked change.
#[derive(Default)]
struct Change {
    bios: Map<String, Value>,
    power: Option<Press>,
    disk: Option<Option<String>>,
    uuid: Option<String>,
    responding: Option<bool>,
    parts: PartsChange,
}

/// Changes the machine behind everybody's back. Nothing is changed when any part is wrong; the error says
/// what is.
pub fn change(machine: &Arc<Machine>, wanted: &Map<String, Value>) -> Result<(), String> {
    let mut change = Change::default();
    for (name, value) in wanted {
        change.take(machine, name, value)?;
    }
    if let Some(content) = change.disk {
        replace_disk(machine, content)?;
    }
    machine.change(|live| {
        live.board.bios.extend(change.bios);
        if let Some(uuid) = change.uuid {
            live.board.identity.uuid = uuid;
        }
        live.board.responding = change.responding.unwrap_or(live.board.responding);
        change.parts.make(machine, live);
    });
    match change.power {
        Some(press) => power::press(machine, press).map_err(|_| "the power does not allow it".into()),
        None => Ok(()),
    }
}

impl Change {
    fn take(&mut self, machine: &Machine, name: &str, value: &Value) -> Result<(), String> {
        match (name, value) {
            ("bios", Value::Object(attributes)) => {
                check_bios(machine, attributes)?;
                self.bios = attributes.clone();
            }
            ("power", Value::String(power)) if power == "On" => self.power = Some(Press::On),
            ("power", Value::String(power)) if power == "Off" => self.power = Some(Press::Off),
            ("disk", Value::Null) => self.disk = Some(None),
            ("disk", Value::Object(disk)) => self.disk = Some(Some(disk_text(disk)?)),
            ("uuid", Value::String(uuid)) => self.uuid = Some(uuid.clone()),
            ("responding", Value::Bool(responding)) => self.responding = Some(*responding),
            ("firmware" | "parts" | "log" | "volumes", value) => {
                return self.parts.take(machine, name, value);
            }
            ("bios" | "power" | "disk" | "uuid" | "responding", _) => {
                return Err(format!("`{name}` cannot be {value}"));
            }
            _ => {
                return Err(format!(
                    "`{name}` cannot be changed; bios, power, disk, uuid, responding, firmware, parts, log and volumes can"
                ));
            }
        }
        Ok(())
    }
}

fn check_bios(machine: &Machine, attributes: &Map<String, Value>) -> Result<(), String> {
    let live = machine.live();
    for (name, value) in attributes {
        match live.board.refusal(name, value) {
            Some(Refusal::Unknown) => return Err(format!("there is no BIOS attribute `{name}`")),
            Some(Refusal::Type) => return Err(format!("BIOS attribute `{name}` cannot be {value}")),
            None => {}
        }
    }
    Ok(())
}

fn disk_text(disk: &Map<String, Value>) -> Result<String, String> {
    match (disk.len(), disk.get("image")) {
        (1, Some(Value::String(text))) => Ok(text.clone()),
        _ => Err("`disk` is null or {\"image\": TEXT}".into()),
    }
}

/// Puts a text on the disk, or nothing. What the old system kept stays beside a new content, as if somebody
/// had replaced the system and left its configuration; an emptied disk keeps nothing.
fn replace_disk(machine: &Machine, content: Option<String>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("the disk cannot be written: {error}");
    let mut live = machine.live();
    live.drive = match content {
        None => {
            machine.folder.wipe().map_err(failed)?;
            Drive::default()
        }
        Some(text) => {
            let mut writer = machine.folder.write().map_err(failed)?;
            writer.append(text.as_bytes()).map_err(failed)?;
            Drive { content: Some(writer.finish().map_err(failed)?), kept: live.drive.kept.take() }
        }
    };
    machine.keep_drive(&live);
    Ok(())
}
