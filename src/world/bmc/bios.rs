//! BIOS attributes (DSP0268, `Bios`): the current ones, the pending ones, and a change of them.
//!
//! Compares nothing and does not reboot: pending attributes become current at the machine's next start.

use super::error::{BmcError, Fault, Sent};
use super::link::{linked, odata_id};
use super::redfish::Redfish;
use super::resource::seen;
use crate::id::EffectId;
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Redfish {
    /// The attributes that are in force.
    pub async fn bios(&self) -> Result<BTreeMap<String, Value>, BmcError> {
        let (path, bios) = self.bios_resource().await?;
        let current = attributes(&bios);
        let mut current = current.map_err(|fault| self.fault(format!("GET {path}"), fault, Sent::Nothing))?;
        if self.started_on_paper() {
            current.extend(self.pending_bios().await?);
        }
        Ok(current)
    }

    /// The attributes of the settings object (DSP0266, 9.10); empty when there is none.
    pub async fn pending_bios(&self) -> Result<BTreeMap<String, Value>, BmcError> {
        let (_, bios) = self.bios_resource().await?;
        let Some(path) = settings_object(&bios) else { return Ok(BTreeMap::new()) };
        let Some(settings) = self.read_optional(&path).await? else { return Ok(BTreeMap::new()) };
        attributes(&settings.body).map_err(|fault| self.fault(format!("GET {path}"), fault, Sent::Nothing))
    }

    /// Asks for `attributes`: a PATCH of the settings object, or of Bios itself where there is none. A task is followed
    /// to its end within the time-out; a failed one is an error with its messages.
    pub async fn set_bios(
        &self,
        attributes: &BTreeMap<String, Value>,
        effect: Option<&EffectId>,
    ) -> Result<(), BmcError> {
        let (bios_path, bios) = self.bios_resource().await?;
        let path = settings_object(&bios).unwrap_or(bios_path);
        let answer = self.patch(&path, &json!({ "Attributes": attributes }), effect).await?;
        self.finish(&path, answer).await.map(drop)
    }

    async fn bios_resource(&self) -> Result<(String, Value), BmcError> {
        let (system_path, system) = self.system().await?;
        let path = linked(&system.body, "Bios");
        let fault = || Fault::Unusable { field: "Bios", seen: seen(system.body.get("Bios")) };
        let path = path.ok_or_else(|| self.fault(format!("GET {system_path}"), fault(), Sent::Nothing))?;
        let bios = self.get(&path).await?;
        Ok((path, bios))
    }
}

fn settings_object(bios: &Value) -> Option<String> {
    odata_id(bios.get("@Redfish.Settings")?.get("SettingsObject")?)
}

/// Missing and `null` mean none; anything else that is no object is a fault.
fn attributes(bios: &Value) -> Result<BTreeMap<String, Value>, Fault> {
    match bios.get("Attributes") {
        None | Some(Value::Null) => Ok(BTreeMap::new()),
        Some(Value::Object(map)) => {
            Ok(map.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        other => Err(Fault::Unusable { field: "Attributes", seen: seen(other) }),
    }
}
