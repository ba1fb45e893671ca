//! `port` effects: what a script asks of its node's switch ports. Every `ensure` looks first and sends at most one request.

use super::{Live, text};
use crate::effect::{Job, Performed, failure};
use crate::model::value::Value;
use crate::script::tape::EffectFailure;
use crate::world::switch::{Mode, Port, Wish};
use std::collections::BTreeSet;

/// How a script writes that untagged frames are in no VLAN (IEEE 802.1Q: the identifier 0 names none).
const NONE: u16 = 0;

pub async fn perform(live: &Live, job: &Job<'_>) -> Performed {
    match job.call.effect.name {
        "read" => Performed::read(read(live, job).await),
        "set" => match wish(job.call.args.get(2).unwrap_or(&Value::Null)) {
            Ok(wish) => ensure(live, job, &wish).await,
            Err(why) => Performed::read(Err(failure(why, false))),
        },
        "shut" => ensure(live, job, &Wish { enabled: Some(false), ..Wish::default() }).await,
        other => Performed::read(Err(failure(format!("this build has no effect `port.{other}`"), false))),
    }
}

async fn read(live: &Live, job: &Job<'_>) -> Result<Value, EffectFailure> {
    let wired = live.ports.wired(job.target, text(job, 1))?;
    let reading = live.ports.read(&live.web, &wired, live.now).await?;
    Ok(value(&wired.address.switch, &wired.port, &reading.port))
}

/// Whether the port has a link; its state in a word when it has none.
pub async fn link(live: &Live, job: &Job<'_>) -> Result<Result<(), String>, EffectFailure> {
    let wired = live.ports.wired(job.target, text(job, 1))?;
    let port = live.ports.read(&live.web, &wired, live.now).await?.port;
    Ok(match port.oper_status.as_str() {
        "up" => Ok(()),
        other => Err(format!("port `{}` of switch `{}` is {other}", wired.port, wired.address.switch)),
    })
}

async fn ensure(live: &Live, job: &Job<'_>, wish: &Wish) -> Performed {
    let wired = match live.ports.wired(job.target, text(job, 1)) {
        Ok(wired) => wired,
        Err(why) => return Performed::read(Err(why)),
    };
    match live.ports.ensure(&live.web, &wired, wish, (job.target, job.id), live.now).await {
        Ok(wrote) => Performed { answer: Ok(Value::Null), wrote, perhaps: false },
        // Done again, it looks first.
        Err((why, wrote)) => Performed { answer: Err(why), wrote, perhaps: false },
    }
}

fn value(switch: &str, port: &str, seen: &Port) -> Value {
    let number = |vlan: u16| Value::Int(i64::from(vlan));
    Value::map([
        ("switch_name", Value::text(switch)),
        ("port", Value::text(port)),
        ("enabled", Value::Bool(seen.enabled)),
        ("oper_status", Value::text(&seen.oper_status)),
        ("mode", seen.mode.map_or(Value::Null, |mode| Value::text(mode.word()))),
        ("native_vlan", number(seen.native_vlan.unwrap_or(NONE))),
        ("aggregate", Value::text(seen.aggregate.as_deref().unwrap_or_default())),
        ("vlans", Value::list(seen.vlans.iter().copied().map(number).collect())),
    ])
}

/// The settings of a call, whose shapes have been looked at.
fn wish(settings: &Value) -> Result<Wish, String> {
    let given = |name: &str| settings.get(name).filter(|value| !value.is_null());
    if let Some((name, Value::Unknown(why))) =
        settings.as_map().into_iter().flatten().find(|(_, value)| matches!(value, Value::Unknown(_)))
    {
        return Err(format!("`{name}` is not known ({why}), so no port is set by it"));
    }
    let vlans = match given("vlans").and_then(Value::as_list) {
        Some(listed) => Some(listed.iter().map(vlan).collect::<Result<BTreeSet<u16>, String>>()?),
        None => None,
    };
    Ok(Wish {
        enabled: given("enabled").and_then(Value::as_bool),
        mode: given("mode").and_then(Value::as_str).map(|word| match word {
            "trunk" => Mode::Trunk,
            _ => Mode::Access,
        }),
        native_vlan: match given("native_vlan") {
            Some(Value::Int(number)) if *number == i64::from(NONE) => Some(None),
            Some(number) => Some(Some(vlan(number)?)),
            None => None,
        },
        vlans,
        aggregate: given("aggregate").and_then(Value::as_str).map(|name| match name {
            "" => None,
            name => Some(name.to_string()),
        }),
    })
}

fn vlan(value: &Value) -> Result<u16, String> {
    let number = value.as_int().and_then(|number| u16::try_from(number).ok());
    number
        .filter(|number| (1..=4094).contains(number))
        .ok_or_else(|| format!("{value} is no VLAN; they are from 1 to 4094"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_and_what_is_no_vlan_is_refused() {
        let settings = |text: &str| wish(&serde_json::from_str(text).unwrap());
        assert_eq!(
            settings(r#"{"enabled":true,"mode":"trunk","native_vlan":20,"vlans":[30,7]}"#).unwrap(),
            Wish {
                enabled: Some(true),
                mode: Some(Mode::Trunk),
                native_vlan: Some(Some(20)),
                vlans: Some([7, 30].into()),
                aggregate: None,
            }
        );
        let aggregate = |text: &str| settings(text).unwrap().aggregate;
        assert_eq!(aggregate(r#"{"aggregate":"Port-Channel5"}"#), Some(Some("Port-Channel5".into())));
        assert_eq!(aggregate(r#"{"aggregate":""}"#), Some(None));
        assert_eq!(settings(r#"{"native_vlan":null}"#).unwrap(), Wish::default());
        assert_eq!(settings(r#"{"native_vlan":0}"#).unwrap().native_vlan, Some(None));
        for bad in [r#"{"native_vlan":4095}"#, r#"{"vlans":[4095]}"#, r#"{"vlans":[70000]}"#] {
            assert!(settings(bad).unwrap_err().contains("from 1 to 4094"), "{bad}");
        }
        let unknown = Value::map([("enabled", Value::Unknown("no answer".into()))]);
        assert!(wish(&unknown).unwrap_err().contains("`enabled` is not known (no answer)"));
    }
}
