//! Storage: the controller, its drives, and the volumes that are made of them (schemas Storage, Drive, Volume).
//!
//! Owns these shapes, and what of a request for a volume is understood. Whether the drives can hold it is the machine's.

use super::super::machine::Machine;
use super::super::machine::parts::{Health, Refusal, Volume};
use super::super::machine::settings::Board;
use super::desk::{self, collection};
use super::reply::Reply;
use super::tree::{item, link};
use serde_json::{Map, Value, json};

const STORAGE: &str = "Systems/1/Storage/1";
const DRIVES: &str = "/redfish/v1/Systems/1/Storage/1/Drives";
const VOLUMES: &str = "/redfish/v1/Systems/1/Storage/1/Volumes";
/// What stands before the level in `RAIDType`.
const RAID: &str = "RAID";

pub fn show(machine: &Machine, board: &Board) -> Value {
    let present = |number: &usize| !machine.condition(board, &format!("drive/{number}")).absent;
    let drives: Vec<Value> = (1..=machine.spec.drives.len()).filter(present).map(drive_link).collect();
    let health = machine.condition(board, "controller").health.name();
    let mut body = item(
        STORAGE,
        "Storage",
        "v1_15_1",
        &machine.spec.controller,
        json!({
            "Drives@odata.count": drives.len(),
            "Drives": drives,
            "Volumes": link("Systems/1/Storage/1/Volumes"),
            "StorageControllers": [{
                "@odata.id": format!("/redfish/v1/{STORAGE}#/StorageControllers/0"),
                "MemberId": "0",
                "Name": machine.spec.controller,
                "Status": {"State": "Enabled", "Health": health},
            }],
        }),
    );
    body["Status"]["Health"] = json!(health);
    body
}

fn drive_link(number: usize) -> Value {
    json!({"@odata.id": format!("{DRIVES}/{number}")})
}

pub fn drive(machine: &Machine, board: &Board, number: usize) -> Option<Value> {
    let spec = machine.spec.drives.get(number.checked_sub(1)?)?;
    let condition = machine.condition(board, &format!("drive/{number}"));
    if condition.absent {
        return None;
    }
    let volumes = board.parts.volumes.iter().filter(|volume| volume.drives.contains(&number));
    let volumes: Vec<Value> = volumes.map(|volume| json!({"@odata.id": volume_path(volume)})).collect();
    Some(item(
        &format!("{STORAGE}/Drives/{number}"),
        "Drive",
        "v1_18_0",
        &format!("Disk {number}"),
        json!({
            "CapacityBytes": spec.bytes,
            "MediaType": spec.media,
            "Protocol": spec.protocol,
            "Manufacturer": "Rackwright",
            "Model": "Virtual disk",
            "SerialNumber": format!("{}-D{number}", board.identity.serial),
            "FailurePredicted": condition.predicted,
            "PhysicalLocation": {"PartLocation": {"LocationType": "Bay", "ServiceLabel": spec.bay}},
            "Status": {"State": "Enabled", "Health": condition.health.name()},
            "Links": {"Volumes": volumes},
        }),
    ))
}

fn volume_path(volume: &Volume) -> String {
    format!("{VOLUMES}/{}", volume.id)
}

pub fn volumes(board: &Board) -> Value {
    let members = board.parts.volumes.iter().map(volume_path).collect();
    collection(VOLUMES, "VolumeCollection", "Volume Collection", members)
}

pub fn volume(board: &Board, id: u64) -> Option<Value> {
    let volume = board.parts.volumes.iter().find(|volume| volume.id == id)?;
    let drives: Vec<Value> = volume.drives.iter().map(|number| drive_link(*number)).collect();
    Some(item(
        &format!("{STORAGE}/Volumes/{id}"),
        "Volume",
        "v1_10_0",
        &volume.name,
        json!({
            "CapacityBytes": volume.bytes,
            "RAIDType": format!("{RAID}{}", volume.level),
            "Links": {"Drives@odata.count": drives.len(), "Drives": drives},
        }),
    ))
}

