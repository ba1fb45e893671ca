//! The rest of the service: resources that are read and never change.
//!
//! Owns their shapes. They tell what the machine was made of.

use super::super::machine::Machine;
use super::super::machine::settings::Board;
use super::desk::collection;
use super::reply::Reply;
use super::resource::Resource;
use super::system::PATH as SYSTEM;
use super::{hardware, storage};
use serde_json::{Value, json};

const V1: &str = "/redfish/v1";

pub fn show(machine: &Machine, resource: &Resource) -> Reply {
    let live = machine.live();
    match body(machine, &live.board, resource) {
        Some(body) => Reply::resource(body),
        None => Reply::not_found(V1),
    }
}

fn body(machine: &Machine, board: &Board, resource: &Resource) -> Option<Value> {
    Some(match resource {
        Resource::Versions => json!({"v1": "/redfish/v1/"}),
        Resource::Root => root(machine, board),
        Resource::OData => odata(),
        Resource::Metadata => json!({"@odata.context": "/redfish/v1/$metadata"}),
        Resource::SessionService => service(
            "SessionService",
            "v1_1_9",
            json!({
                "SessionTimeout": 1800,
                "Sessions": link("SessionService/Sessions"),
            }),
        ),
        Resource::TaskService => service(
            "TaskService",
            "v1_2_1",
            json!({
                "TaskAutoDeleteTimeoutMinutes": 60,
                "Tasks": link("TaskService/Tasks"),
            }),
        ),
        Resource::Registries => all("Registries", "MessageRegistryFile", &["BiosAttributeRegistry"]),
        Resource::BiosRegistryFile => registry_file(),
        Resource::Systems => all("Systems", "ComputerSystem", &["1"]),
        Resource::ChassisAll => all("Chassis", "Chassis", &["1"]),
        Resource::Managers => all("Managers", "Manager", &["1"]),
        Resource::EthernetInterfaces => interfaces(board),
        Resource::EthernetInterface(number) => interface(board, *number)?,
        Resource::Processors => all("Systems/1/Processors", "Processor", &["1"]),
        Resource::Memory => all("Systems/1/Memory", "Memory", &["1"]),
        Resource::Storages => all("Systems/1/Storage", "Storage", &["1"]),
        Resource::SystemLogs => all("Systems/1/LogServices", "LogService", &["SEL"]),
        Resource::ManagerLogs => all("Managers/1/LogServices", "LogService", &[]),
        Resource::Processor => processor(machine, board),
        Resource::MemoryModule => memory(machine, board),
        Resource::SystemLog => log(),
        Resource::Chassis => chassis(machine, board),
        Resource::Manager => manager(machine, board),
        Resource::UpdateService => service(
            "UpdateService",
            "v1_14_0",
            json!({"FirmwareInventory": link("UpdateService/FirmwareInventory")}),
        ),
        other => return part(machine, board, other),
    })
}

/// Resources that change with what the machine is made of.
fn part(machine: &Machine, board: &Board, resource: &Resource) -> Option<Value> {
    match resource {
        Resource::Storage => Some(storage::show(machine, board)),
        Resource::Drive(number) => storage::drive(machine, board, *number),
        Resource::Volumes => Some(storage::volumes(board)),
        Resource::Volume(id) => storage::volume(board, *id),
        Resource::SystemLogEntries => Some(hardware::log_entries(board)),
        Resource::SystemLogEntry(id) => hardware::log_entry(board, *id),
        Resource::FirmwareInventory => Some(hardware::firmware_inventory(board)),
        Resource::Firmware(number) => hardware::firmware(board, *number),
        Resource::PcieDevices => Some(hardware::pci_devices(machine, board)),
        Resource::PcieDevice(number) => hardware::pci_device(machine, board, *number),
        Resource::PcieFunctions(number) => hardware::pci_functions(machine, board, *number),
        Resource::PcieFunction(number) => hardware::pci_function(machine, board, *number),
        Resource::Thermal => Some(hardware::thermal(machine, board)),
        Resource::PowerSupplies => Some(hardware::power(machine, board)),
        _ => None,
    }
}

pub fn link(path: &str) -> Value {
    json!({"@odata.id": format!("{V1}/{path}")})
}

fn all(path: &str, kind: &str, members: &[&str]) -> Value {
    let full = format!("{V1}/{path}");
    let members = members.iter().map(|id| format!("{full}/{id}")).collect();
    collection(&full, &format!("{kind}Collection"), &format!("{kind} Collection"), members)
}

/// A resource with the fields that all have; `fields` is added to them.
pub fn item(path: &str, kind: &str, version: &str, name: &str, fields: Value) -> Value {
    let mut body = json!({
        "@odata.id": format!("{V1}/{path}"),
        "@odata.type": format!("#{kind}.{version}.{kind}"),
        "Id": path.rsplit('/').next(),
        "Name": name,
        "Status": {"State": "Enabled", "Health": "OK"},
    });
    if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
        body.extend(fields);
    }
    body
}

fn service(name: &str, version: &str, mut fields: Value) -> Value {
    fields["ServiceEnabled"] = json!(true);
    item(name, name, version, name, fields)
}

