//! A port in JSON (RFC 7951), as openconfig-interfaces, -if-ethernet, -if-aggregate and -vlan model it.
//!
//! Owns the writing of those models, and the strict reading of what a client sends. Keeps nothing.

use super::{Mode, Port};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

pub const LIST: &str = "openconfig-interfaces:interface";
const ETHERNET: &str = "openconfig-if-ethernet:ethernet";
const AGGREGATION: &str = "openconfig-if-aggregate:aggregation";
const AGGREGATE_ID: &str = "openconfig-if-aggregate:aggregate-id";
const SWITCHED: &str = "openconfig-vlan:switched-vlan";

/// What is wrong with what was sent: an `error-tag` of RFC 8040, section 7, and a sentence.
pub type Wrong = (&'static str, String);

/// A port with everything that there is to say of it.
pub fn entry(name: &str, port: &Port, has_link: bool) -> Value {
    let mut config = json!({
        "name": name,
        "type": kind(port),
        "enabled": port.enabled,
    });
    if let Some(description) = &port.description {
        config["description"] = json!(description);
    }
    let mut state = config.clone();
    state["admin-status"] = json!(if port.enabled { "UP" } else { "DOWN" });
    state["oper-status"] = json!(if has_link { "UP" } else { "DOWN" });
    let vlans = vlans(port);
    let mut carrier = json!({ SWITCHED: { "config": vlans, "state": vlans } });
    match &port.aggregate {
        _ if port.lag => carrier["config"] = json!({ "lag-type": "LACP" }),
        Some(aggregate) => carrier["config"] = json!({ AGGREGATE_ID: aggregate }),
        None => {}
    }
    let container = if port.lag { AGGREGATION } else { ETHERNET };
    json!({ "name": name, "config": config, "state": state, container: carrier })
}

fn kind(port: &Port) -> &'static str {
    if port.lag { "iana-if-type:ieee8023adLag" } else { "iana-if-type:ethernetCsmacd" }
}

fn vlans(port: &Port) -> Value {
    let mut vlans = match port.mode {
        Mode::Access => json!({ "interface-mode": "ACCESS", "access-vlan": port.access_vlan }),
        Mode::Trunk => json!({ "interface-mode": "TRUNK" }),
    };
    if let Some(native) = port.native_vlan {
        vlans["native-vlan"] = json!(native);
    }
    // An access port shows what it would carry as a trunk, as devices do.
    if !port.trunk_vlans.is_empty() {
        vlans["trunk-vlans"] = ranges(&port.trunk_vlans);
    }
    vlans
}

/// Numbers, and texts such as `10..12` for three and more in a row.
fn ranges(vlans: &BTreeSet<u16>) -> Value {
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for vlan in vlans {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *vlan => *last = *vlan,
            _ => runs.push((*vlan, *vlan)),
        }
    }
    let written = runs.into_iter().flat_map(|(first, last)| match last - first {
        0 => vec![json!(first)],
        1 => vec![json!(first), json!(last)],
        _ => vec![json!(format!("{first}..{last}"))],
    });
    Value::Array(written.collect())
}

/// The entry of a body, which has the name that its resource has.
pub fn entry_of<'b>(name: &str, body: &'b Value) -> Result<&'b Map<String, Value>, Wrong> {
    let list = body.get(LIST).and_then(Value::as_array).filter(|_| body.as_object().map(Map::len) == Some(1));
    let Some([Value::Object(entry)]) = list.map(Vec::as_slice) else {
        return Err(("malformed-message", format!("the body is not {{\"{LIST}\": [ENTRY]}}")));
    };
    match entry.get("name").and_then(Value::as_str) {
        Some(own) if own == name => Ok(entry),
        _ => Err(("invalid-value", format!("the entry is not that of {name}"))),
    }
}

