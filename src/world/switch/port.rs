//! What of a port is looked at, as openconfig-interfaces, -if-ethernet, -if-aggregate and -vlan have it.
//!
//! Owns the reading of those models in JSON (RFC 7951). An aggregate of ports is a port, too: what it carries stands in
//! another container. Sends nothing.

use super::error::Fault;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

pub(super) const INTERFACES: &str = "openconfig-interfaces";
pub(super) const ETHERNET: &str = "openconfig-if-ethernet";
pub(super) const AGGREGATE: &str = "openconfig-if-aggregate";
pub(super) const VLAN: &str = "openconfig-vlan";
/// IEEE 802.1Q: 0 and 4095 are no VLANs.
const VLANS: std::ops::RangeInclusive<i64> = 1..=4094;

/// `interface-mode` of openconfig-vlan-types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Access,
    Trunk,
}

impl Mode {
    pub fn word(self) -> &'static str {
        match self {
            Mode::Access => "access",
            Mode::Trunk => "trunk",
        }
    }

    pub(super) fn named(self) -> &'static str {
        match self {
            Mode::Access => "ACCESS",
            Mode::Trunk => "TRUNK",
        }
    }
}

/// A port as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    pub enabled: bool,
    /// In lower case; `unknown` when the switch does not say.
    pub oper_status: String,
    /// `None` for a port that is not switched.
    pub mode: Option<Mode>,
    /// The VLAN of untagged frames.
    pub native_vlan: Option<u16>,
    /// The VLANs of tagged frames; none of an access port.
    pub vlans: BTreeSet<u16>,
    /// The aggregate that it is a member of.
    pub aggregate: Option<String>,
}

/// A port as it shall be; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    pub enabled: Option<bool>,
    pub mode: Option<Mode>,
    /// `Some(None)`: untagged frames are in no VLAN.
    pub native_vlan: Option<Option<u16>>,
    pub vlans: Option<BTreeSet<u16>>,
    /// `Some(None)`: of no aggregate.
    pub aggregate: Option<Option<String>>,
}

/// What was read of a port, and how a write can be made to fail when somebody else wrote since.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub port: Port,
    /// The list entry of the port, with everything that the switch says of it.
    pub(super) entry: Map<String, Value>,
    pub(super) etag: Option<String>,
}

impl Reading {
    /// From the body of an answer.
    pub(super) fn of(name: &str, body: &Value, etag: Option<String>) -> Result<Reading, Fault> {
        let list = named(body.as_object(), INTERFACES, "interface");
        let is_it = |entry: &&Value| entry.get("name").and_then(Value::as_str).is_none_or(|own| own == name);
        let entry = match list {
            // RFC 7951, 5.4: an instance of a list stands in an array; some services leave it out.
            Some(Value::Array(entries)) => entries.iter().find(is_it).and_then(Value::as_object),
            Some(Value::Object(entry)) => Some(entry),
            _ => None,
        };
        let entry = entry.ok_or_else(|| unusable("interface", list.unwrap_or(body)))?;
        Ok(Reading { port: read(entry)?, entry: entry.clone(), etag })
    }
}

fn read(entry: &Map<String, Value>) -> Result<Port, Fault> {
    let config = container(entry, INTERFACES, "config");
    let state = container(entry, INTERFACES, "state");
    let enabled = named(config, INTERFACES, "enabled").or(named(state, INTERFACES, "enabled"));
    // The model's own default.
    let enabled = match enabled {
        None => true,
        Some(Value::Bool(truth)) => *truth,
        Some(other) => return Err(unusable("enabled", other)),
    };
    let oper = named(state, INTERFACES, "oper-status").and_then(Value::as_str).unwrap_or("unknown");
    let oper_status: String = oper.to_lowercase().chars().take(40).collect();
    let vlans = BTreeSet::new();
    let aggregate = aggregate_of(entry)?;
    let mut port = Port { enabled, oper_status, mode: None, native_vlan: None, vlans, aggregate };
    let Some(vlan) = vlan_config(entry) else { return Ok(port) };
    match named(Some(vlan), VLAN, "interface-mode") {
        None => {}
        Some(Value::String(mode)) if mode.ends_with("ACCESS") => {
            port.mode = Some(Mode::Access);
            port.native_vlan = one_vlan(named(Some(vlan), VLAN, "access-vlan"), "access-vlan")?;
        }
        Some(Value::String(mode)) if mode.ends_with("TRUNK") => {
            port.mode = Some(Mode::Trunk);
            port.native_vlan = one_vlan(named(Some(vlan), VLAN, "native-vlan"), "native-vlan")?;
            port.vlans = trunk_vlans(vlan)?;
        }
        Some(other) => return Err(unusable("interface-mode", other)),
    }
    Ok(port)
}

