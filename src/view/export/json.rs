//! The whole resolved site as one JSON document.
//!
//! Owns its shape. Durations are in milliseconds; scripts are named, not written out; secrets are `"(secret)"`.

use crate::model::blueprint::{Blueprint, Step};
use crate::model::path::Path;
use crate::model::site::{FirstInstall, Network, Node, Range, Relay, Route, Services, Site, Thing};
use crate::model::task::Task;
use crate::model::value::Value as Spec;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The format number of the document.
const FORMAT: u32 = 1;

pub fn site(site: &Site) -> Value {
    json!({
        "format": FORMAT,
        "site": site.name,
        "design": {"source": site.revision.source, "revision": site.revision.revision,
                   "digest": site.revision.digest},
        "first_install": match site.first_install {
            FirstInstall::Ask => "ask",
            FirstInstall::Allow => "allow",
        },
        "services": services(&site.services),
        "networks": named(site.networks.iter().map(|(name, one)| (name, network(one)))),
        "nodes": site.nodes.iter().map(node).collect::<Vec<_>>(),
        "tasks": named(site.tasks.iter().map(|(name, one)| (name, task(one)))),
        "blueprints": named(site.blueprints.iter().map(|(name, one)| (name, blueprint(one)))),
        "things": things(&site.things),
    })
}

fn named<'a>(things: impl Iterator<Item = (&'a Arc<str>, Value)>) -> Value {
    Value::Object(things.map(|(name, value)| (name.to_string(), value)).collect::<Map<_, _>>())
}

/// Everything that has no type of its own, by kind and name.
fn things(things: &BTreeMap<&'static str, BTreeMap<Arc<str>, Thing>>) -> Value {
    let thing = |thing: &Thing| json!({"place": thing.place.to_string(), "says": thing.tree.redacted()});
    let of_kind = |named_things: &BTreeMap<Arc<str>, Thing>| {
        named(named_things.iter().map(|(name, one)| (name, thing(one))))
    };
    things.iter().map(|(kind, one)| (kind.to_string(), of_kind(one))).collect::<Map<_, _>>().into()
}

fn services(services: &Services) -> Value {
    json!({"dhcp": services.dhcp, "tftp": services.tftp, "http": services.http, "advertise": services.advertise})
}

fn network(network: &Network) -> Value {
    let dhcp = network.dhcp.as_ref().map(
        |dhcp| json!({"first": dhcp.range.first, "last": dhcp.range.last, "lease_ms": millis(dhcp.lease)}),
    );
    json!({
        "cidr": network.cidr, "gateway": network.gateway, "vlan": network.vlan, "mtu": network.mtu,
        "dns": network.dns, "domain": network.domain, "dhcp": dhcp, "place": network.place.to_string(),
        "ranges": network.ranges.iter().map(range).collect::<Vec<_>>(),
        "routes": network.routes.iter().map(route).collect::<Vec<_>>(),
        "relays": network.relays.iter().map(relay).collect::<Vec<_>>(),
        "route_domain": network.route_domain, "labels": network.labels.redacted(),
    })
}

fn range(range: &Range) -> Value {
    json!({"kind": range.kind, "first": range.first, "last": range.last})
}

fn route(route: &Route) -> Value {
    json!({"to": route.to, "route_domain": route.route_domain, "gateway": route.gateway, "metric": route.metric})
}

fn relay(relay: &Relay) -> Value {
    json!({"address": relay.address, "upstream": relay.upstream})
}

fn node(node: &Node) -> Value {
    json!({"name": node.name, "was": node.was, "lifecycle": node.lifecycle, "place": node.place.to_string(),
           "profiles": node.profiles().collect::<Vec<_>>(), "spec": node.spec.redacted()})
}

fn task(task: &Task) -> Value {
    let paths = |paths: &[Path]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    let realizes: Vec<Value> = task
        .realizes
        .iter()
        .map(|one| {
            json!({"path": one.path.to_string(), "hazard": one.hazard, "when": one.when.as_ref().map(Spec::redacted)})
        })
        .collect();
    let params = task.params.iter().map(|param| {
        let value = json!({"kind": param.kind, "required": param.required, "default": param.default.redacted(),
                           "doc": param.doc});
        (&param.name, value)
    });
    json!({
        "doc": task.doc, "script": task.script.file, "realizes": realizes, "seeds": paths(&task.seeds),
        "uses": paths(&task.uses), "hazard": task.hazard, "allow": task.allow, "scope": task.scope,
        "timeout_ms": millis(task.timeout), "settle_ms": millis(task.settle), "params": named(params),
        "place": task.place.to_string(),
    })
}

fn blueprint(blueprint: &Blueprint) -> Value {
    json!({"doc": blueprint.doc, "steps": blueprint.steps.iter().map(step).collect::<Vec<_>>(),
           "place": blueprint.place.to_string()})
}

fn step(step: &Step) -> Value {
    json!({
        "name": step.name, "was": step.was, "task": step.task, "phase": step.phase, "after": step.after,
        "hazard": step.hazard, "timeout_ms": step.timeout.map(millis), "params": step.params.redacted(),
        "retry": {"count": step.retry.count, "backoff_ms": millis(step.retry.backoff)},
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