/// Lays what an entry says over a port. A list adds to the list that is there (RFC 8040, 4.6.1).
pub fn merge(
    name: &str,
    port: &mut Port,
    entry: &Map<String, Value>,
    aggregates: &BTreeSet<String>,
) -> Result<(), Wrong> {
    let container = if port.lag { AGGREGATION } else { ETHERNET };
    for (key, value) in entry {
        match key.as_str() {
            "name" => {}
            "config" => config(name, port, object(key, value)?)?,
            own if own == container => {
                for (key, value) in object(key, value)? {
                    match key.as_str() {
                        SWITCHED => switched(port, object(key, value)?)?,
                        "config" => membership(port, object(key, value)?, aggregates)?,
                        other => return Err(unknown(other)),
                    }
                }
            }
            other => return Err(unknown(other)),
        }
    }
    Ok(())
}

/// An aggregate has a type, and another port may be a member of an aggregate that there is.
fn membership(
    port: &mut Port,
    config: &Map<String, Value>,
    aggregates: &BTreeSet<String>,
) -> Result<(), Wrong> {
    for (key, value) in config {
        match (key.as_str(), value) {
            ("lag-type", Value::String(kind)) if port.lag && kind == "LACP" => {}
            (AGGREGATE_ID, Value::String(name)) if !port.lag && aggregates.contains(name) => {
                port.aggregate = Some(name.clone());
            }
            ("lag-type" | AGGREGATE_ID, value) => return Err(invalid(key, value)),
            _ => return Err(unknown(key)),
        }
    }
    Ok(())
}

fn config(name: &str, port: &mut Port, config: &Map<String, Value>) -> Result<(), Wrong> {
    for (key, value) in config {
        match (key.as_str(), value) {
            ("name", Value::String(own)) if own == name => {}
            ("type", Value::String(own)) if own == kind(port) => {}
            ("enabled", Value::Bool(enabled)) => port.enabled = *enabled,
            ("description", Value::String(text)) if text.chars().count() <= 240 => {
                port.description = Some(text.clone());
            }
            ("name" | "type" | "enabled" | "description", value) => return Err(invalid(key, value)),
            _ => return Err(unknown(key)),
        }
    }
    Ok(())
}

fn switched(port: &mut Port, container: &Map<String, Value>) -> Result<(), Wrong> {
    for (key, value) in container {
        if key != "config" {
            return Err(unknown(key));
        }
        for (key, value) in object(key, value)? {
            match (key.as_str(), value) {
                ("interface-mode", Value::String(mode)) if mode == "ACCESS" => port.mode = Mode::Access,
                ("interface-mode", Value::String(mode)) if mode == "TRUNK" => port.mode = Mode::Trunk,
                ("access-vlan", value) => port.access_vlan = vlan(key, value)?,
                ("native-vlan", value) => port.native_vlan = Some(vlan(key, value)?),
                ("trunk-vlans", Value::Array(listed)) => {
                    for item in listed {
                        port.trunk_vlans.extend(members(key, item)?);
                    }
                }
                ("interface-mode" | "trunk-vlans", value) => return Err(invalid(key, value)),
                _ => return Err(unknown(key)),
            }
        }
    }
    Ok(())
}

fn members(key: &str, item: &Value) -> Result<Vec<u16>, Wrong> {
    let Some((first, last)) = item.as_str().and_then(|text| text.split_once("..")) else {
        return Ok(vec![vlan(key, item)?]);
    };
    let bound = |text: &str| text.parse::<u16>().ok().filter(|vlan| (1..=4094).contains(vlan));
    match bound(first).zip(bound(last)) {
        Some((first, last)) if first <= last => Ok((first..=last).collect()),
        _ => Err(invalid(key, item)),
    }
}

/// `vlan-id` of openconfig-vlan-types: a number from 1 to 4094.
fn vlan(key: &str, value: &Value) -> Result<u16, Wrong> {
    let number = value.as_u64().and_then(|number| u16::try_from(number).ok());
    number.filter(|number| (1..=4094).contains(number)).ok_or_else(|| invalid(key, value))
}

fn object<'v>(key: &str, value: &'v Value) -> Result<&'v Map<String, Value>, Wrong> {
    value.as_object().ok_or_else(|| invalid(key, value))
}

fn invalid(key: &str, value: &Value) -> Wrong {
    let shown: String = value.to_string().chars().take(60).collect();
    ("invalid-value", format!("{key} cannot be {shown}"))
}

fn unknown(key: &str) -> Wrong {
    let shown: String = key.chars().take(60).collect();
    ("unknown-element", format!("{shown} cannot be set here"))
}
