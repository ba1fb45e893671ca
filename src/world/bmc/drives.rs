//! The drives behind the storage controllers of a machine (DSP0268, Drive).
//!
//! Owns what is read of a drive and by which names one is known. A drive that is listed and cannot be shown is in the
//! list, with nothing but its id.

use super::error::{BmcError, Fault, Sent};
use super::link::last_segment;
use super::parts::{DRIVES_LIMIT, Part, Storage, health_of, is_absent, word};
use super::redfish::Redfish;
use serde_json::Value;

/// One drive. What the service does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drive {
    pub path: String,
    pub id: String,
    pub name: Option<String>,
    /// What is printed beside it: `PhysicalLocation.PartLocation.ServiceLabel`.
    pub bay: Option<String>,
    /// Id of the Storage resource that it is behind.
    pub controller: String,
    pub controller_name: Option<String>,
    pub serial: Option<String>,
    pub model: Option<String>,
    /// `ssd`, `hdd` …
    pub media: Option<String>,
    /// `sas`, `sata`, `nvme` …
    pub protocol: Option<String>,
    pub capacity_bytes: Option<u64>,
    pub health: Option<String>,
    pub failure_predicted: Option<bool>,
    /// Why the service cannot show it.
    pub unreadable: Option<String>,
}

impl Drive {
    /// True when somebody may mean this drive: by id, name, what is printed beside it, or serial number, in any case.
    pub(super) fn is_called(&self, wanted: &str) -> bool {
        let names = [Some(&self.id), self.name.as_ref(), self.bay.as_ref(), self.serial.as_ref()];
        names.into_iter().flatten().any(|name| name.eq_ignore_ascii_case(wanted))
    }

    fn of(path: String, storage: &Storage, body: &Value) -> Drive {
        let lower = |key: &str| word(body, key).map(|text| text.to_ascii_lowercase());
        let location = body.get("PhysicalLocation").and_then(|place| place.get("PartLocation"));
        Drive {
            id: word(body, "Id").unwrap_or_else(|| last_segment(&path).to_string()),
            name: word(body, "Name"),
            bay: location.and_then(|location| word(location, "ServiceLabel")),
            controller: storage.id.clone(),
            controller_name: storage.name.clone(),
            serial: word(body, "SerialNumber"),
            model: word(body, "Model"),
            media: lower("MediaType"),
            protocol: lower("Protocol"),
            capacity_bytes: body.get("CapacityBytes").and_then(Value::as_u64),
            health: health_of(body),
            failure_predicted: body.get("FailurePredicted").and_then(Value::as_bool),
            unreadable: None,
            path,
        }
    }
}

impl Redfish {
    /// Every drive; `None` when the service shows no storage.
    pub async fn drives(&self) -> Result<Option<Vec<Drive>>, BmcError> {
        let (_, system) = self.system().await?;
        let Some(storages) = self.storages(&system.body).await? else { return Ok(None) };
        let count = storages.iter().map(|storage| storage.drives.len()).sum();
        self.within("Drives", count, DRIVES_LIMIT)?;
        let mut drives = Vec::new();
        for storage in &storages {
            for path in &storage.drives {
                match self.part(path).await? {
                    Part::There(body) if is_absent(&body) => {}
                    Part::There(body) => drives.push(Drive::of(path.clone(), storage, &body)),
                    Part::Gone => {}
                    Part::Unreadable(why) => drives.push(Drive {
                        id: last_segment(path).to_string(),
                        path: path.clone(),
                        controller: storage.id.clone(),
                        controller_name: storage.name.clone(),
                        unreadable: Some(why),
                        ..Drive::default()
                    }),
                }
            }
        }
        Ok(Some(drives))
    }

    /// The drives that are called so, in that order, all behind one controller.
    pub(super) fn choose_drives<'a>(
        &self,
        drives: &'a [Drive],
        wanted: &[String],
        controller: Option<&str>,
    ) -> Result<Vec<&'a Drive>, BmcError> {
        let refuse = |why: String| self.fault("the drives of the volume", Fault::Request(why), Sent::Nothing);
        let mut chosen: Vec<&Drive> = Vec::new();
        for name in wanted {
            let of_controller = |drive: &&Drive| controller.is_none_or(|wanted| drive.controller == wanted);
            let fitting: Vec<&Drive> =
                drives.iter().filter(of_controller).filter(|drive| drive.is_called(name)).collect();
            match fitting.as_slice() {
                [one] if chosen.iter().any(|other| other.path == one.path) => {
                    return Err(refuse(format!("`{name}` is named twice")));
                }
                [one] if one.unreadable.is_some() => {
                    return Err(refuse(format!("drive `{name}` cannot be read")));
                }
                [one] => chosen.push(one),
                [] => {
                    let known: Vec<&str> =
                        drives.iter().filter(of_controller).map(|drive| &*drive.id).collect();
                    let known = if known.is_empty() { "none".to_string() } else { known.join(", ") };
                    return Err(refuse(format!("there is no drive `{name}`; there is {known}")));
                }
                several => {
                    let places: Vec<&str> = several.iter().map(|drive| &*drive.path).collect();
                    let why = format!(
                        "several drives are called `{name}`: {}; name a controller",
                        places.join(", ")
                    );
                    return Err(refuse(why));
                }
            }
        }
        match chosen.iter().find(|drive| drive.controller != chosen[0].controller) {
            Some(other) => Err(refuse(format!(
                "drive `{}` is behind controller `{}` and drive `{}` behind `{}`",
                chosen[0].id, chosen[0].controller, other.id, other.controller
            ))),
            None => Ok(chosen),
        }
    }
}
