//! What a machine is made of, as its BMC tells: PCI devices, firmware, fans and power supplies, and the event log
//! (schemas PCIeDevice, PCIeFunction, SoftwareInventory, Thermal, Power, LogEntry).
//!
//! Owns these shapes. What is wrong with a part is the machine's.

use super::super::machine::Machine;
use super::super::machine::parts::LogEntry;
use super::super::machine::settings::Board;
use super::desk::collection;
use super::tree::{item, link};
use serde_json::{Value, json};

const PCIE: &str = "/redfish/v1/Chassis/1/PCIeDevices";
const FIRMWARE: &str = "/redfish/v1/UpdateService/FirmwareInventory";
const ENTRIES: &str = "/redfish/v1/Systems/1/LogServices/SEL/Entries";

/// Links to the devices that are there.
pub fn pci_links(machine: &Machine, board: &Board) -> Vec<Value> {
    pci_paths(machine, board).map(|path| json!({"@odata.id": path})).collect()
}

fn pci_paths(machine: &Machine, board: &Board) -> impl Iterator<Item = String> {
    let there = |number: &usize| !machine.condition(board, &format!("pci/{number}")).absent;
    (1..=machine.spec.pci.len()).filter(there).map(|number| format!("{PCIE}/{number}"))
}

pub fn pci_devices(machine: &Machine, board: &Board) -> Value {
    let members = pci_paths(machine, board).collect();
    collection(PCIE, "PCIeDeviceCollection", "PCIe Device Collection", members)
}

pub fn pci_device(machine: &Machine, board: &Board, number: usize) -> Option<Value> {
    let spec = machine.spec.pci.get(number.checked_sub(1)?)?;
    let condition = machine.condition(board, &format!("pci/{number}"));
    (!condition.absent).then(|| {
        item(
            &format!("Chassis/1/PCIeDevices/{number}"),
            "PCIeDevice",
            "v1_13_0",
            &spec.name,
            json!({
                "DeviceType": "SingleFunction",
                "Slot": {"Location": {"PartLocation": {"ServiceLabel": format!("Slot {number}")}}},
                "PCIeFunctions": link(&format!("Chassis/1/PCIeDevices/{number}/PCIeFunctions")),
                "Status": {"State": "Enabled", "Health": condition.health.name()},
            }),
        )
    })
}

pub fn pci_functions(machine: &Machine, board: &Board, number: usize) -> Option<Value> {
    pci_device(machine, board, number)?;
    let path = format!("{PCIE}/{number}/PCIeFunctions");
    let members = vec![format!("{path}/1")];
    Some(collection(&path, "PCIeFunctionCollection", "PCIe Function Collection", members))
}

pub fn pci_function(machine: &Machine, board: &Board, number: usize) -> Option<Value> {
    pci_device(machine, board, number)?;
    let spec = machine.spec.pci.get(number.checked_sub(1)?)?;
    Some(item(
        &format!("Chassis/1/PCIeDevices/{number}/PCIeFunctions/1"),
        "PCIeFunction",
        "v1_5_0",
        "Function 0",
        json!({
            "FunctionId": 0,
            "FunctionType": "Physical",
            "DeviceClass": spec.class,
            "VendorId": format!("0x{}", spec.vendor.to_uppercase()),
            "DeviceId": format!("0x{}", spec.device.to_uppercase()),
        }),
    ))
}

pub fn firmware_inventory(board: &Board) -> Value {
    let members = (1..=board.parts.firmware.len()).map(|number| format!("{FIRMWARE}/{number}")).collect();
    collection(FIRMWARE, "SoftwareInventoryCollection", "Firmware Inventory", members)
}

/// Numbered, with the component as its name: what many vendors do.
pub fn firmware(board: &Board, number: usize) -> Option<Value> {
    let (component, version) = board.parts.firmware.iter().nth(number.checked_sub(1)?)?;
    let path = format!("UpdateService/FirmwareInventory/{number}");
    let fields = json!({"Version": version, "Updateable": true});
    Some(item(&path, "SoftwareInventory", "v1_10_0", component, fields))
}

pub fn thermal(machine: &Machine, board: &Board) -> Value {
    let fan = |number: usize| {
        let health = machine.condition(board, &format!("fan/{number}")).health.name();
        json!({
            "@odata.id": format!("/redfish/v1/Chassis/1/Thermal#/Fans/{}", number - 1),
            "MemberId": number.to_string(),
            "Name": format!("Fan {number}"),
            "Reading": 5400,
            "ReadingUnits": "RPM",
            "Status": {"State": "Enabled", "Health": health},
        })
    };
    item("Chassis/1/Thermal", "Thermal", "v1_7_1", "Thermal", json!({"Fans": [fan(1), fan(2)]}))
}

pub fn power(machine: &Machine, board: &Board) -> Value {
    let supply = |number: usize| {
        let health = machine.condition(board, &format!("psu/{number}")).health.name();
        json!({
            "@odata.id": format!("/redfish/v1/Chassis/1/Power#/PowerSupplies/{}", number - 1),
            "MemberId": number.to_string(),
            "Name": format!("PSU {number}"),
            "Status": {"State": "Enabled", "Health": health},
        })
    };
    item("Chassis/1/Power", "Power", "v1_7_2", "Power", json!({"PowerSupplies": [supply(1), supply(2)]}))
}

/// The entries, written out in the collection as services do that keep many.
pub fn log_entries(board: &Board) -> Value {
    let mut body = collection(ENTRIES, "LogEntryCollection", "Log Entries", Vec::new());
    let entries: Vec<Value> = board.parts.log.iter().map(entry).collect();
    body["Members@odata.count"] = json!(entries.len());
    body["Members"] = json!(entries);
    body
}

pub fn log_entry(board: &Board, id: u64) -> Option<Value> {
    board.parts.log.iter().find(|entry| entry.id == id).map(entry)
}

fn entry(entry: &LogEntry) -> Value {
    json!({
        "@odata.id": format!("{ENTRIES}/{}", entry.id),
        "@odata.type": "#LogEntry.v1_16_0.LogEntry",
        "Id": entry.id.to_string(),
        "Name": format!("Log Entry {}", entry.id),
        "EntryType": "SEL",
        "Severity": entry.severity.name(),
        "Created": entry.created.to_string(),
        "Message": entry.message,
        "Resolved": entry.resolved,
    })
}
