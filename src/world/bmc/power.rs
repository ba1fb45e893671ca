//! Power: what it is, and the reset action. A kind that the service does not list is an error, never a substitute.

use super::error::{BmcError, Fault, Sent};
use super::link;
use super::redfish::Redfish;
use super::resource::{seen, text, texts};
use crate::id::EffectId;
use serde_json::{Value, json};

/// `PowerState` of a ComputerSystem (DSP0268).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    On,
    Off,
    PoweringOn,
    PoweringOff,
}

/// `ResetType` of the reset action (DSP0268), those that we ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetKind {
    On,
    ForceOff,
    GracefulShutdown,
    ForceRestart,
}

impl ResetKind {
    pub fn as_str(self) -> &'static str {
        match self {
            ResetKind::On => "On",
            ResetKind::ForceOff => "ForceOff",
            ResetKind::GracefulShutdown => "GracefulShutdown",
            ResetKind::ForceRestart => "ForceRestart",
        }
    }
}

const ACTION: &str = "#ComputerSystem.Reset";
const ALLOWABLE: &str = "ResetType@Redfish.AllowableValues";

impl Redfish {
    pub async fn power(&self) -> Result<Power, BmcError> {
        let (path, system) = self.system().await?;
        let state = system.body.get("PowerState");
        let power = state.and_then(Value::as_str).and_then(power_of);
        let fault = || Fault::Unusable { field: "PowerState", seen: seen(state) };
        power.ok_or_else(|| self.fault(format!("GET {path}"), fault(), Sent::Nothing))
    }

    /// When the machine was last reset or started, as the service writes it; `None` when it does not say.
    pub async fn last_reset(&self) -> Result<Option<String>, BmcError> {
        let (_, system) = self.system().await?;
        Ok(text(&system.body, "LastResetTime"))
    }

    /// Sends the reset action. Returns when the service has accepted it, or when its task has ended; the power may
    /// change later.
    pub async fn reset(&self, kind: ResetKind, effect: Option<&EffectId>) -> Result<(), BmcError> {
        let (path, system) = self.system().await?;
        let action = system.body.get("Actions").and_then(|actions| actions.get(ACTION));
        let action = action.unwrap_or(&Value::Null);
        let target = text(action, "target").and_then(|target| link::path_of(&target));
        let target =
            target.unwrap_or_else(|| format!("{}/Actions/ComputerSystem.Reset", path.trim_end_matches('/')));
        let supported = self.reset_kinds(action).await?;
        if !supported.is_empty() && !supported.iter().any(|name| name == kind.as_str()) {
            let wanted = format!("the reset `{}`", kind.as_str());
            let fault = Fault::Unsupported { wanted, supported };
            return Err(self.fault(format!("POST {target}"), fault, Sent::Nothing));
        }
        let answer = self.post(&target, &json!({ "ResetType": kind.as_str() }), effect).await?;
        self.finish(&target, answer).await.map(drop)
    }

    /// What the service allows, from the action or from its ActionInfo; empty when it does not say.
    async fn reset_kinds(&self, action: &Value) -> Result<Vec<String>, BmcError> {
        let listed = texts(action, ALLOWABLE);
        if !listed.is_empty() {
            return Ok(listed);
        }
        let Some(path) = action.get("@Redfish.ActionInfo").and_then(link::odata_id) else {
            return Ok(Vec::new());
        };
        let info = self.read_optional(&path).await?.map(|answer| answer.body).unwrap_or_default();
        let parameters = info.get("Parameters").and_then(Value::as_array);
        let named = |one: &&Value| one.get("Name").and_then(Value::as_str) == Some("ResetType");
        let parameter = parameters.into_iter().flatten().find(named);
        Ok(parameter.map(|one| texts(one, "AllowableValues")).unwrap_or_default())
    }
}

/// Services differ in casing and put spaces into the two states between.
fn power_of(state: &str) -> Option<Power> {
    let plain: String = state.chars().filter(char::is_ascii_alphabetic).collect();
    match plain.to_ascii_lowercase().as_str() {
        "on" => Some(Power::On),
        "off" => Some(Power::Off),
        "poweringon" => Some(Power::PoweringOn),
        "poweringoff" => Some(Power::PoweringOff),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_read_in_any_casing() {
        for (state, power) in [
            ("On", Some(Power::On)),
            ("OFF", Some(Power::Off)),
            ("Powering On", Some(Power::PoweringOn)),
            ("poweringOff", Some(Power::PoweringOff)),
            ("Paused", None),
            ("", None),
        ] {
            assert_eq!(power_of(state), power, "{state}");
        }
    }
}
