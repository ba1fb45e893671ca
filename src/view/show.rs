//! `show`: a resolved thing, and where each of its values comes from.

use super::image;
use super::words::value;
use crate::model::blueprint::Blueprint;
use crate::model::image::ImageState;
use crate::model::path::Path;
use crate::model::site::{Layer, Node, Thing};
use crate::model::task::Task;
use crate::store::Fact;
use crate::units;
use serde_json::{Value, json};
use std::fmt::Write;

/// Every leaf that is set.
pub fn node(node: &Node) -> String {
    let mut text = format!("node {}\n", node.name);
    for (path, leaf) in node.spec.leaves() {
        if !leaf.is_null() && leaf.as_map().is_none() {
            let _ = writeln!(text, "  {path} = {}", value(leaf));
        }
    }
    text.trim_end().to_string()
}

/// Every leaf that is set, with the nearest layer that set it and its place.
pub fn node_resolved(node: &Node) -> String {
    let mut text = format!("node {}\n", node.name);
    for (path, leaf) in node.spec.leaves() {
        if leaf.is_null() || leaf.as_map().is_some() {
            continue;
        }
        let from = layers(node, &path)
            .filter(|(.., won)| *won)
            .map(|(label, place, ..)| format!("{label} at {place}"));
        let from = from.last().unwrap_or_else(|| "the language".into());
        let _ = writeln!(text, "  {path} = {}    # {from}", value(leaf));
    }
    text.trim_end().to_string()
}

/// A declared thing as it is written.
pub fn thing(kind: &str, name: &str, thing: &Thing) -> String {
    let mut text = format!("{kind} {name}    # {}\n", thing.place);
    for (path, leaf) in thing.tree.redacted().leaves() {
        if leaf.as_map().is_none() {
            let _ = writeln!(text, "  {path} = {}", value(leaf));
        }
    }
    text.trim_end().to_string()
}

pub fn thing_json(kind: &str, name: &str, thing: &Thing) -> Value {
    json!({"format": 1, "kind": kind, "name": name, "place": thing.place.to_string(), "written": thing.tree.redacted()})
}

pub fn node_json(node: &Node) -> Value {
    json!({"format": 1, "node": node.name, "lifecycle": node.lifecycle, "place": node.place.to_string(),
           "spec": node.spec.redacted()})
}

/// Every layer that set a value at or below `path`, weakest first, and which won: `*`. What is merged, a list or a
/// group, is of all the layers that have something in it: `+`.
pub fn why(node: &Node, path: &Path) -> String {
    let resolved = node.spec.at(path).cloned().unwrap_or_default();
    let merged = is_group(&resolved);
    let mut text = format!("{} {path} = {}\n", node.name, value(&resolved.redacted()));
    for (label, place, own, won) in layers(node, path) {
        let mark = match merged {
            true if is_group(&own) => "+",
            false if won => "*",
            _ => " ",
        };
        let _ = writeln!(text, "{mark} {} by {label} at {place}", value(&own.redacted()));
    }
    text.trim_end().to_string()
}

/// A list or a map with something in it.
fn is_group(value: &crate::model::value::Value) -> bool {
    value.as_list().is_some_and(|items| !items.is_empty())
        || value.as_map().is_some_and(|map| !map.is_empty())
}

pub fn why_json(node: &Node, path: &Path) -> Value {
    let layers: Vec<Value> = layers(node, path)
        .map(|(label, place, own, won)| json!({"layer": label, "place": place, "value": own.redacted(), "won": won}))
        .collect();
    json!({"format": 1, "node": node.name, "path": path, "layers": layers,
           "value": node.spec.at(path).map(crate::model::value::Value::redacted)})
}

fn layers<'a>(
    node: &'a Node,
    path: &'a Path,
) -> impl Iterator<Item = (&'a str, String, crate::model::value::Value, bool)> {
    let sets = |layer: &Layer| layer.tree.at(path).is_some();
    let last = node.layers.iter().enumerate().filter(|(_, layer)| sets(layer)).last().map(|(index, _)| index);
    node.layers.iter().enumerate().filter_map(move |(index, layer)| {
        let own = layer.tree.at(path)?.clone();
        let place = (0..=path.0.len())
            .rev()
            .find_map(|length| layer.places.get(&Path(path.0[..length].to_vec())))
            .or(layer.place.as_ref())
            .map_or_else(|| "the language's defaults".into(), ToString::to_string);
        Some((&*layer.label, place, own, Some(index) == last))
    })
}

pub fn facts(facts: &[Fact]) -> String {
    let mut text = String::new();
    for fact in facts {
        let _ = writeln!(
            text,
            "  {} {} = {} (last seen {})",
            fact.at,
            fact.source,
            fact.value.redacted(),
            fact.seen_at
        );
    }
    if text.is_empty() { "  nothing has been seen".into() } else { text.trim_end().to_string() }
}

pub fn facts_json(facts: &[Fact]) -> Value {
    let facts: Vec<Value> = facts
        .iter()
        .map(|fact| {
            json!({"source": fact.source, "at": fact.at.to_string(), "seen_at": fact.seen_at.to_string(),
                   "value": fact.value.redacted()})
        })
        .collect();
    json!(facts)
}

pub fn blueprint(blueprint: &Blueprint) -> String {
    let mut text = format!("blueprint {}\n  {}\n", blueprint.name, blueprint.doc);
    for step in &blueprint.steps {
        let after =
            if step.after.is_empty() { String::new() } else { format!(" after {}", step.after.join(", ")) };
        let _ = writeln!(text, "  {:<9} {:<12} task {}{after}", step.phase, step.name, step.task);
    }
    text.trim_end().to_string()
}

/// A task; of a container with what is known of its image.
pub fn task(task: &Task, state: Option<&ImageState>) -> String {
    let does = match (&task.image, state) {
        (Some(image), Some(state)) => format!("container {}, {}", image.shown(), image::state(state)),
        _ => format!("script {}", task.script.file),
    };
    let mut text = format!(
        "task {}\n  {}\n  {does}\n  hazard {}, scope {}\n",
        task.name, task.doc, task.hazard, task.scope
    );
    if !task.programs.is_empty() {
        let programs: Vec<&str> = task.programs.iter().map(|name| &**name).collect();
        let _ = writeln!(text, "  programs {}", programs.join(", "));
    }
    let list = |paths: Vec<String>| if paths.is_empty() { "nothing".into() } else { paths.join(", ") };
    let _ = writeln!(text, "  realizes {}", list(task.realized().map(ToString::to_string).collect()));
    let _ = writeln!(text, "  seeds {}", list(task.seeds.iter().map(ToString::to_string).collect()));
    let _ = writeln!(text, "  uses {}", list(task.uses.iter().map(ToString::to_string).collect()));
    let _ = writeln!(text, "  allow {}", list(task.allow.iter().map(ToString::to_string).collect()));
    let _ = write!(text, "  timeout {}, settle {}", units::short(task.timeout), units::short(task.settle));
    text
}

/// The task as it is pinned in runs, and what is known of its image.
pub fn task_json(task: &Task, state: Option<&ImageState>) -> Value {
    let mut json = serde_json::to_value(task).unwrap_or_default();
    if let Some(state) = state {
        json["image-state"] = image::state_json(state);
    }
    json
}

/// Where a rehearsal keeps its store and its machines, when the design has no folder for them.
pub fn rehearsal_kept(folder: &std::path::Path) -> String {
    format!("The design is fetched, so its rehearsal is kept in {}.", folder.display())
}
