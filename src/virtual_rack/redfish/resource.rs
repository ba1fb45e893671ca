//! The addresses of the service and the methods that each allows.
//!
//! Owns parsing of paths. Answers nothing.

/// A resource of the service (DSP0266 section 8; names of the published schemas).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    Versions,
    Root,
    OData,
    Metadata,
    SessionService,
    Sessions,
    Session(String),
    TaskService,
    Tasks,
    Task(u64),
    TaskMonitor(u64),
    Registries,
    BiosRegistryFile,
    BiosRegistry,
    Systems,
    System,
    Reset,
    Bios,
    BiosSettings,
    EthernetInterfaces,
    /// From 1.
    EthernetInterface(usize),
    Processors,
    Processor,
    Memory,
    MemoryModule,
    Storages,
    Storage,
    /// From 1, as everything with a number.
    Drive(usize),
    Volumes,
    Volume(u64),
    SystemLogs,
    SystemLog,
    SystemLogEntries,
    SystemLogEntry(u64),
    UpdateService,
    FirmwareInventory,
    Firmware(usize),
    ChassisAll,
    Chassis,
    PcieDevices,
    PcieDevice(usize),
    PcieFunctions(usize),
    PcieFunction(usize),
    Thermal,
    PowerSupplies,
    Managers,
    Manager,
    ManagerLogs,
}

impl Resource {
    /// The resource at `path`; a slash at the end makes no difference.
    pub fn parse(path: &str) -> Option<Resource> {
        let path = path.strip_prefix("/redfish")?;
        if !path.is_empty() && !path.starts_with('/') {
            return None;
        }
        // The deepest address has eight segments; anything deeper is nothing.
        let mut segments = [""; 9];
        let mut count = 0;
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            *segments.get_mut(count)? = segment;
            count += 1;
        }
        match &segments[..count] {
            [] => Some(Resource::Versions),
            ["v1", rest @ ..] => parse_v1(rest),
            _ => None,
        }
    }

    /// The methods, as the `Allow` header writes them.
    pub fn methods(&self) -> &'static str {
        match self {
            Resource::Sessions => "GET, HEAD, POST",
            Resource::Session(_) => "GET, HEAD, DELETE",
            Resource::System | Resource::BiosSettings => "GET, HEAD, PATCH",
            Resource::Reset => "POST",
            Resource::Volumes => "GET, HEAD, POST",
            Resource::Volume(_) => "GET, HEAD, DELETE",
            _ => "GET, HEAD",
        }
    }
}

fn parse_v1(segments: &[&str]) -> Option<Resource> {
    Some(match segments {
        [] => Resource::Root,
        ["odata"] => Resource::OData,
        ["$metadata"] => Resource::Metadata,
        ["SessionService"] => Resource::SessionService,
        ["SessionService", "Sessions"] => Resource::Sessions,
        ["SessionService", "Sessions", id] => Resource::Session((*id).to_string()),
        ["TaskService"] => Resource::TaskService,
        ["TaskService", "Tasks"] => Resource::Tasks,
        ["TaskService", "Tasks", id] => Resource::Task(id.parse().ok()?),
        ["TaskService", "TaskMonitors", id] => Resource::TaskMonitor(id.parse().ok()?),
        ["Registries"] => Resource::Registries,
        ["Registries", "BiosAttributeRegistry"] => Resource::BiosRegistryFile,
        ["Registries", "BiosAttributeRegistry", "BiosAttributeRegistry.v1_0_0.json"] => {
            Resource::BiosRegistry
        }
        ["Systems"] => Resource::Systems,
        ["Systems", "1", rest @ ..] => return parse_system(rest),
        ["Chassis"] => Resource::ChassisAll,
        ["Chassis", "1", rest @ ..] => return parse_chassis(rest),
        ["UpdateService"] => Resource::UpdateService,
        ["UpdateService", "FirmwareInventory"] => Resource::FirmwareInventory,
        ["UpdateService", "FirmwareInventory", id] => Resource::Firmware(id.parse().ok()?),
        ["Managers"] => Resource::Managers,
        ["Managers", "1"] => Resource::Manager,
        ["Managers", "1", "LogServices"] => Resource::ManagerLogs,
        _ => return None,
    })
}

fn parse_system(segments: &[&str]) -> Option<Resource> {
    Some(match segments {
        [] => Resource::System,
        ["Actions", "ComputerSystem.Reset"] => Resource::Reset,
        ["Bios"] => Resource::Bios,
        ["Bios", "Settings"] => Resource::BiosSettings,
        ["EthernetInterfaces"] => Resource::EthernetInterfaces,
        ["EthernetInterfaces", id] => Resource::EthernetInterface(id.parse().ok()?),
        ["Processors"] => Resource::Processors,
        ["Processors", "1"] => Resource::Processor,
        ["Memory"] => Resource::Memory,
        ["Memory", "1"] => Resource::MemoryModule,
        ["Storage"] => Resource::Storages,
        ["Storage", "1"] => Resource::Storage,
        ["Storage", "1", "Drives", id] => Resource::Drive(id.parse().ok()?),
        ["Storage", "1", "Volumes"] => Resource::Volumes,
        ["Storage", "1", "Volumes", id] => Resource::Volume(id.parse().ok()?),
        ["LogServices"] => Resource::SystemLogs,
        ["LogServices", "SEL"] => Resource::SystemLog,
        ["LogServices", "SEL", "Entries"] => Resource::SystemLogEntries,
        ["LogServices", "SEL", "Entries", id] => Resource::SystemLogEntry(id.parse().ok()?),
        _ => return None,
    })
}

fn parse_chassis(segments: &[&str]) -> Option<Resource> {
    Some(match segments {
        [] => Resource::Chassis,
        ["Thermal"] => Resource::Thermal,
        ["Power"] => Resource::PowerSupplies,
        ["PCIeDevices"] => Resource::PcieDevices,
        ["PCIeDevices", id] => Resource::PcieDevice(id.parse().ok()?),
        ["PCIeDevices", id, "PCIeFunctions"] => Resource::PcieFunctions(id.parse().ok()?),
        ["PCIeDevices", id, "PCIeFunctions", "1"] => Resource::PcieFunction(id.parse().ok()?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_resources() {
        for (path, resource) in [
            ("/redfish", Some(Resource::Versions)),
            ("/redfish/v1", Some(Resource::Root)),
            ("/redfish/v1/", Some(Resource::Root)),
            ("/redfish/v1/Systems/1/", Some(Resource::System)),
            ("/redfish/v1/Systems/1/Bios/Settings", Some(Resource::BiosSettings)),
            ("/redfish/v1/TaskService/Tasks/12", Some(Resource::Task(12))),
            ("/redfish/v1/Systems/1/Storage/1/Drives/3", Some(Resource::Drive(3))),
            ("/redfish/v1/Systems/1/Storage/1/Volumes/x", None),
            ("/redfish/v1/Chassis/1/PCIeDevices/2/PCIeFunctions/1", Some(Resource::PcieFunction(2))),
            ("/redfish/v1/Systems/2", None),
            ("/redfish/v1/TaskService/Tasks/x", None),
            ("/redfishes", None),
            ("/redfish/v1/a/b/c/d/e/f/g/h/i/j", None),
            ("/", None),
        ] {
            assert_eq!(Resource::parse(path), resource, "{path}");
        }
    }
}
