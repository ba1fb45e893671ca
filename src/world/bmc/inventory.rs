//! What a machine is made of, as far as its BMC says: missing parts are left out, never written as zero.
//!
//! A part that a service cannot show (404, 405, 410, 500, 501) is left out; one that we could not ask for is an error,
//! because "absent" must not be said for "unreachable".

use super::error::BmcError;
use super::identity::mac_of;
use super::link::{linked, odata_id};
use super::redfish::Redfish;
use super::resource::text;
use serde_json::{Map, Value, json};

/// How many storage controllers and drives are looked at.
const STORAGES_LIMIT: usize = 32;
const DRIVES_LIMIT: usize = 256;

impl Redfish {
    /// `{model, vendor, serial, uuid, bios_version, cpus, cpu_model, memory_gib,
    /// nics: [{name, mac, speed_mbps, link}], drives: [{name, model, serial, capacity_bytes, media, protocol}]}`.
    pub async fn inventory(&self) -> Result<Value, BmcError> {
        let (_, system) = self.system().await?;
        let system = system.body;
        let mut found = summary(&system);
        if system.get("EthernetInterfaces").is_some()
            && let Some(interfaces) = shown(self.interfaces(&system).await)?
        {
            found.insert("nics".into(), interfaces.iter().map(nic).collect());
        }
        if let Some(drives) = self.drive_resources(&system).await? {
            found.insert("drives".into(), drives.iter().map(drive).collect());
        }
        Ok(Value::Object(found))
    }

    /// The drives behind `Storage`, else the devices in `SimpleStorage`; `None` when the service shows neither.
    async fn drive_resources(&self, system: &Value) -> Result<Option<Vec<Value>>, BmcError> {
        if let Some(collection) = linked(system, "Storage")
            && let Some(members) = shown(self.members(&collection).await)?
        {
            return self.storage_drives(&members).await.map(Some);
        }
        let Some(collection) = linked(system, "SimpleStorage") else { return Ok(None) };
        let Some(members) = shown(self.members(&collection).await)? else { return Ok(None) };
        let mut devices = Vec::new();
        for path in members.iter().take(STORAGES_LIMIT) {
            let storage = shown(self.get(path).await)?.unwrap_or_default();
            devices.extend(storage.get("Devices").and_then(Value::as_array).into_iter().flatten().cloned());
        }
        devices.truncate(DRIVES_LIMIT);
        Ok(Some(devices))
    }

    async fn storage_drives(&self, storages: &[String]) -> Result<Vec<Value>, BmcError> {
        let mut drives = Vec::new();
        for path in storages.iter().take(STORAGES_LIMIT) {
            let storage = shown(self.get(path).await)?.unwrap_or_default();
            for link in storage.get("Drives").and_then(Value::as_array).into_iter().flatten() {
                let Some(path) = odata_id(link).filter(|_| drives.len() < DRIVES_LIMIT) else { continue };
                drives.extend(shown(self.get(&path).await)?);
            }
        }
        Ok(drives)
    }
}

/// `None` for what the service says that it cannot show. sushy-tools answers 500 for storage that it does not have.
fn shown<T>(outcome: Result<T, BmcError>) -> Result<Option<T>, BmcError> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_absence() || error.status() == Some(500) => Ok(None),
        Err(error) => Err(error),
    }
}

fn summary(system: &Value) -> Map<String, Value> {
    let of = |part: &str, key: &str| system.get(part).and_then(|part| part.get(key)).cloned();
    let mut found = pick(
        system,
        &[
            ("model", "Model"),
            ("vendor", "Manufacturer"),
            ("serial", "SerialNumber"),
            ("uuid", "UUID"),
            ("bios_version", "BiosVersion"),
        ],
    );
    put(&mut found, "cpus", of("ProcessorSummary", "Count"));
    put(&mut found, "cpu_model", of("ProcessorSummary", "Model"));
    put(&mut found, "memory_gib", of("MemorySummary", "TotalSystemMemoryGiB"));
    found
}

fn nic(interface: &Value) -> Value {
    let mut found = pick(interface, &[("name", "Id"), ("speed_mbps", "SpeedMbps"), ("link", "LinkStatus")]);
    put(&mut found, "mac", mac_of(interface).map(|mac| json!(mac)));
    Value::Object(found)
}

fn drive(drive: &Value) -> Value {
    let keys = [
        ("name", "Name"),
        ("model", "Model"),
        ("serial", "SerialNumber"),
        ("capacity_bytes", "CapacityBytes"),
        ("media", "MediaType"),
        ("protocol", "Protocol"),
    ];
    Value::Object(pick(drive, &keys))
}

/// The fields that are there, under our names.
fn pick(resource: &Value, keys: &[(&str, &str)]) -> Map<String, Value> {
    let mut found = Map::new();
    for (ours, theirs) in keys {
        let value = match resource.get(theirs) {
            Some(Value::String(_)) => text(resource, theirs).map(Value::from),
            other => other.cloned(),
        };
        put(&mut found, ours, value);
    }
    found
}

fn put(found: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    if let Some(value) = value.filter(|value| matches!(value, Value::String(_) | Value::Number(_))) {
        found.insert(key.into(), value);
    }
}
