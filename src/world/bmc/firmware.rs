//! Versions of what runs on a machine's boards (DSP0268, SoftwareInventory), and the devices on its PCI bus (PCIeDevice,
//! PCIeFunction).
//!
//! Compares nothing, and gives no component another name than the service does.

use super::error::BmcError;
use super::link::{last_segment, linked};
use super::parts::{Part, called, health_of, is_absent, links, word};
use super::redfish::Redfish;
use super::resource::NO_PATH;
use serde_json::Value;

/// How many components and devices there may be. More are an error: who counts must not miss any.
const COMPONENTS_LIMIT: usize = 256;
const DEVICES_LIMIT: usize = 128;
/// A device tells of itself by its first functions.
const FUNCTIONS_LIMIT: usize = 4;

/// What is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Firmware {
    /// `ComputerSystem.BiosVersion`.
    pub bios: Option<String>,
    /// `Manager.FirmwareVersion` of the first manager.
    pub bmc: Option<String>,
    /// The firmware inventory; empty when the service has none.
    pub components: Vec<Component>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    pub id: String,
    pub name: Option<String>,
    pub version: Option<String>,
}

/// A device on the PCI bus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PciDevice {
    pub path: String,
    pub id: String,
    pub name: String,
    /// Four hexadecimal digits in lower case, of its first function that says so.
    pub vendor: Option<String>,
    pub device: Option<String>,
    pub class: Option<String>,
    pub slot: Option<String>,
    pub health: Option<String>,
    pub unreadable: Option<String>,
}

impl Redfish {
    pub async fn firmware(&self) -> Result<Firmware, BmcError> {
        let (_, system) = self.system().await?;
        let managers = self.neighbours(&system.body, "ManagedBy").await?;
        let version = |part: &Part| match part {
            Part::There(manager) => word(manager, "FirmwareVersion"),
            _ => None,
        };
        let mut found = Firmware {
            bios: word(&system.body, "BiosVersion"),
            bmc: managers.iter().find_map(|(_, part)| version(part)),
            components: Vec::new(),
        };
        let root = self.service_root().await?;
        let Some(path) = linked(&root, "UpdateService") else { return Ok(found) };
        let Part::There(service) = self.part(&path).await? else { return Ok(found) };
        let members = self.linked_members(&service, "FirmwareInventory").await?.unwrap_or_default();
        self.within("FirmwareInventory", members.len(), COMPONENTS_LIMIT)?;
        for path in &members {
            let id = last_segment(path).to_string();
            match self.part(path).await? {
                Part::There(body) => found.components.push(Component {
                    id: word(&body, "Id").unwrap_or(id),
                    name: word(&body, "Name"),
                    version: word(&body, "Version"),
                }),
                Part::Gone => {}
                Part::Unreadable(_) => found.components.push(Component { id, name: None, version: None }),
            }
        }
        Ok(found)
    }

    /// Every PCI device; `None` when the service shows none for the system nor for its chassis.
    pub async fn pci_devices(&self) -> Result<Option<Vec<PciDevice>>, BmcError> {
        let (_, system) = self.system().await?;
        let Some(paths) = self.pci_paths(&system.body).await? else { return Ok(None) };
        let mut devices = Vec::new();
        self.within("PCIeDevices", paths.len(), DEVICES_LIMIT)?;
        for path in paths {
            match self.part(&path).await? {
                Part::There(body) if is_absent(&body) => {}
                Part::There(body) => devices.push(self.pci_device(path, &body).await?),
                Part::Gone => {}
                Part::Unreadable(why) => devices.push(PciDevice {
                    id: last_segment(&path).to_string(),
                    name: last_segment(&path).to_string(),
                    unreadable: Some(why),
                    path,
                    ..PciDevice::default()
                }),
            }
        }
        Ok(Some(devices))
    }

    async fn pci_paths(&self, system: &Value) -> Result<Option<Vec<String>>, BmcError> {
        let own = links(system, "PCIeDevices");
        if !own.is_empty() {
            return Ok(Some(own));
        }
        let mut found: Option<Vec<String>> = None;
        for (path, part) in self.neighbours(system, "Chassis").await? {
            let chassis = match part {
                Part::There(chassis) => chassis,
                Part::Gone => continue,
                // Its devices are hidden, which the list must show: it stands there for them.
                Part::Unreadable(_) => {
                    found.get_or_insert_default().push(path);
                    continue;
                }
            };
            let linked = chassis.get("Links").map(|all| links(all, "PCIeDevices")).unwrap_or_default();
            let members = self.linked_members(&chassis, "PCIeDevices").await?;
            if members.is_some() || !linked.is_empty() {
                let all = found.get_or_insert_default();
                all.extend(members.unwrap_or(linked));
            }
        }
        Ok(found)
    }

    async fn pci_device(&self, path: String, body: &Value) -> Result<PciDevice, BmcError> {
        let of_links = body.get("Links").map(|all| links(all, "PCIeFunctions")).unwrap_or_default();
        let functions = match of_links.is_empty() {
            false => of_links,
            true => self.linked_members(body, "PCIeFunctions").await?.unwrap_or_else(|| hidden(body)),
        };
        let place = body.get("Slot").and_then(|slot| slot.get("Location")?.get("PartLocation"));
        let mut device = PciDevice {
            id: word(body, "Id").unwrap_or_else(|| last_segment(&path).to_string()),
            name: called(body, &path),
            slot: place.and_then(|place| word(place, "ServiceLabel")),
            health: health_of(body),
            path,
            ..PciDevice::default()
        };
        for function in functions.iter().take(FUNCTIONS_LIMIT) {
            let function = match self.part(function).await? {
                Part::There(function) => function,
                Part::Gone => continue,
                Part::Unreadable(why) => {
                    device.unreadable = Some(why);
                    continue;
                }
            };
            device.vendor = pci_id(&function, "VendorId");
            device.device = pci_id(&function, "DeviceId");
            device.class = word(&function, "DeviceClass");
            if device.vendor.is_some() {
                device.unreadable = None;
                break;
            }
        }
        Ok(device)
    }
}

/// Functions that a device links to and that cannot be listed.
fn hidden(device: &Value) -> Vec<String> {
    linked(device, "PCIeFunctions").map(|_| NO_PATH.to_string()).into_iter().collect()
}

/// `0x15B3` and `15b3` mean the same.
fn pci_id(function: &Value, key: &str) -> Option<String> {
    let id = word(function, key)?.to_ascii_lowercase();
    Some(id.strip_prefix("0x").unwrap_or(&id).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_of_vendors_are_written_in_one_way() {
        for written in ["0x15B3", "15b3", " 0X15b3 "] {
            assert_eq!(pci_id(&json!({ "VendorId": written }), "VendorId").as_deref(), Some("15b3"));
        }
        assert_eq!(pci_id(&json!({ "VendorId": null }), "VendorId"), None);
    }
}
