//! `bmc` effects on what a machine is made of: firmware, PCI devices, drives, health, alarms and volumes.
//!
//! Owns how these reach scripts. What a BMC does not show is unknown, and what it does not say of a thing is `()`.

use super::bmc::failed;
use super::{Live, volumes};
use crate::effect::{Job, Performed};
use crate::model::value::Value;
use crate::world::bmc::{Alarm, BmcError, Component, Drive, Health, PciDevice, Redfish, Volume};

/// `None` for an effect that is not of this family.
pub async fn perform(live: &Live, redfish: &Redfish, job: &Job<'_>) -> Option<Performed> {
    Some(match job.call.effect.name {
        "firmware" => read(firmware(redfish).await),
        "pci_devices" => read(shown(redfish.pci_devices().await, "PCI devices", pci_device)),
        "drives" => read(shown(redfish.drives().await, "storage", drive)),
        "volumes" => read(shown(redfish.volumes().await, "storage", volume)),
        "health" => read(redfish.health().await.map(health)),
        "alarms" => read(alarms(redfish).await),
        "create_volume" => volumes::create(live, redfish, job).await,
        "delete_volume" => volumes::delete(live, redfish, job).await,
        _ => return None,
    })
}

fn read(answer: Result<Value, BmcError>) -> Performed {
    Performed::read(answer.map_err(|error| failed(&error)))
}

/// A list, or unknown for what the BMC does not show at all.
fn shown<T>(
    found: Result<Option<Vec<T>>, BmcError>,
    what: &str,
    value: fn(T) -> Value,
) -> Result<Value, BmcError> {
    Ok(match found? {
        Some(items) => Value::list(items.into_iter().map(value).collect()),
        None => Value::Unknown(format!("the BMC shows no {what}").into()),
    })
}

fn maybe(text: Option<String>) -> Value {
    text.map_or(Value::Null, Value::from)
}

fn bytes(count: Option<u64>) -> Value {
    count.and_then(|count| i64::try_from(count).ok()).map_or(Value::Null, Value::Int)
}

async fn firmware(redfish: &Redfish) -> Result<Value, BmcError> {
    let found = redfish.firmware().await?;
    let component = |component: Component| {
        Value::map([
            ("component", Value::from(component.id)),
            ("name", maybe(component.name)),
            ("version", maybe(component.version)),
        ])
    };
    Ok(Value::map([
        ("bios", maybe(found.bios)),
        ("bmc", maybe(found.bmc)),
        ("components", Value::list(found.components.into_iter().map(component).collect())),
    ]))
}

/// What of a thing could not be read is unknown; without a reason it is what was read.
fn unless_unreadable(why: &Option<String>) -> impl Fn(Value) -> Value + '_ {
    move |value| match why {
        Some(why) => Value::Unknown(why.as_str().into()),
        None => value,
    }
}

fn pci_device(device: PciDevice) -> Value {
    let or_unknown = unless_unreadable(&device.unreadable);
    Value::map([
        ("id", Value::from(device.id)),
        ("name", Value::from(device.name)),
        ("vendor", or_unknown(maybe(device.vendor))),
        ("device", or_unknown(maybe(device.device))),
        ("class", or_unknown(maybe(device.class))),
        ("slot", or_unknown(maybe(device.slot))),
        ("health", or_unknown(maybe(device.health))),
    ])
}

fn drive(drive: Drive) -> Value {
    let or_unknown = unless_unreadable(&drive.unreadable);
    Value::map([
        ("id", Value::from(drive.id)),
        ("path", Value::from(drive.path)),
        ("controller", Value::from(drive.controller)),
        ("controller_name", maybe(drive.controller_name)),
        ("name", or_unknown(maybe(drive.name))),
        ("bay", or_unknown(maybe(drive.bay))),
        ("serial", or_unknown(maybe(drive.serial))),
        ("model", or_unknown(maybe(drive.model))),
        ("media", or_unknown(maybe(drive.media))),
        ("protocol", or_unknown(maybe(drive.protocol))),
        ("capacity_bytes", or_unknown(bytes(drive.capacity_bytes))),
        ("health", or_unknown(maybe(drive.health))),
        ("failure_predicted", or_unknown(drive.failure_predicted.map_or(Value::Null, Value::Bool))),
    ])
}

fn volume(volume: Volume) -> Value {
    Value::map([
        ("path", Value::from(volume.path)),
        ("name", maybe(volume.name)),
        ("controller", Value::from(volume.controller)),
        ("controller_name", maybe(volume.controller_name)),
        ("level", maybe(volume.level)),
        ("capacity_bytes", bytes(volume.capacity_bytes)),
        ("drives", Value::list(volume.drives.into_iter().map(Value::from).collect())),
        ("health", maybe(volume.health)),
    ])
}

fn health(found: Health) -> Value {
    let parts = found.ailing.into_iter().map(|part| {
        Value::map([
            ("part", Value::from(part.part)),
            ("path", Value::from(part.path)),
            ("health", Value::from(part.health)),
            ("why", Value::from(part.why)),
        ])
    });
    Value::map([("rollup", maybe(found.rollup)), ("parts", Value::list(parts.collect()))])
}

async fn alarms(redfish: &Redfish) -> Result<Value, BmcError> {
    let Some(found) = redfish.alarms().await? else {
        return Ok(Value::Unknown("the BMC shows no log".into()));
    };
    let alarm = |alarm: Alarm| {
        Value::map([
            ("path", Value::from(alarm.path)),
            ("id", Value::from(alarm.id)),
            ("severity", Value::from(alarm.severity)),
            ("created", maybe(alarm.created)),
            ("message", Value::from(alarm.message)),
        ])
    };
    Ok(Value::map([
        ("alarms", Value::list(found.alarms.into_iter().map(alarm).collect())),
        ("complete", Value::Bool(found.complete)),
    ]))
}
