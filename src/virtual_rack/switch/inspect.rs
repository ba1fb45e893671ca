//! Looking at a switch and changing it behind everybody's back: the eyes and hands of the control side.
//!
//! Owns the JSON of `GET /rack/switches` and the meaning of `PATCH /rack/switches/NAME`. Speaks no HTTP.

use super::{Mode, Port, Switch};
use serde_json::{Map, Value, json};

/// All that there is to see.
pub fn describe(switch: &Switch) -> Value {
    let board = switch.board().clone();
    let ports = board.ports.iter().map(|(name, port)| {
        let mut shown = serde_json::to_value(port).unwrap_or_default();
        if let Some((interface, machine)) = switch.end(name) {
            shown["node"] = json!(machine.spec.node);
            shown["interface"] = json!(interface);
        }
        shown["link"] = json!(switch.has_link(name));
        (name.clone(), shown)
    });
    let ports: Map<String, Value> = ports.collect();
    json!({ "switch": switch.name, "responding": !board.silent, "ports": ports })
}

/// Changes the switch. Nothing is changed when any part is wrong; the error says what is.
pub fn change(switch: &Switch, wanted: &Map<String, Value>) -> Result<(), String> {
    let mut next = switch.board().clone();
    for (name, value) in wanted {
        match (name.as_str(), value) {
            ("responding", Value::Bool(responding)) => next.silent = !responding,
            ("ports", Value::Object(ports)) => {
                for (name, wanted) in ports {
                    let port =
                        next.ports.get_mut(name).ok_or_else(|| format!("there is no port `{name}`"))?;
                    let wanted = wanted.as_object().ok_or_else(|| format!("`{name}` cannot be {wanted}"))?;
                    wanted.iter().try_for_each(|(key, value)| set(port, key, value))?;
                }
            }
            ("responding" | "ports", _) => return Err(format!("`{name}` cannot be {value}")),
            _ => return Err(format!("`{name}` cannot be changed; responding and ports can")),
        }
    }
    switch.change(|board| *board = next);
    Ok(())
}

fn set(port: &mut Port, key: &str, value: &Value) -> Result<(), String> {
    let vlan = |value: &Value| {
        let number = value.as_u64().and_then(|number| u16::try_from(number).ok());
        number
            .filter(|number| (1..=4094).contains(number))
            .ok_or_else(|| format!("`{key}` cannot be {value}"))
    };
    match (key, value) {
        ("enabled", Value::Bool(enabled)) => port.enabled = *enabled,
        ("mode", Value::String(mode)) if mode == "ACCESS" => port.mode = Mode::Access,
        ("mode", Value::String(mode)) if mode == "TRUNK" => port.mode = Mode::Trunk,
        ("description", Value::String(text)) => port.description = Some(text.clone()),
        ("aggregate", Value::Null) => port.aggregate = None,
        ("aggregate", Value::String(name)) if !port.lag => port.aggregate = Some(name.clone()),
        ("access-vlan", value) => port.access_vlan = vlan(value)?,
        ("native-vlan", Value::Null) => port.native_vlan = None,
        ("native-vlan", value) => port.native_vlan = Some(vlan(value)?),
        ("trunk-vlans", Value::Array(listed)) => {
            port.trunk_vlans = listed.iter().map(vlan).collect::<Result<_, String>>()?;
        }
        ("enabled" | "mode" | "description" | "trunk-vlans" | "aggregate", value) => {
            return Err(format!("`{key}` cannot be {value}"));
        }
        _ => {
            let known = "enabled, mode, description, access-vlan, native-vlan, trunk-vlans and aggregate";
            return Err(format!("`{key}` of a port cannot be changed; {known} can"));
        }
    }
    Ok(())
}
