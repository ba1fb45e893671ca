//! What a rehearsal machine is made of: what its hardware profile expects, and a little more.
//!
//! Owns the firmware, PCI devices and drives of machines that do not exist. As delivered they are what the design says;
//! what makes one differ is done to it later, through the rack.

use crate::model::path::Path;
use crate::model::value::Value;
use crate::units;
use crate::virtual_rack::{DriveSpec, PciSpec};
use std::collections::BTreeMap;

/// Drives that every machine has at least: enough for any level but the doubled ones.
const LEAST_DRIVES: usize = 4;
/// A drive of which nobody says how large it is.
const DRIVE_BYTES: u64 = 480 << 30;
const VERSION: &str = "1.0.0";

/// Versions by component: those that the design wants, and those that every machine has.
pub fn firmware(spec: &Value) -> BTreeMap<String, String> {
    let mut versions: BTreeMap<String, String> =
        ["bios", "bmc", "nic", "raid"].map(|component| (component.into(), VERSION.into())).into();
    for (component, wanted) in entries(spec, "hardware.firmware") {
        if let Some(version) = wanted.str_at("version") {
            versions.insert(component.to_string(), version.to_string());
        }
    }
    versions
}

/// A network card and a storage controller, and each device that the design expects.
pub fn pci(spec: &Value) -> Vec<PciSpec> {
    let device = |name: &str, vendor: &str, device: &str, class: &str| PciSpec {
        name: name.into(),
        vendor: vendor.into(),
        device: device.into(),
        class: class.into(),
    };
    let mut devices = vec![
        device("Virtual network adapter", "1af4", "1041", "NetworkController"),
        device("Virtual RAID controller", "1af4", "1048", "MassStorageController"),
    ];
    for (name, wanted) in entries(spec, "hardware.pci") {
        let text = |key: &str, other: &str| wanted.str_at(key).unwrap_or(other).to_string();
        let one = device(&text("called", name), &text("vendor", "1af4"), &text("device", "1052"), "Other");
        devices.extend(std::iter::repeat_n(one, count(wanted)));
    }
    devices
}

/// What the design calls its storage controller. A rehearsal machine has one, whatever the design knows of others.
pub fn controller(spec: &Value) -> String {
    let named = entries(spec, "hardware.volumes").find_map(|(_, volume)| volume.str_at("controller"));
    named.unwrap_or("Storage Controller").to_string()
}

/// The drives that volumes name, then those that the design expects besides, then plain ones.
pub fn drives(spec: &Value) -> Vec<DriveSpec> {
    let mut drives: Vec<DriveSpec> = Vec::new();
    for (_, volume) in entries(spec, "hardware.volumes") {
        let size = volume.str_at("size").and_then(|text| units::size(text).ok()).unwrap_or(0);
        for name in volume.get("drives").and_then(Value::as_list).into_iter().flatten() {
            let Some(bay) = name.as_str().map(|name| place(spec, name)) else { continue };
            match drives.iter_mut().find(|drive| drive.bay == bay) {
                Some(drive) => drive.bytes = drive.bytes.saturating_add(size),
                None => drives.push(plain(bay, DRIVE_BYTES.max(size))),
            }
        }
    }
    for (_, wanted) in entries(spec, "hardware.drives") {
        let least = wanted.str_at("least-size").and_then(|text| units::size(text).ok()).unwrap_or(0);
        let media = wanted.str_at("media").map(str::to_uppercase);
        let protocol = wanted.str_at("protocol").map(protocol);
        let fits = |drive: &&DriveSpec| {
            drive.bytes >= least
                && media.as_ref().is_none_or(|media| *media == drive.media)
                && protocol.is_none_or(|protocol| protocol == drive.protocol)
        };
        for _ in drives.iter().filter(fits).count()..count(wanted) {
            let drive = plain(format!("Bay {}", drives.len()), least.max(DRIVE_BYTES));
            drives.push(DriveSpec {
                media: media.clone().unwrap_or(drive.media),
                protocol: protocol.map_or(drive.protocol, str::to_string),
                ..drive
            });
        }
    }
    while drives.len() < LEAST_DRIVES {
        drives.push(plain(format!("Bay {}", drives.len()), DRIVE_BYTES));
    }
    drives
}

fn plain(bay: String, bytes: u64) -> DriveSpec {
    DriveSpec { bay, media: "SSD".into(), protocol: "SAS".into(), bytes }
}

/// As Redfish writes it (DSP0268, `Drive.Protocol`).
fn protocol(ours: &str) -> &'static str {
    match ours {
        "nvme" => "NVMe",
        "sata" => "SATA",
        _ => "SAS",
    }
}

/// Where a drive is: the address of the alias that names it, or the name itself.
fn place(spec: &Value, name: &str) -> String {
    let aliases = spec.at(&Path::parse("hardware.alias")).and_then(Value::as_map);
    let alias = aliases.and_then(|aliases| aliases.get(name));
    alias.and_then(|alias| alias.str_at("address")).unwrap_or(name).to_string()
}

fn count(wanted: &Value) -> usize {
    wanted.get("count").and_then(Value::as_int).and_then(|count| usize::try_from(count).ok()).unwrap_or(1)
}

/// The entries of a part of the spec whose keys are data.
fn entries<'a>(spec: &'a Value, path: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let map = spec.at(&Path::parse(path)).and_then(Value::as_map);
    map.into_iter().flatten().map(|(name, value)| (&**name, value))
}
