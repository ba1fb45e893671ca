//! The volumes of storage controllers (DSP0268, Volume): which there are, making one, and removing one.
//!
//! Owns how a volume is recognized: by its name, or by filling the same drives at the same level, because some controllers
//! keep no names. Never removes a volume to make another; that is for whoever asks for both.

use super::drives::Drive;
use super::error::{BmcError, Fault, Sent};
use super::link::last_segment;
use super::parts::{VOLUMES_LIMIT, health_of, links, word};
use super::redfish::Redfish;
use crate::id::EffectId;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    pub path: String,
    pub name: Option<String>,
    /// Id of the Storage resource that it is of.
    pub controller: String,
    /// What follows `RAID` in `RAIDType`; `None` for a drive that is shown as a volume of its own.
    pub level: Option<String>,
    pub capacity_bytes: Option<u64>,
    /// Paths of its drives.
    pub drives: Vec<String>,
    pub health: Option<String>,
}

/// A volume that is wanted.
#[derive(Clone, Debug)]
pub struct NewVolume {
    pub name: String,
    /// `0`, `1`, `10` …
    pub level: String,
    /// Ids, names, what is printed beside them, or serial numbers.
    pub drives: Vec<String>,
    /// `None`: all that the drives have left.
    pub bytes: Option<u64>,
    /// Id or name of the Storage resource, where drives of several are called the same.
    pub controller: Option<String>,
}

/// `VolumeType` of services from before `RAIDType` (DSP0268, deprecated in Volume v1.3.0).
const OLD_TYPES: &[(&str, &str)] = &[
    ("NonRedundant", "0"),
    ("Mirrored", "1"),
    ("StripedWithParity", "5"),
    ("SpannedMirrors", "10"),
    ("SpannedStripesWithParity", "50"),
];

