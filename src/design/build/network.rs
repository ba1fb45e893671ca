//! A network, typed.
//!
//! Owns its defaults. Whether addresses fit is a rule.

use super::{duration, entries, parsed, texts};
use crate::design::read::Item;
use crate::model::site::{Dhcp, Network, Range, Relay, Route};
use crate::model::value::Value;
use std::sync::Arc;
use std::time::Duration;

/// Long enough that a busy installer keeps its address, short enough that an abandoned one comes back.
const DEFAULT_LEASE: Duration = Duration::from_secs(3600);

/// `None` only for a network whose CIDR was refused.
pub fn build(item: &Item) -> Option<Network> {
    let tree = &item.tree;
    let ranges: Vec<Range> =
        listed(tree, "ranges").iter().filter_map(|range| self::range(range, range.str_at("kind")?)).collect();
    Some(Network {
        name: item.name.clone(),
        cidr: parsed(tree, "cidr")?,
        gateway: parsed(tree, "gateway"),
        vlan: small(tree, "vlan"),
        mtu: small(tree, "mtu"),
        dns: texts(tree, "dns").filter_map(|text| text.parse().ok()).collect(),
        domain: tree.str_at("domain").map(Into::into),
        route_domain: tree.str_at("route-domain").map(Into::into),
        dhcp: tree.get("dhcp").and_then(|dhcp| self::dhcp(dhcp, &ranges)),
        routes: listed(tree, "routes").iter().filter_map(route).collect(),
        relays: entries(tree.get("dhcp").unwrap_or(&Value::Null), "relays").filter_map(relay).collect(),
        labels: tree.get("labels").cloned().unwrap_or_else(Value::empty_map),
        ranges,
        place: item.place.clone(),
    })
}

fn listed<'a>(tree: &'a Value, key: &str) -> &'a [Value] {
    tree.get(key).and_then(Value::as_list).unwrap_or_default()
}

fn small<T: TryFrom<i64>>(tree: &Value, key: &str) -> Option<T> {
    tree.get(key)?.as_int()?.try_into().ok()
}

fn range(tree: &Value, kind: &str) -> Option<Range> {
    Some(Range { kind: kind.into(), first: parsed(tree, "first")?, last: parsed(tree, "last")? })
}

fn route(tree: &Value) -> Option<Route> {
    Some(Route {
        to: parsed(tree, "to"),
        route_domain: tree.str_at("route-domain").map(Into::into),
        gateway: parsed(tree, "gateway")?,
        metric: small(tree, "metric"),
    })
}

fn relay((address, tree): (&Arc<str>, &Value)) -> Option<Relay> {
    Some(Relay { address: address.parse().ok()?, upstream: parsed(tree, "upstream") })
}

/// Its own range, or the first `range "dhcp"` of the network.
fn dhcp(tree: &Value, ranges: &[Range]) -> Option<Dhcp> {
    if tree.str_at("mode") != Some("server") {
        return None;
    }
    let shared = || ranges.iter().find(|range| &*range.kind == "dhcp").cloned();
    let range = range(tree, "dhcp").or_else(shared)?;
    Some(Dhcp { range, lease: duration(tree, "lease").unwrap_or(DEFAULT_LEASE) })
}