fn root(machine: &Machine, board: &Board) -> Value {
    json!({
        "@odata.id": "/redfish/v1/",
        "@odata.type": "#ServiceRoot.v1_16_1.ServiceRoot",
        "Id": "RootService",
        "Name": "Root Service",
        "RedfishVersion": "1.18.0",
        "UUID": board.identity.uuid,
        "Vendor": machine.spec.vendor,
        "Product": "Rackwright virtual BMC",
        "Systems": link("Systems"),
        "Chassis": link("Chassis"),
        "Managers": link("Managers"),
        "Registries": link("Registries"),
        "SessionService": link("SessionService"),
        "Tasks": link("TaskService"),
        "UpdateService": link("UpdateService"),
        "Links": {"Sessions": link("SessionService/Sessions")},
        "ProtocolFeaturesSupported": {"FilterQuery": false, "SelectQuery": false, "ExcerptQuery": false},
    })
}

fn odata() -> Value {
    let names =
        ["Systems", "Chassis", "Managers", "Registries", "SessionService", "TaskService", "UpdateService"];
    let services: Vec<Value> = names
        .iter()
        .map(|name| json!({"name": name, "kind": "Singleton", "url": format!("{V1}/{name}")}))
        .collect();
    json!({"@odata.context": "/redfish/v1/$metadata", "value": services})
}

fn registry_file() -> Value {
    item(
        "Registries/BiosAttributeRegistry",
        "MessageRegistryFile",
        "v1_1_3",
        "BIOS Attribute Registry File",
        json!({
            "Languages": ["en"],
            "Registry": "BiosAttributeRegistry.v1_0_0",
            "Location": [{
                "Language": "en",
                "Uri": "/redfish/v1/Registries/BiosAttributeRegistry/BiosAttributeRegistry.v1_0_0.json",
            }],
        }),
    )
}

fn interfaces(board: &Board) -> Value {
    let path = format!("{SYSTEM}/EthernetInterfaces");
    let members = (1..=board.identity.macs.len()).map(|number| format!("{path}/{number}")).collect();
    collection(&path, "EthernetInterfaceCollection", "EthernetInterface Collection", members)
}

fn interface(board: &Board, number: usize) -> Option<Value> {
    let mac = board.identity.macs.get(number.checked_sub(1)?)?;
    let path = format!("Systems/1/EthernetInterfaces/{number}");
    Some(item(
        &path,
        "EthernetInterface",
        "v1_12_1",
        &format!("NIC {number}"),
        json!({
            "MACAddress": mac,
            "PermanentMACAddress": mac,
            "InterfaceEnabled": true,
            "LinkStatus": "LinkUp",
            "SpeedMbps": 25_000,
        }),
    ))
}

/// `Status` of a part.
fn status(machine: &Machine, board: &Board, part: &str) -> Value {
    json!({"State": "Enabled", "Health": machine.condition(board, part).health.name()})
}

fn processor(machine: &Machine, board: &Board) -> Value {
    item(
        "Systems/1/Processors/1",
        "Processor",
        "v1_19_0",
        "CPU 1",
        json!({
            "ProcessorType": "CPU",
            "Model": "Virtual CPU",
            "TotalCores": machine.spec.cores,
            "TotalThreads": machine.spec.cores,
            "Status": status(machine, board, "processor/1"),
        }),
    )
}

fn memory(machine: &Machine, board: &Board) -> Value {
    item(
        "Systems/1/Memory/1",
        "Memory",
        "v1_19_0",
        "DIMM 1",
        json!({
            "MemoryDeviceType": "DDR4",
            "CapacityMiB": u64::from(machine.spec.memory_gib) * 1024,
            "Status": status(machine, board, "memory/1"),
        }),
    )
}

fn log() -> Value {
    item(
        "Systems/1/LogServices/SEL",
        "LogService",
        "v1_5_1",
        "System Event Log",
        json!({
            "ServiceEnabled": true,
            "OverWritePolicy": "WrapsWhenFull",
            "Entries": link("Systems/1/LogServices/SEL/Entries"),
        }),
    )
}

fn chassis(machine: &Machine, board: &Board) -> Value {
    item(
        "Chassis/1",
        "Chassis",
        "v1_25_0",
        "Chassis",
        json!({
            "ChassisType": "RackMount",
            "Manufacturer": machine.spec.vendor,
            "Model": machine.spec.model,
            "SerialNumber": board.identity.serial,
            "Status": status(machine, board, "chassis"),
            "PCIeDevices": link("Chassis/1/PCIeDevices"),
            "Thermal": link("Chassis/1/Thermal"),
            "Power": link("Chassis/1/Power"),
            "Links": {"ComputerSystems": [link("Systems/1")], "ManagedBy": [link("Managers/1")]},
        }),
    )
}

fn manager(machine: &Machine, board: &Board) -> Value {
    item(
        "Managers/1",
        "Manager",
        "v1_19_1",
        "BMC",
        json!({
            "ManagerType": "BMC",
            "Manufacturer": machine.spec.vendor,
            "Model": "Virtual BMC",
            "FirmwareVersion": board.parts.firmware.get("bmc"),
            "LogServices": link("Managers/1/LogServices"),
            "Links": {"ManagerForServers": [link("Systems/1")], "ManagerForChassis": [link("Chassis/1")]},
        }),
    )
}
