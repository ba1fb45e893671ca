//! `bmc` effects on a Redfish service. Every `ensure` looks first and sends at most one mutating
//! request.

use super::{Live, parts, text};
use crate::effect::{Job, Performed, failure};
use crate::model::value::Value;
use crate::script::catalogue::Kind;
use crate::script::tape::EffectFailure;
use crate::world::bmc::{
    BmcError, BootDevice, BootMode, BootOverride, Class, OverrideEnabled, Power, Redfish, ResetKind, Sent,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// While a machine changes its power, it is looked at this often.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// A machine that is still as it was this long after the reset was accepted did not take it.
const TAKES_EFFECT: Duration = Duration::from_secs(15);

pub fn failed(error: &BmcError) -> EffectFailure {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    failure(message, error.class() == Class::Transient)
}

pub fn power_word(power: Power) -> &'static str {
    match power {
        Power::On => "on",
        Power::Off => "off",
        Power::PoweringOn => "powering-on",
        Power::PoweringOff => "powering-off",
    }
}

/// The answer of something that wrote or did not need to.
pub type Wrote = Result<bool, BmcError>;

pub async fn perform(live: &Live, job: &Job<'_>) -> Performed {
    let name = job.call.effect.name;
    if matches!(name, "power_on" | "power_off") {
        return ensure_power(live, job, name == "power_on").await;
    }
    let controller = match live.hardware.controller(job.target).await {
        Ok(controller) => controller,
        Err(why) => return Performed::read(Err(why)),
    };
    let (redfish, kind) = (&controller.redfish, job.call.effect.kind);
    match name {
        "identity" => read(identity(redfish).await),
        "power" => read(redfish.power().await.map(|power| Value::text(power_word(power)))),
        "inventory" => read(redfish.inventory().await.map(|value| from_json(&value))),
        "bios" => read(redfish.bios().await.map(|attributes| named(&attributes, job))),
        "boot_override" => read(redfish.boot_override().await.map(|current| override_value(&current))),
        "shut_down" => wrote(shut_down(redfish, job).await, kind),
        "restart" => wrote(redfish.reset(ResetKind::ForceRestart, Some(job.id)).await.map(|()| true), kind),
        "set_bios" => wrote(set_bios(redfish, job).await, kind),
        "set_boot_override" => match wanted_override(job) {
            Ok(wanted) => wrote(set_boot_override(redfish, job, &wanted).await, kind),
            Err(why) => Performed::read(Err(why)),
        },
        other => match parts::perform(live, redfish, job).await {
            Some(performed) => performed,
            None => Performed::read(Err(failure(format!("this build has no effect `bmc.{other}`"), false))),
        },
    }
}

fn read(answer: Result<Value, BmcError>) -> Performed {
    Performed::read(answer.map_err(|error| failed(&error)))
}

pub fn wrote(done: Wrote, kind: Kind) -> Performed {
    match done {
        Ok(wrote) => Performed { answer: Ok(Value::Null), wrote, perhaps: false },
        Err(error) => {
            let perhaps = error.sent() == Sent::Perhaps;
            let once = kind == Kind::Once;
            Performed { answer: Err(failed(&error)), wrote: perhaps, perhaps: perhaps && once }
        }
    }
}

async fn identity(redfish: &Redfish) -> Result<Value, BmcError> {
    let identity = redfish.identity().await?;
    let text = |part: Option<String>| part.map_or(Value::Null, Value::from);
    Ok(Value::map([
        ("uuid", text(identity.uuid)),
        ("serial", text(identity.serial)),
        ("vendor", text(identity.vendor)),
        ("model", text(identity.model)),
        ("macs", Value::list(identity.macs.iter().map(|mac| Value::from(mac.to_string())).collect())),
    ]))
}

/// The attributes that were asked for; one that is not reported is unknown.
fn named(attributes: &BTreeMap<String, serde_json::Value>, job: &Job<'_>) -> Value {
    let names = job.call.args.get(1).and_then(Value::as_list).unwrap_or_default();
    Value::map(names.iter().filter_map(Value::as_str).map(|name| {
        let value = attributes.get(name).map_or_else(
            || Value::Unknown(format!("the BMC reports no BIOS attribute {name}").into()),
            from_json,
        );
        (name, value)
    }))
}

/// A service's JSON is never a reference to a secret, whatever it looks like.
fn from_json(json: &serde_json::Value) -> Value {
    Value::from_json(json)
}

