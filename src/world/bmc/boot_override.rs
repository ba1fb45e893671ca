//! The boot override of a ComputerSystem (DSP0268, `Boot`): from which device it boots next, or always.
//!
//! Reads whatever a service has; writes only what it says that it allows.

use super::error::{BmcError, Fault, Sent};
use super::redfish::Redfish;
use super::resource::{seen, text, texts};
use crate::id::EffectId;
use serde_json::{Map, Value, json};
use std::fmt;
use std::str::FromStr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootOverride {
    pub device: BootDevice,
    pub enabled: OverrideEnabled,
    /// `None` when the service does not say, or when it is to be left alone.
    pub mode: Option<BootMode>,
}

/// A boot device in our words: `none`, `pxe`, `disk`, `cd`, `http`, `bios-setup`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BootDevice {
    None,
    Pxe,
    Disk,
    Cd,
    Http,
    BiosSetup,
    /// One that a service shows and that we never ask for, in its own words, such as `Usb`.
    Other(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverrideEnabled {
    Disabled,
    Once,
    Continuous,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootMode {
    Uefi,
    Legacy,
}

/// Ours and theirs.
const DEVICES: [(BootDevice, &str, &str); 6] = [
    (BootDevice::None, "none", "None"),
    (BootDevice::Pxe, "pxe", "Pxe"),
    (BootDevice::Disk, "disk", "Hdd"),
    (BootDevice::Cd, "cd", "Cd"),
    (BootDevice::Http, "http", "UefiHttp"),
    (BootDevice::BiosSetup, "bios-setup", "BiosSetup"),
];

const TARGET: &str = "BootSourceOverrideTarget";
const ENABLED: &str = "BootSourceOverrideEnabled";
const MODE: &str = "BootSourceOverrideMode";

impl BootDevice {
    fn of_redfish(target: &str) -> BootDevice {
        let known = DEVICES.iter().find(|(_, _, theirs)| theirs.eq_ignore_ascii_case(target));
        known.map_or_else(|| BootDevice::Other(target.into()), |(device, ..)| device.clone())
    }

    fn redfish(&self) -> Option<&'static str> {
        DEVICES.iter().find(|(device, ..)| device == self).map(|(_, _, theirs)| *theirs)
    }
}

impl FromStr for BootDevice {
    type Err = String;

    fn from_str(text: &str) -> Result<BootDevice, String> {
        let known = DEVICES.iter().find(|(_, ours, _)| *ours == text);
        known.map(|(device, ..)| device.clone()).ok_or_else(|| {
            let names: Vec<&str> = DEVICES.iter().map(|(_, ours, _)| *ours).collect();
            format!("`{text}` is not a boot device: one of {}", names.join(", "))
        })
    }
}

impl fmt::Display for BootDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = DEVICES.iter().find(|(device, ..)| device == self);
        match (known, self) {
            (Some((_, ours, _)), _) => f.write_str(ours),
            (None, BootDevice::Other(theirs)) => write!(f, "other: {theirs}"),
            (None, _) => f.write_str("none"),
        }
    }
}

impl Redfish {
    pub async fn boot_override(&self) -> Result<BootOverride, BmcError> {
        let (path, system) = self.system().await?;
        let boot = system.body.get("Boot").unwrap_or(&Value::Null);
        read(boot).map_err(|fault| self.fault(format!("GET {path}"), fault, Sent::Nothing))
    }

    /// Makes the boot override equal to `wanted`. The mode is left out when the service does not know it.
    pub async fn set_boot_override(
        &self,
        wanted: &BootOverride,
        effect: Option<&EffectId>,
    ) -> Result<(), BmcError> {
        let (path, system) = self.system().await?;
        let boot = system.body.get("Boot").unwrap_or(&Value::Null);
        let body = change(boot, wanted)
            .map_err(|fault| self.fault(format!("PATCH {path}"), fault, Sent::Nothing))?;
        let answer = self.patch(&path, &body, effect).await?;
        self.finish(&path, answer).await.map(drop)
    }
}

/// Missing and `null` mean that nothing is overridden.
fn read(boot: &Value) -> Result<BootOverride, Fault> {
    let enabled = match text(boot, ENABLED).map(|text| text.to_ascii_lowercase()).as_deref() {
        None | Some("disabled") => OverrideEnabled::Disabled,
        Some("once") => OverrideEnabled::Once,
        Some("continuous") => OverrideEnabled::Continuous,
        Some(_) => return Err(Fault::Unusable { field: ENABLED, seen: seen(boot.get(ENABLED)) }),
    };
    let mode = match text(boot, MODE).map(|text| text.to_ascii_lowercase()).as_deref() {
        Some("uefi") => Some(BootMode::Uefi),
        Some("legacy") => Some(BootMode::Legacy),
        _ => None,
    };
    let device = text(boot, TARGET).map_or(BootDevice::None, |target| BootDevice::of_redfish(&target));
    Ok(BootOverride { device, enabled, mode })
}

