//! How a machine is: the parts that are not well, each with where it is (DSP0268, Status).
//!
//! Owns which parts are looked at: chassis with fans and power supplies, processors, memory, storage with drives and
//! volumes, PCI devices. Processors and memory modules are read one by one only where their summary is not well.

use super::drives::Drive;
use super::error::BmcError;
use super::link::linked;
use super::parts::{Part, called, health_of, is_absent, is_unreadable, items, word};
use super::redfish::Redfish;
use serde_json::Value;

/// How many parts that are not well are told.
const AILING_LIMIT: usize = 256;
/// How many processors, memory modules, fans and supplies of one collection are read.
const MEMBERS_LIMIT: usize = 128;
const WELL: &str = "ok";
/// Of a part that is listed and cannot be shown.
const UNREADABLE: &str = "unknown";

/// The health of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// `Status.HealthRollup` of the system, else its `Health`, in lower case.
    pub rollup: Option<String>,
    pub ailing: Vec<Ailing>,
}

/// A part that is not well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ailing {
    pub part: String,
    pub path: String,
    /// `warning`, `critical`, `unknown`.
    pub health: String,
    pub why: String,
}

impl Redfish {
    pub async fn health(&self) -> Result<Health, BmcError> {
        let (path, system) = self.system().await?;
        let system = system.body;
        let status = system.get("Status").unwrap_or(&Value::Null);
        let rollup = word(status, "HealthRollup").or_else(|| word(status, "Health"));
        let mut ward = Ward { ailing: Vec::new() };
        ward.look("system", &path, &system);
        for (summary, collection, kind) in
            [("ProcessorSummary", "Processors", "processor"), ("MemorySummary", "Memory", "memory")]
        {
            if !is_well(system.get(summary)) {
                self.collection_health(&system, collection, kind, &mut ward).await?;
            }
        }
        self.storage_health(&system, &mut ward).await?;
        self.chassis_health(&system, &mut ward).await?;
        for device in self.pci_devices().await?.unwrap_or_default() {
            let why = device.unreadable.as_deref();
            ward.note("PCI device", &device.name, &device.path, device.health.as_deref(), why);
        }
        Ok(Health { rollup: rollup.map(|text| text.to_ascii_lowercase()), ailing: ward.ailing })
    }

    async fn collection_health(
        &self,
        resource: &Value,
        key: &str,
        kind: &str,
        ward: &mut Ward,
    ) -> Result<(), BmcError> {
        let members = self.linked_members(resource, key).await?.unwrap_or_default();
        for path in members.iter().take(MEMBERS_LIMIT) {
            match self.part(path).await? {
                Part::There(body) => ward.look(kind, path, &body),
                Part::Gone => {}
                Part::Unreadable(why) => ward.note(kind, "", path, None, Some(&why)),
            }
        }
        Ok(())
    }

    /// What of the storage cannot be shown at all is told, and hides nothing of the rest.
    async fn storage_health(&self, system: &Value, ward: &mut Ward) -> Result<(), BmcError> {
        let path = linked(system, "Storage").unwrap_or_default();
        let storages = self.storages(system).await;
        for storage in ward.shown("storage controllers", &path, storages)?.unwrap_or_default() {
            ward.look("storage", &storage.path, &storage.body);
            for controller in items(&storage.body, "StorageControllers") {
                ward.look("storage controller", &storage.path, controller);
            }
        }
        let drives = self.drives().await;
        for drive in ward.shown("drives", &path, drives)?.unwrap_or_default() {
            ward.drive(&drive);
        }
        let volumes = self.volumes().await;
        for volume in ward.shown("volumes", &path, volumes)?.unwrap_or_default() {
            let name = volume.name.unwrap_or_default();
            ward.note("volume", &name, &volume.path, volume.health.as_deref(), None);
        }
        Ok(())
    }