async fn set_bios(redfish: &Redfish, job: &Job<'_>) -> Wrote {
    let Some(wanted) = job.call.args.get(1).and_then(Value::as_map) else { return Ok(false) };
    let mut effective = redfish.bios().await?;
    effective.extend(redfish.pending_bios().await?);
    let differing: BTreeMap<String, serde_json::Value> = wanted
        .iter()
        .map(|(name, value)| (name.to_string(), serde_json::to_value(value).unwrap_or_default()))
        .filter(|(name, value)| effective.get(name) != Some(value))
        .collect();
    if differing.is_empty() {
        return Ok(false);
    }
    redfish.set_bios(&differing, Some(job.id)).await.map(|()| true)
}

fn override_value(current: &BootOverride) -> Value {
    let persistence = match current.enabled {
        OverrideEnabled::Disabled => "disabled",
        OverrideEnabled::Once => "once",
        OverrideEnabled::Continuous => "continuous",
    };
    Value::map([
        ("device", Value::from(current.device.to_string())),
        ("persistence", Value::text(persistence)),
    ])
}

fn wanted_override(job: &Job<'_>) -> Result<BootOverride, EffectFailure> {
    let device: BootDevice = text(job, 1).parse().map_err(|error: String| failure(error, false))?;
    let enabled = match text(job, 2) {
        "disabled" => OverrideEnabled::Disabled,
        "once" => OverrideEnabled::Once,
        "continuous" => OverrideEnabled::Continuous,
        other => {
            let why = format!("`{other}` is no persistence; write once, continuous or disabled");
            return Err(failure(why, false));
        }
    };
    let mode = match job.target.spec.str_at("hardware.boot-mode") {
        Some("bios") => Some(BootMode::Legacy),
        Some(_) => Some(BootMode::Uefi),
        None => None,
    };
    Ok(BootOverride { device, enabled, mode })
}

async fn set_boot_override(redfish: &Redfish, job: &Job<'_>, wanted: &BootOverride) -> Wrote {
    let current = redfish.boot_override().await?;
    let both_off =
        wanted.enabled == OverrideEnabled::Disabled && current.enabled == OverrideEnabled::Disabled;
    let same_mode = wanted.mode.is_none() || current.mode.is_none() || wanted.mode == current.mode;
    if both_off || (current.device == wanted.device && current.enabled == wanted.enabled && same_mode) {
        return Ok(false);
    }
    redfish.set_boot_override(wanted, Some(job.id)).await.map(|()| true)
}

async fn shut_down(redfish: &Redfish, job: &Job<'_>) -> Wrote {
    match redfish.power().await? {
        Power::Off | Power::PoweringOff => Ok(false),
        Power::On | Power::PoweringOn => {
            redfish.reset(ResetKind::GracefulShutdown, Some(job.id)).await.map(|()| true)
        }
    }
}

/// Looks until the power is as wanted, and asks for it once. The BMC is free for others between looks.
async fn ensure_power(live: &Live, job: &Job<'_>, on: bool) -> Performed {
    let (wanted, opposite, kind) = match on {
        true => (Power::On, Power::Off, ResetKind::On),
        false => (Power::Off, Power::On, ResetKind::ForceOff),
    };
    let mut asked_at = None;
    loop {
        let looked = match live.hardware.controller(job.target).await {
            Ok(controller) => {
                look_or_ask(&controller.redfish, job, (wanted, opposite, kind), &mut asked_at, live).await
            }
            Err(why) => return Performed::read(Err(why)),
        };
        let wrote = asked_at.is_some();
        match looked {
            Ok(true) => return Performed { answer: Ok(Value::Null), wrote, perhaps: false },
            Ok(false) => tokio::time::sleep(LOOK_EVERY).await,
            Err(why) => return Performed { answer: Err(why), wrote, perhaps: false },
        }
    }
}

async fn look_or_ask(
    redfish: &Redfish,
    job: &Job<'_>,
    (wanted, opposite, kind): (Power, Power, ResetKind),
    asked_at: &mut Option<crate::units::Time>,
    live: &Live,
) -> Result<bool, EffectFailure> {
    let power = redfish.power().await.map_err(|error| failed(&error))?;
    if power == wanted {
        return Ok(true);
    }
    let now = (live.now)();
    // A machine that is on its way up can be switched off; one on its way down must arrive first.
    let can_ask = power == opposite || (wanted == Power::Off && power == Power::PoweringOn);
    match *asked_at {
        None if can_ask => {
            redfish.reset(kind, Some(job.id)).await.map_err(|error| failed(&error))?;
            *asked_at = Some(now);
        }
        Some(asked) if power == opposite && now.since(asked) > TAKES_EFFECT => {
            let why =
                format!("the machine was asked to be {} and is {}", power_word(wanted), power_word(power));
            return Err(failure(why, true));
        }
        _ => {}
    }
    Ok(false)
}
