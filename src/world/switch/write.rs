//! From a port as it is and a wish to the one request that makes it so.
//!
//! Owns the choice between a plain patch (RFC 8040, 4.6.1), which adds to lists, and a replacement (4.5), which is needed
//! where a VLAN has to go from a trunk, or a port from an aggregate. One request, so that no port is ever half set. Sends nothing.

use super::error::Fault;
use super::port::{
    AGGREGATE, ETHERNET, INTERFACES, Mode, Port, Reading, VLAN, Wish, is_aggregate, named, trunk_vlans,
    vlan_config,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Of a trunk: the VLAN of untagged frames.
const NATIVE: &str = "native-vlan";

/// One request to the resource of a port.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// `PATCH` or `PUT`.
    pub method: &'static str,
    pub body: Value,
    pub(super) etag: Option<String>,
}

impl Reading {
    /// The request that makes the port so; `None` when it is.
    pub fn change(&self, name: &str, wish: &Wish) -> Result<Option<Write>, Fault> {
        let is = &self.port;
        let mode = wish.mode.or(is.mode);
        let wants_vlans = wish.mode.is_some() || wish.native_vlan.is_some() || wish.vlans.is_some();
        let Some(mode) = mode.or((!wants_vlans).then_some(Mode::Access)) else {
            return Err(Fault::Wish("it is not switched yet; say its mode as well".into()));
        };
        if mode == Mode::Access && wish.vlans.as_ref().is_some_and(|vlans| !vlans.is_empty()) {
            return Err(Fault::Wish("an access port carries no tagged VLANs".into()));
        }
        if mode == Mode::Access && wish.native_vlan == Some(None) {
            return Err(Fault::Wish("an access port carries one VLAN without tags; say which".into()));
        }
        let settled = |is: &Port| {
            wish.mode.is_none_or(|mode| is.mode == Some(mode))
                && wish.native_vlan.is_none_or(|vlan| is.native_vlan == vlan)
                && wish.vlans.as_ref().is_none_or(|vlans| is.vlans == *vlans)
        };
        let enabled = wish.enabled.filter(|enabled| *enabled != is.enabled);
        let vlans = (wants_vlans && !settled(is)).then(|| self.vlans(mode, wish)).transpose()?;
        let aggregate = wish.aggregate.as_ref().filter(|wanted| **wanted != is.aggregate);
        if enabled.is_none() && vlans.is_none() && aggregate.is_none() {
            return Ok(None);
        }
        let leaves = aggregate.is_some_and(Option::is_none);
        let replaces = leaves || vlans.as_ref().is_some_and(|(_, removes)| *removes);
        let joins = aggregate.and_then(|aggregate| aggregate.as_deref());
        let changes = self.entry(name, enabled, vlans.map(|(config, _)| config), joins);
        let (method, entry) = match replaces {
            false => ("PATCH", changes),
            true => ("PUT", self.replaced(changes, leaves)),
        };
        let body = json!({ format!("{INTERFACES}:interface"): [entry] });
        Ok(Some(Write { method, body, etag: self.etag.clone() }))
    }

    /// What goes into `switched-vlan/config`, and whether a VLAN has to go.
    fn vlans(&self, mode: Mode, wish: &Wish) -> Result<(Map<String, Value>, bool), Fault> {
        let mut config = Map::new();
        config.insert("interface-mode".into(), json!(mode.named()));
        let same_mode = self.port.mode == Some(mode);
        let native = wish.native_vlan.unwrap_or(self.port.native_vlan.filter(|_| same_mode));
        let key = if mode == Mode::Access { "access-vlan" } else { NATIVE };
        if let Some(native) = native {
            config.insert(key.into(), json!(native));
        }
        if mode == Mode::Access {
            return Ok((config, false));
        }
        // Also what is left from an earlier time as a trunk.
        let config_held = vlan_config(&self.entry);
        let held = config_held.map(trunk_vlans).transpose()?.unwrap_or_default();
        let wanted: BTreeSet<u16> = match &wish.vlans {
            Some(vlans) => vlans.clone(),
            None => held.clone(),
        };
        config.insert("trunk-vlans".into(), json!(wanted));
        let loses_native = native.is_none() && named(config_held, VLAN, NATIVE).is_some();
        Ok((config, loses_native || !held.is_subset(&wanted)))
    }

