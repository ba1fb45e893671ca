//! A route leads somewhere, and to one place by one way.
//!
//! Why: of two ways with one metric the kernel takes one or none, and a route domain without another network is
//! reached by nobody. Example: `route gateway="10.21.0.1"`, or two routes to 0.0.0.0/0 without `metric=`. Fix: write a
//! network or `route-domain=`, one of the two; give further ways a metric of their own.

use super::Context;
use crate::design::read::Item;
use crate::finding::{Finding, ROUTE_INVALID, did_you_mean};
use crate::model::value::Value;
use std::collections::{BTreeMap, HashMap};

/// Every destination's `0.0.0.0/0`.
const DEFAULT: &str = "0.0.0.0/0";

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut domains: BTreeMap<&str, usize> = BTreeMap::new();
    for item in context.catalog.of("network") {
        if let Some(domain) = item.tree.str_at("route-domain") {
            *domains.entry(domain).or_default() += 1;
        }
    }
    for item in context.catalog.of("network") {
        let routes = item.tree.get("routes").and_then(Value::as_list).unwrap_or_default();
        let mut known = HashMap::new();
        if let Some(gateway) = item.tree.str_at("gateway") {
            known.insert((DEFAULT, None), gateway);
        }
        for (index, route) in routes.iter().enumerate() {
            let mut find = |key: &str, message: String, help: String| {
                let place = item.place_of(&format!("routes.{index}{key}"));
                findings.push(Finding::new(ROUTE_INVALID, item.subject(), message).at(place).help(help));
            };
            destination(item, route, &mut find);
            if let Some(domain) = route.str_at("route-domain").filter(|_| !context.catalog.broken) {
                others(item, domain, &domains, &mut find);
            }
            ways(route, &mut known, &mut find);
        }
    }
}

type Find<'f> = &'f mut dyn FnMut(&str, String, String);

fn destination(item: &Item, route: &Value, find: Find<'_>) {
    let help = "write route \"CIDR\" gateway=\"…\", or route route-domain=\"NAME\" gateway=\"…\"";
    match (route.str_at("to"), route.str_at("route-domain")) {
        (Some(to), Some(domain)) => {
            let message = format!("the route leads to {to} and to the route domain `{domain}`");
            find(".route-domain", message, "write two routes".to_string());
        }
        // A destination that was refused is not missing.
        (None, None) if !item.faulty => {
            find("", "the route has no destination".to_string(), help.to_string())
        }
        _ => {}
    }
}

/// The route domain has another network.
fn others(item: &Item, domain: &str, domains: &BTreeMap<&str, usize>, find: Find<'_>) {
    let own = usize::from(item.tree.str_at("route-domain") == Some(domain));
    let count = domains.get(domain).copied().unwrap_or_default();
    if count == own {
        let help = match did_you_mean(domain, domains.keys().copied().filter(|known| *known != domain)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write route-domain \"{domain}\" in the networks that it is to reach"),
        };
        find(".route-domain", format!("no other network is in the route domain `{domain}`"), help);
    }
}

/// A destination is reached by one way for each metric. The network's gateway is a way to everywhere.
fn ways<'a>(route: &'a Value, known: &mut HashMap<(&'a str, Option<i64>), &'a str>, find: Find<'_>) {
    let to = route.str_at("to").or_else(|| route.str_at("route-domain"));
    let Some((to, gateway)) = to.zip(route.str_at("gateway")) else { return };
    let metric = route.get("metric").and_then(Value::as_int);
    match known.insert((to, metric), gateway) {
        None => {}
        // The same once more, for the gateway, says nothing new.
        Some(other) if other == gateway && to == DEFAULT && metric.is_none() => {}
        Some(other) => {
            let metric =
                metric.map_or("without a metric".to_string(), |metric| format!("with metric {metric}"));
            let message = format!("there are two routes to {to} {metric}: by {other} and by {gateway}");
            find(".gateway", message, "give each a metric of its own, or keep one".to_string());
        }
    }
}
