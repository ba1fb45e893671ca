//! References inside values: `(ref)"hardware.cpuset.sriov"` and `(ref)"node:r1-n01"`.
//!
//! Owns their form and their resolution once a node's spec is known. Until then such a value is a text with a
//! mark in front, which no written text has; what keeps the mark leads nowhere and is a rule's business.

use super::schema::Type;
use super::value_of::Problem;
use crate::finding::WRONG_TYPE;
use crate::model::param::is_output;
use crate::model::path::Path;
use crate::model::value::{Map, REFERENCE, Value};
use kdl::KdlValue;
use std::sync::Arc;

/// Where references may stand in a spec.
const HOLDERS: &[&str] = &["kernel-params", "params"];

const HARDWARE: &str = "hardware.";
const NODE: &str = "node:";

pub fn written(kind: Type, value: &KdlValue) -> Result<Value, Problem> {
    const HELP: &str = "write (ref)\"hardware.cpuset.NAME\" or another value of the hardware, (ref)\"node:NAME\", or in a step (ref)\"step.NAME.OUTPUT\"";
    if !matches!(kind, Type::KernelParam | Type::Scalar) {
        return Err(Problem::new(WRONG_TYPE, "a reference cannot stand here", "write the value itself"));
    }
    let text = match value {
        KdlValue::String(text) => text.as_str(),
        _ => return Err(Problem::new(WRONG_TYPE, "a reference is a text", HELP)),
    };
    let known = text.starts_with(HARDWARE) || text.starts_with(NODE) || is_output(text);
    match known && !text.contains(char::is_control) {
        true => Ok(Value::from(format!("{REFERENCE}{text}"))),
        false => {
            let message =
                "this reference leads neither to the hardware, nor to a node, nor to the output of a step";
            Err(Problem::new(WRONG_TYPE, message, HELP))
        }
    }
}

/// References to nodes, put in once it is known that the node is there.
pub fn resolve_nodes(spec: &mut Value, is_node: impl Fn(&str) -> bool) {
    for holder in HOLDERS {
        let Some(held) = spec.get(holder).and_then(Value::as_map).filter(|map| holds(map)) else { continue };
        let named = |value: &Value| node_of(target(value)?).filter(|name| is_node(name)).map(Value::text);
        let resolved: Map = held
            .iter()
            .map(|(key, value)| (key.clone(), named(value).unwrap_or_else(|| value.clone())))
            .collect();
        spec.put(&[Arc::from(*holder)], Value::Map(Arc::new(resolved)));
    }
}

/// What a value refers to, if it is a reference that nothing has resolved.
pub fn target(value: &Value) -> Option<&str> {
    value.as_str()?.strip_prefix(REFERENCE)
}

/// The node that a reference names.
pub fn node_of(target: &str) -> Option<&str> {
    target.strip_prefix(NODE)
}

/// True when some value of a layer is a reference.
pub fn is_in(tree: &Value) -> bool {
    HOLDERS.iter().filter_map(|holder| tree.get(holder)?.as_map()).any(holds)
}

fn holds(map: &Map) -> bool {
    map.values().any(|value| target(value).is_some())
}

/// Puts the values in the places of their references. What leads nowhere stays as it is.
pub fn resolve(spec: &mut Value) {
    for holder in HOLDERS {
        let Some(held) = spec.get(holder).and_then(Value::as_map).filter(|map| holds(map)) else { continue };
        let resolved: Map = held.iter().map(|(key, value)| (key.clone(), resolved(spec, value))).collect();
        spec.put(&[Arc::from(*holder)], Value::Map(Arc::new(resolved)));
    }
}

fn resolved(spec: &Value, value: &Value) -> Value {
    let Some(target) = target(value) else { return value.clone() };
    match target.starts_with(HARDWARE) {
        true => match spec.at(&Path::parse(target)) {
            Some(found @ (Value::Text(_) | Value::Int(_) | Value::Bool(_) | Value::Float(_))) => {
                found.clone()
            }
            _ => value.clone(),
        },
        false => value.clone(),
    }
}