    /// The entry with what changes, and nothing else.
    fn entry(
        &self,
        name: &str,
        enabled: Option<bool>,
        vlans: Option<Map<String, Value>>,
        joins: Option<&str>,
    ) -> Map<String, Value> {
        let mut config = json!({ "name": name });
        if let Some(enabled) = enabled {
            config["enabled"] = json!(enabled);
        }
        let mut carrier = Map::new();
        if let Some(aggregate) = joins {
            let joined = json!({ format!("{AGGREGATE}:aggregate-id"): aggregate });
            carrier.insert("config".into(), joined);
        }
        if let Some(vlans) = vlans {
            carrier.insert(format!("{VLAN}:switched-vlan"), json!({ "config": vlans }));
        }
        let mut entry = Map::new();
        entry.insert("name".into(), json!(name));
        entry.insert("config".into(), config);
        if !carrier.is_empty() {
            let container = match is_aggregate(&self.entry) {
                true => format!("{AGGREGATE}:aggregation"),
                false => format!("{ETHERNET}:ethernet"),
            };
            entry.insert(container, Value::Object(carrier));
        }
        entry
    }

    /// The whole entry with the changes in it and without what only the switch can say.
    fn replaced(&self, changes: Map<String, Value>, leaves: bool) -> Map<String, Value> {
        let mut entry = self.entry.clone();
        without_state(&mut entry);
        let mut vlans = vlan_config(&changes).into_iter();
        if vlans.any(|config| !config.contains_key(NATIVE)) {
            for carrier in ["ethernet", "aggregation"] {
                remove(&mut entry, &[carrier, "switched-vlan", "config", NATIVE]);
            }
        }
        if leaves {
            remove(&mut entry, &["ethernet", "config", "aggregate-id"]);
        }
        lay_over(&mut entry, changes);
        entry
    }

    /// As it would be read after a write.
    pub fn after(&self, name: &str, write: &Write) -> Result<Reading, Fault> {
        let list = write.body.get(format!("{INTERFACES}:interface")).and_then(|list| list.get(0));
        let written = list.and_then(Value::as_object).cloned().unwrap_or_default();
        let mut entry = self.entry.clone();
        if write.method == "PUT" {
            entry.retain(|name, _| is_state(name));
        }
        lay_over(&mut entry, written);
        let body = json!({ format!("{INTERFACES}:interface"): [entry] });
        Reading::of(name, &body, None)
    }
}

/// Members of `over` in place of those of `under`, containers one in the other; lists are replaced. Names with and
/// without their module are the same.
fn lay_over(under: &mut Map<String, Value>, over: Map<String, Value>) {
    for (name, value) in over {
        let bare = |name: &str| name.rsplit(':').next().unwrap_or_default().to_string();
        let own = under.keys().find(|own| bare(own) == bare(&name)).cloned().unwrap_or(name);
        match (under.get_mut(&own), value) {
            (Some(Value::Object(held)), Value::Object(value)) => lay_over(held, value),
            (_, value) => drop(under.insert(own, value)),
        }
    }
}

/// Takes out what stands at a path of names without their modules.
fn remove(entry: &mut Map<String, Value>, path: &[&str]) {
    let Some((first, rest)) = path.split_first() else { return };
    let is_it = |name: &String| name.rsplit(':').next() == Some(first);
    match rest.is_empty() {
        true => entry.retain(|name, _| !is_it(name)),
        false => {
            let inner = entry.iter_mut().filter(|(name, _)| is_it(name));
            inner.filter_map(|(_, value)| value.as_object_mut()).for_each(|inner| remove(inner, rest));
        }
    }
}

/// OpenConfig keeps all that is not configuration in containers named `state`.
fn is_state(name: &str) -> bool {
    name == "state" || name.ends_with(":state")
}

fn without_state(entry: &mut Map<String, Value>) {
    entry.retain(|name, _| !is_state(name));
    for value in entry.values_mut() {
        match value {
            Value::Object(inner) => without_state(inner),
            Value::Array(items) => {
                items.iter_mut().filter_map(Value::as_object_mut).for_each(without_state);
            }
            _ => {}
        }
    }
}