/// The longest name of an aggregate that is believed.
const LONGEST_NAME: usize = 128;

fn aggregate_of(entry: &Map<String, Value>) -> Result<Option<String>, Fault> {
    let ethernet = container(entry, ETHERNET, "ethernet");
    let config = ethernet.and_then(|ethernet| container(ethernet, ETHERNET, "config"));
    match named(config, AGGREGATE, "aggregate-id") {
        None => Ok(None),
        Some(Value::String(name)) if name.len() <= LONGEST_NAME => Ok(Some(name.clone())),
        Some(other) => Err(unusable("aggregate-id", other)),
    }
}

/// True for an aggregate of ports.
pub(super) fn is_aggregate(entry: &Map<String, Value>) -> bool {
    container(entry, AGGREGATE, "aggregation").is_some()
}

/// The container in which openconfig-vlan keeps what can be set.
pub(super) fn vlan_config(entry: &Map<String, Value>) -> Option<&Map<String, Value>> {
    let ethernet = container(entry, ETHERNET, "ethernet");
    let carrier = container(entry, AGGREGATE, "aggregation").or(ethernet)?;
    container(container(carrier, VLAN, "switched-vlan")?, VLAN, "config")
}

/// A leaf-list of numbers, and of ranges such as `10..20` (openconfig-vlan-types, vlan-range).
pub(super) fn trunk_vlans(vlan: &Map<String, Value>) -> Result<BTreeSet<u16>, Fault> {
    let Some(listed) = named(Some(vlan), VLAN, "trunk-vlans") else { return Ok(BTreeSet::new()) };
    let items = listed.as_array().ok_or_else(|| unusable("trunk-vlans", listed))?;
    let mut vlans = BTreeSet::new();
    for item in items {
        let wrong = || unusable("trunk-vlans", item);
        match item.as_str().and_then(|text| text.split_once("..")) {
            Some((first, last)) => {
                let bound = |text: &str| vlan_of(&Value::String(text.into()));
                let (first, last) = bound(first).zip(bound(last)).ok_or_else(wrong)?;
                vlans.extend(first..=last);
            }
            None => {
                vlans.insert(vlan_of(item).ok_or_else(wrong)?);
            }
        }
    }
    Ok(vlans)
}

fn one_vlan(value: Option<&Value>, field: &'static str) -> Result<Option<u16>, Fault> {
    value.map(|value| vlan_of(value).ok_or_else(|| unusable(field, value))).transpose()
}

/// A number; or, because it is a member of a union with texts, one that is written as a text.
fn vlan_of(value: &Value) -> Option<u16> {
    let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())?;
    VLANS.contains(&number).then(|| u16::try_from(number).ok()).flatten()
}

fn container<'j>(parent: &'j Map<String, Value>, module: &str, name: &str) -> Option<&'j Map<String, Value>> {
    named(Some(parent), module, name).and_then(Value::as_object)
}

/// A member, with or without the name of its module in front (RFC 7951, 4).
pub(super) fn named<'j>(
    parent: Option<&'j Map<String, Value>>,
    module: &str,
    name: &str,
) -> Option<&'j Value> {
    let parent = parent?;
    parent.get(name).or_else(|| parent.get(&format!("{module}:{name}")))
}

fn unusable(field: &'static str, seen: &Value) -> Fault {
    Fault::Unusable { field, seen: seen.to_string().chars().take(80).collect() }
}