/// The body of the PATCH, or what the service does not allow.
fn change(boot: &Value, wanted: &BootOverride) -> Result<Value, Fault> {
    let mut body = Map::new();
    let enabled = match wanted.enabled {
        OverrideEnabled::Disabled => "Disabled",
        OverrideEnabled::Once => "Once",
        OverrideEnabled::Continuous => "Continuous",
    };
    allowed(boot, ENABLED, enabled)?;
    body.insert(ENABLED.into(), json!(enabled));
    let Some(target) = wanted.device.redfish() else {
        return Err(Fault::Request(format!("a boot override to `{}` is not written", wanted.device)));
    };
    match allowed(boot, TARGET, target) {
        Ok(()) => {
            body.insert(TARGET.into(), json!(target));
        }
        // Without an override the device means nothing. Services that do not list `None` refuse it, and some want to be
        // told a device all the same: they are told the one that they have.
        Err(_) if wanted.enabled == OverrideEnabled::Disabled => {
            body.extend(text(boot, TARGET).map(|present| (TARGET.to_string(), json!(present))));
        }
        Err(fault) => return Err(fault),
    }
    if let (Some(mode), Some(_)) = (wanted.mode, boot.get(MODE)) {
        let mode = if mode == BootMode::Uefi { "UEFI" } else { "Legacy" };
        allowed(boot, MODE, mode)?;
        body.insert(MODE.into(), json!(mode));
    }
    Ok(json!({ "Boot": body }))
}

/// Is `value` among `field@Redfish.AllowableValues`? Everything is where nothing is listed.
fn allowed(boot: &Value, field: &str, value: &str) -> Result<(), Fault> {
    let supported = texts(boot, &format!("{field}@Redfish.AllowableValues"));
    if supported.is_empty() || supported.iter().any(|one| one == value) {
        return Ok(());
    }
    Err(Fault::Unsupported { wanted: format!("the boot override {field} `{value}`"), supported })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn once(device: BootDevice) -> BootOverride {
        BootOverride { device, enabled: OverrideEnabled::Once, mode: Some(BootMode::Uefi) }
    }

    #[test]
    fn a_boot_override_is_read_liberally() {
        let none = BootOverride { device: BootDevice::None, enabled: OverrideEnabled::Disabled, mode: None };
        assert_eq!(read(&Value::Null).unwrap(), none);
        assert_eq!(read(&json!({ TARGET: null, ENABLED: null, MODE: null })).unwrap(), none);
        let pxe = read(&json!({ TARGET: "pxe", ENABLED: "once", MODE: "Uefi" })).unwrap();
        assert_eq!(pxe, once(BootDevice::Pxe));
        assert_eq!(read(&json!({ TARGET: "Usb" })).unwrap().device, BootDevice::Other("Usb".into()));
        assert!(read(&json!({ ENABLED: "Perhaps" })).is_err());
    }

    #[test]
    fn a_boot_override_is_written_strictly() {
        let boot = json!({ format!("{TARGET}@Redfish.AllowableValues"): ["Pxe", "Hdd"], MODE: "Legacy" });
        let body = change(&boot, &once(BootDevice::Pxe)).unwrap();
        assert_eq!(body, json!({ "Boot": { TARGET: "Pxe", ENABLED: "Once", MODE: "UEFI" } }));
        let fault = change(&boot, &once(BootDevice::Cd)).unwrap_err().to_string();
        assert!(fault.contains("`Cd`") && fault.contains("Pxe, Hdd"), "{fault}");
        assert!(change(&boot, &once(BootDevice::Other("Usb".into()))).is_err());
        let without_mode = change(&Value::Null, &once(BootDevice::Pxe)).unwrap();
        assert_eq!(without_mode, json!({ "Boot": { TARGET: "Pxe", ENABLED: "Once" } }));
        let off = BootOverride { enabled: OverrideEnabled::Disabled, ..once(BootDevice::None) };
        assert_eq!(change(&boot, &off).unwrap(), json!({ "Boot": { ENABLED: "Disabled", MODE: "UEFI" } }));
        let mut boot = boot;
        boot[TARGET] = json!("Hdd");
        let told = json!({ "Boot": { ENABLED: "Disabled", TARGET: "Hdd", MODE: "UEFI" } });
        assert_eq!(change(&boot, &off).unwrap(), told);
    }

    #[test]
    fn devices_have_one_name_each() {
        for (device, ours, theirs) in DEVICES {
            assert_eq!(ours.parse::<BootDevice>().unwrap(), device);
            assert_eq!(device.to_string(), ours);
            assert_eq!(BootDevice::of_redfish(theirs), device);
        }
        assert!("usb".parse::<BootDevice>().is_err());
    }
}