impl Redfish {
    /// Every volume; `None` when the service shows no storage. One that is listed and cannot be read is an error: whoever
    /// takes it for absent would make it again.
    pub async fn volumes(&self) -> Result<Option<Vec<Volume>>, BmcError> {
        let (_, system) = self.system().await?;
        let Some(storages) = self.storages(&system.body).await? else { return Ok(None) };
        let mut volumes = Vec::new();
        for storage in &storages {
            let Some(collection) = &storage.volumes else { continue };
            let members = match self.members(collection).await {
                Err(error) if error.is_absence() => continue,
                other => other?,
            };
            self.within("Volumes", volumes.len() + members.len(), VOLUMES_LIMIT)?;
            for path in members {
                match self.one_of_many(&path).await {
                    Ok(body) => volumes.push(volume(path, &storage.id, &body)),
                    Err(error) if matches!(error.status(), Some(404 | 410)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(Some(volumes))
    }

    /// Makes sure that the volume is there; true when it was asked for. A volume of that name which lies on other drives, or
    /// has another level, is an error.
    pub async fn create_volume(
        &self,
        wanted: &NewVolume,
        effect: Option<&EffectId>,
    ) -> Result<bool, BmcError> {
        let refuse =
            |why: String| self.fault(format!("volume `{}`", wanted.name), Fault::Request(why), Sent::Nothing);
        let (_, system) = self.system().await?;
        let none = || refuse("the BMC shows no storage controller".into());
        let storages = self.storages(&system.body).await?.ok_or_else(none)?;
        let drives = self.drives().await?.unwrap_or_default();
        let controller = match &wanted.controller {
            None => None,
            Some(name) => {
                let known = || storages.iter().map(|storage| &*storage.id).collect::<Vec<_>>().join(", ");
                let named = storages
                    .iter()
                    .find(|storage| storage.id == *name || storage.name.as_deref() == Some(name.as_str()));
                let missing = || refuse(format!("there is no controller `{name}`; there is {}", known()));
                Some(named.ok_or_else(missing)?.id.as_str())
            }
        };
        let chosen = self.choose_drives(&drives, &wanted.drives, controller)?;
        let volumes = self.volumes().await?.unwrap_or_default();
        if let Some(named) = volumes.iter().find(|volume| volume.name.as_deref() == Some(&*wanted.name)) {
            return match differs(named, wanted, &chosen) {
                None => Ok(false),
                Some(why) => Err(refuse(format!("it is there already and {why}; it must be removed first"))),
            };
        }
        if volumes.iter().any(|volume| fills(volume, wanted, &chosen)) {
            return Ok(false);
        }
        let storage = chosen.first().and_then(|drive| storages.iter().find(|it| it.id == drive.controller));
        let Some(collection) = storage.and_then(|storage| storage.volumes.clone()) else {
            return Err(refuse("the controller of its drives makes no volumes".into()));
        };
        let answer = self.post(&collection, &body(wanted, &chosen), effect).await?;
        self.finish(&collection, answer).await.map(|_| true)
    }

    /// Makes sure that no volume has that path or name; true when one was removed, and with it all that was on it.
    pub async fn delete_volume(&self, wanted: &str, effect: Option<&EffectId>) -> Result<bool, BmcError> {
        let volumes = self.volumes().await?.unwrap_or_default();
        let is_meant = |volume: &&Volume| volume.path == wanted || volume.name.as_deref() == Some(wanted);
        let meant: Vec<&Volume> = volumes.iter().filter(is_meant).collect();
        match meant.as_slice() {
            [] => Ok(false),
            [one] => {
                let answer = match self.delete(&one.path, effect).await {
                    Err(error) if matches!(error.status(), Some(404 | 410)) => return Ok(false),
                    other => other?,
                };
                self.finish(&one.path, answer).await.map(|_| true)
            }
            several => {
                let paths: Vec<&str> = several.iter().map(|volume| &*volume.path).collect();
                let why =
                    format!("several volumes are called so: {}; name one by its path", paths.join(", "));
                Err(self.fault(format!("volume `{wanted}`"), Fault::Request(why), Sent::Nothing))
            }
        }
    }
}

fn volume(path: String, controller: &str, body: &Value) -> Volume {
    let old = word(body, "VolumeType");
    let old = old.and_then(|old| OLD_TYPES.iter().find(|(theirs, _)| *theirs == old));
    let level = word(body, "RAIDType").and_then(|kind| kind.strip_prefix("RAID").map(str::to_string));
    Volume {
        name: word(body, "Name").or_else(|| word(body, "DisplayName")),
        controller: controller.to_string(),
        level: level.or_else(|| old.map(|(_, ours)| (*ours).to_string())),
        capacity_bytes: body.get("CapacityBytes").and_then(Value::as_u64),
        drives: body.get("Links").map(|all| links(all, "Drives")).unwrap_or_default(),
        health: health_of(body),
        path,
    }
}

fn body(wanted: &NewVolume, chosen: &[&Drive]) -> Value {
    let drives: Vec<Value> = chosen.iter().map(|drive| json!({ "@odata.id": drive.path })).collect();
    let mut body = json!({
        "Name": wanted.name,
        "RAIDType": format!("RAID{}", wanted.level),
        "Links": { "Drives": drives },
    });
    if let Some(bytes) = wanted.bytes {
        body["CapacityBytes"] = json!(bytes);
    }
    body
}

fn lies_on(volume: &Volume, chosen: &[&Drive]) -> bool {
    let own: BTreeSet<&str> = volume.drives.iter().map(String::as_str).collect();
    own == chosen.iter().map(|drive| &*drive.path).collect()
}

/// How a volume of that name is another one; a service that does not say which drives it lies on is believed.
fn differs(volume: &Volume, wanted: &NewVolume, chosen: &[&Drive]) -> Option<String> {
    let level = volume.level.as_deref().unwrap_or("none");
    if level != wanted.level {
        return Some(format!("has level {level}, not {}", wanted.level));
    }
    (!volume.drives.is_empty() && !lies_on(volume, chosen)).then(|| {
        let names: Vec<&str> = volume.drives.iter().map(|path| last_segment(path)).collect();
        format!("lies on other drives: {}", names.join(", "))
    })
}

/// True for a volume of the same level that leaves nothing of the same drives to another one of any name.
fn fills(volume: &Volume, wanted: &NewVolume, chosen: &[&Drive]) -> bool {
    if wanted.bytes.is_some() || volume.level.as_deref() != Some(&*wanted.level) || !lies_on(volume, chosen) {
        return false;
    }
    let least = chosen.iter().map(|drive| drive.capacity_bytes).min().flatten();
    let (Some(least), Some(held)) = (least, volume.capacity_bytes) else { return false };
    let count = chosen.len() as u64;
    let data = match wanted.level.as_str() {
        "1" => 1,
        "10" => count / 2,
        "5" => count.saturating_sub(1),
        "6" | "50" => count.saturating_sub(2),
        "60" => count.saturating_sub(4),
        _ => count,
    };
    // Controllers keep a few percent for themselves.
    held >= least.saturating_mul(data) / 10 * 9
}
