//! The volumes of storage controllers (DSP0268, Volume): which there are, and whether one is the wanted one.
//!
//! Owns how a volume is recognized: by its name, or by filling the same drives at the same level, because some controllers
//! keep no names. Where a volume does not say enough of itself, that is no "no".

use super::drives::Drive;
use super::error::{BmcError, Fault, Sent};
use super::link::{last_segment, linked};
use super::parts::{Storage, VOLUMES_LIMIT, health_of, links, word};
use super::redfish::Redfish;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    pub path: String,
    pub name: Option<String>,
    /// Id of the Storage resource that it is of.
    pub controller: String,
    pub controller_name: Option<String>,
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
    /// Paths of all volumes when it was found missing; `None` where nobody looked.
    pub there: Option<Vec<String>>,
}

/// What a volume was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenVolume {
    pub name: Option<String>,
    pub level: Option<String>,
    pub drives: Vec<String>,
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
        self.volumes_of(&storages).await.map(Some)
    }

    pub(super) async fn volumes_of(&self, storages: &[Storage]) -> Result<Vec<Volume>, BmcError> {
        let mut volumes = Vec::new();
        for storage in storages {
            let Some(collection) = &storage.volumes else { continue };
            let members = match self.members(collection).await {
                Err(error) if error.is_absence() => continue,
                other => other?,
            };
            self.within("Volumes", volumes.len() + members.len(), VOLUMES_LIMIT)?;
            for path in members {
                match self.one_of_many(&path).await {
                    Ok(body) => volumes.push(volume(path, storage, &body)),
                    Err(error) if matches!(error.status(), Some(404 | 410)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(volumes)
    }

    /// The storage controllers, for whoever writes: what cannot be shown is an error, and so is no storage at all.
    pub(super) async fn sure_storages(&self) -> Result<Vec<Storage>, BmcError> {
        let (_, system) = self.system().await?;
        if let Some(storages) = self.storages(&system.body).await? {
            return Ok(storages);
        }
        if let Some(collection) = linked(&system.body, "Storage") {
            self.members(&collection).await?;
        }
        let fault = Fault::Request("the BMC shows no storage controller".into());
        Err(self.fault("the Storage of the system", fault, Sent::Nothing))
    }
}

impl Volume {
    pub(super) fn seen(&self) -> SeenVolume {
        SeenVolume { name: self.name.clone(), level: self.level.clone(), drives: self.drives.clone() }
    }
}

impl SeenVolume {
    pub(super) fn is_still(&self, volume: &Volume) -> bool {
        let drives = |all: &[String]| all.iter().cloned().collect::<BTreeSet<String>>();
        self.name == volume.name
            && self.level == volume.level
            && drives(&self.drives) == drives(&volume.drives)
    }
}

fn volume(path: String, storage: &Storage, body: &Value) -> Volume {
    let old = word(body, "VolumeType");
    let old = old.and_then(|old| OLD_TYPES.iter().find(|(theirs, _)| *theirs == old));
    let level = word(body, "RAIDType").and_then(|kind| kind.strip_prefix("RAID").map(str::to_string));
    Volume {
        name: word(body, "Name").or_else(|| word(body, "DisplayName")),
        controller: storage.id.clone(),
        controller_name: storage.name.clone(),
        level: level.or_else(|| old.map(|(_, ours)| (*ours).to_string())),
        capacity_bytes: body.get("CapacityBytes").and_then(Value::as_u64),
        drives: body.get("Links").map(|all| links(all, "Drives")).unwrap_or_default(),
        health: health_of(body),
        path,
    }
}

pub(super) fn body(wanted: &NewVolume, chosen: &[&Drive]) -> Value {
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

fn places<'a>(chosen: &[&'a Drive]) -> BTreeSet<&'a str> {
    chosen.iter().map(|drive| &*drive.path).collect()
}

fn own_places(volume: &Volume) -> BTreeSet<&str> {
    volume.drives.iter().map(String::as_str).collect()
}

/// How a volume of that name is another one, or why nobody can tell; a service that does not say which drives it lies on
/// is believed.
pub(super) fn differs(
    volume: &Volume,
    wanted: &NewVolume,
    chosen: &[&Drive],
    drives: &[Drive],
) -> Option<String> {
    let Some(level) = volume.level.as_deref() else { return Some("does not say its level".into()) };
    let (own, meant) = (own_places(volume), places(chosen));
    if let Some(place) = own.iter().find(|place| !drives.iter().any(|drive| drive.path == **place)) {
        return Some(format!("lies on {place}, which is none of the drives that the BMC shows"));
    }
    if !own.is_empty() && own.len() < meant.len() && own.is_subset(&meant) {
        return Some(format!("has {} of its {} drives: it is degraded", own.len(), meant.len()));
    }
    if level != wanted.level {
        return Some(format!("has level {level}, not {}; it must be removed first", wanted.level));
    }
    (!own.is_empty() && own != meant).then(|| {
        let names: Vec<&str> = volume.drives.iter().map(|path| last_segment(path)).collect();
        format!("lies on other drives: {}; it must be removed first", names.join(", "))
    })
}

/// True for a volume that came after `there` was seen and is the wanted one, or is being made into it: what it does not say
/// of itself yet is no difference.
pub(super) fn is_new(volume: &Volume, wanted: &NewVolume, chosen: &[&Drive], there: &[String]) -> bool {
    if there.contains(&volume.path) {
        return false;
    }
    let level = volume.level.as_deref().is_none_or(|level| level == wanted.level);
    let drives = volume.drives.is_empty() || own_places(volume) == places(chosen);
    let size = match (volume.capacity_bytes.filter(|bytes| *bytes > 0), wanted.bytes) {
        (Some(held), Some(wanted)) => held.abs_diff(wanted) <= wanted / 100,
        _ => true,
    };
    level && drives && size
}

/// True when a volume of the same level leaves nothing of the same drives to another one of any name; `None` when sizes
/// are not told.
pub(super) fn fills(volumes: &[Volume], wanted: &NewVolume, chosen: &[&Drive]) -> Option<bool> {
    let on_them: Vec<&Volume> = volumes
        .iter()
        .filter(|volume| {
            volume.level.as_deref() == Some(&*wanted.level) && own_places(volume) == places(chosen)
        })
        .collect();
    if wanted.bytes.is_some() || on_them.is_empty() {
        return Some(false);
    }
    let all = |sizes: Vec<Option<u64>>| sizes.into_iter().collect::<Option<Vec<u64>>>();
    let least = all(chosen.iter().map(|drive| drive.capacity_bytes).collect())?.into_iter().min()?;
    let held = all(on_them.iter().map(|volume| volume.capacity_bytes).collect())?;
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
    let held = held.into_iter().fold(0, u64::saturating_add);
    Some(held >= least.saturating_mul(data) / 10 * 9)
}
