//! A network, typed.
//!
//! Owns its defaults. Whether addresses fit is a rule.

use super::{duration, parsed, texts};
use crate::design::read::Item;
use crate::model::site::{Dhcp, Network, Range};
use crate::model::value::Value;
use std::time::Duration;

/// Long enough that a busy installer keeps its address, short enough that an abandoned one comes back.
const DEFAULT_LEASE: Duration = Duration::from_secs(3600);

/// `None` only for a network whose CIDR was refused.
pub fn build(item: &Item) -> Option<Network> {
    let tree = &item.tree;
    let ranges = tree.get("ranges").and_then(Value::as_list).unwrap_or_default();
    Some(Network {
        name: item.name.clone(),
        cidr: parsed(tree, "cidr")?,
        gateway: parsed(tree, "gateway"),
        vlan: small(tree, "vlan"),
        mtu: small(tree, "mtu"),
        dns: texts(tree, "dns").filter_map(|text| text.parse().ok()).collect(),
        domain: tree.str_at("domain").map(Into::into),
        ranges: ranges.iter().filter_map(|range| self::range(range, range.str_at("kind")?)).collect(),
        dhcp: tree.get("dhcp").and_then(dhcp),
        place: item.place.clone(),
    })
}

fn small(tree: &Value, key: &str) -> Option<u16> {
    tree.get(key)?.as_int()?.try_into().ok()
}

fn range(tree: &Value, kind: &str) -> Option<Range> {
    Some(Range { kind: kind.into(), first: parsed(tree, "first")?, last: parsed(tree, "last")? })
}

fn dhcp(tree: &Value) -> Option<Dhcp> {
    Some(Dhcp { range: range(tree, "dhcp")?, lease: duration(tree, "lease").unwrap_or(DEFAULT_LEASE) })
}