/// POST to the collection: 202, or an error that names the property that is wrong.
pub fn create(machine: &Machine, body: &Map<String, Value>) -> Reply {
    let count = machine.next_volume();
    let made = machine.change(|live| {
        let wanted = wanted(machine, &live.board, body)?;
        if machine.around.faults.refuses_volume(&machine.spec.node, count) {
            let text =
                "The storage controller failed to create the volume: a physical drive is being rebuilt.";
            return Err(Reply::error(400, "ResourceCannotBeCreated", text, &[]));
        }
        machine.make_volume(live, wanted).map_err(refused)
    });
    match made {
        Ok(_) => desk::accept(machine, "Create volume"),
        Err(reply) => reply,
    }
}

fn refused(refusal: Refusal) -> Reply {
    let conflict = |property: &str, why: &str| {
        let text = format!("The value of the property {property} cannot be used: {why}.");
        Reply::error(400, "PropertyValueConflict", &text, &[property])
    };
    match refusal {
        Refusal::Level => Reply::not_in_list("RAIDType", "of that level"),
        Refusal::Drives(why) => conflict("Links/Drives", &why),
        Refusal::Size(why) => conflict("CapacityBytes", &why),
        Refusal::Name(why) => conflict("Name", &why),
    }
}

fn wanted(machine: &Machine, board: &Board, body: &Map<String, Value>) -> Result<Volume, Reply> {
    let mut volume =
        Volume { id: 0, name: String::new(), level: String::new(), bytes: 0, drives: Vec::new() };
    for (name, value) in body {
        match (name.as_str(), value) {
            ("Name", Value::String(text)) => volume.name = text.clone(),
            ("RAIDType", Value::String(kind)) => match kind.strip_prefix(RAID) {
                Some(level) => volume.level = level.to_string(),
                None => return Err(Reply::not_in_list(name, kind)),
            },
            ("CapacityBytes", value) => match value.as_u64().filter(|bytes| *bytes > 0) {
                Some(bytes) => volume.bytes = bytes,
                None => return Err(Reply::property_type(name, value)),
            },
            ("Links", Value::Object(links)) => volume.drives = drives(machine, board, links)?,
            ("Name" | "RAIDType" | "Links", other) => return Err(Reply::property_type(name, other)),
            (name, _) if name.starts_with('@') => {}
            (name, _) => return Err(Reply::property_unknown(name)),
        }
    }
    for (name, missing) in [("Name", volume.name.is_empty()), ("RAIDType", volume.level.is_empty())] {
        if missing {
            return Err(Reply::property_missing(name));
        }
    }
    Ok(volume)
}

/// The numbers of the drives in `Links.Drives`: there, healthy enough, each once.
fn drives(machine: &Machine, board: &Board, links: &Map<String, Value>) -> Result<Vec<usize>, Reply> {
    let Some(Value::Array(links)) = links.get("Drives") else {
        return Err(Reply::property_missing("Links/Drives"));
    };
    let mut found = Vec::new();
    for link in links {
        let path = link.get("@odata.id").and_then(Value::as_str).unwrap_or_default();
        let number = path.strip_prefix(DRIVES).and_then(|rest| rest.strip_prefix('/')?.parse().ok());
        let there = number.filter(|number| drive(machine, board, *number).is_some());
        let Some(number) = there.filter(|number| !found.contains(number)) else {
            return Err(Reply::not_in_list("Links/Drives", path));
        };
        if machine.condition(board, &format!("drive/{number}")).health == Health::Critical {
            let text = format!("The drive '{path}' has failed and cannot be part of a volume.");
            return Err(Reply::error(400, "ResourceInUse", &text, &[path]));
        }
        found.push(number);
    }
    Ok(found)
}

/// DELETE of a volume: 202; what was on it is gone.
pub fn remove(machine: &Machine, id: u64, path: &str) -> Reply {
    match machine.change(|live| machine.remove_volume(live, id)) {
        true => desk::accept(machine, "Delete volume"),
        false => Reply::not_found(path),
    }
}