    async fn chassis_health(&self, system: &Value, ward: &mut Ward) -> Result<(), BmcError> {
        for (path, part) in self.neighbours(system, "Chassis").await? {
            let chassis = match part {
                Part::There(chassis) => chassis,
                Part::Gone => continue,
                Part::Unreadable(why) => {
                    ward.note("chassis", "", &path, None, Some(&why));
                    continue;
                }
            };
            ward.look("chassis", &path, &chassis);
            for (key, subsystem, lists) in [
                ("Thermal", "ThermalSubsystem", [("Fans", "fan"), ("Temperatures", "temperature")]),
                ("Power", "PowerSubsystem", [("PowerSupplies", "power supply"), ("Voltages", "voltage")]),
            ] {
                // What is deprecated is asked first: it is one request, and most services have it.
                let (found, is_new) = match self.linked_part(&chassis, key).await? {
                    Some(found) => (Some(found), false),
                    None => (self.linked_part(&chassis, subsystem).await?, true),
                };
                let Some((path, body)) = found else { continue };
                for (list, kind) in lists {
                    items(&body, list).for_each(|item| ward.look(kind, &path, item));
                    if is_new {
                        self.collection_health(&body, list, kind, ward).await?;
                    }
                }
            }
        }
        Ok(())
    }

    async fn linked_part(&self, resource: &Value, key: &str) -> Result<Option<(String, Value)>, BmcError> {
        let Some(path) = linked(resource, key) else { return Ok(None) };
        match self.part(&path).await? {
            Part::There(body) => Ok(Some((path, body))),
            _ => Ok(None),
        }
    }
}

/// A summary that says that all is well speaks for its members.
fn is_well(summary: Option<&Value>) -> bool {
    let status = summary.and_then(|summary| summary.get("Status"));
    let rollup = status.and_then(|status| word(status, "HealthRollup").or_else(|| word(status, "Health")));
    rollup.is_some_and(|health| health.eq_ignore_ascii_case(WELL))
}

/// Where the parts that are not well are gathered.
struct Ward {
    ailing: Vec<Ailing>,
}

impl Ward {
    /// What was read, or a note that the service cannot show it; other errors stay errors.
    fn shown<T>(
        &mut self,
        kind: &str,
        path: &str,
        read: Result<Option<T>, BmcError>,
    ) -> Result<Option<T>, BmcError> {
        match read {
            Err(error) if is_unreadable(&error) => {
                self.note(kind, "", path, None, Some(&error.fault.to_string()));
                Ok(None)
            }
            other => other,
        }
    }

    fn look(&mut self, kind: &str, path: &str, body: &Value) {
        if is_absent(body) {
            return;
        }
        let status = body.get("Status").unwrap_or(&Value::Null);
        let said = items(status, "Conditions").find_map(|condition| word(condition, "Message"));
        // Items of a list have a path of their own behind a `#`.
        let own = body.get("@odata.id").and_then(Value::as_str).unwrap_or(path);
        self.note(kind, &called(body, path), own, health_of(body).as_deref(), said.as_deref());
    }

    fn drive(&mut self, drive: &Drive) {
        let name = drive.name.as_deref().or(drive.bay.as_deref()).unwrap_or(&drive.id);
        let well = drive.health.as_deref().is_none_or(|health| health == WELL);
        if well && drive.failure_predicted == Some(true) {
            self.note("drive", name, &drive.path, Some("warning"), Some("its failure is predicted"));
        } else {
            self.note("drive", name, &drive.path, drive.health.as_deref(), drive.unreadable.as_deref());
        }
    }

    /// Without a health nothing is said, unless the part could not be read at all.
    fn note(&mut self, kind: &str, name: &str, path: &str, health: Option<&str>, why: Option<&str>) {
        let health = match (health, why) {
            (Some(WELL), _) | (None, None) => return,
            (Some(health), _) => health,
            (None, Some(_)) => UNREADABLE,
        };
        if self.ailing.len() >= AILING_LIMIT {
            return;
        }
        let part = format!("{kind} {name}").trim().to_string();
        let why = why.map_or_else(|| format!("the BMC says {health}"), str::to_string);
        self.ailing.push(Ailing { part, path: path.to_string(), health: health.to_string(), why });
    }
}
