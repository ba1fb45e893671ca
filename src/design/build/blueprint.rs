//! A blueprint, typed, with its steps in an order in which each stands after those it waits for, phase by phase.
//!
//! Owns the order and its two faults: a step that waits for nothing known, and steps that wait for each other.

use super::{duration, entries, param, parsed, texts};
use crate::design::graph;
use crate::design::read::Item;
use crate::finding::{CYCLE, Finding, MISSING_REFERENCE, Place, did_you_mean};
use crate::model::blueprint::{Blueprint, Retry, Step};
use crate::model::hazard::Phase;
use crate::model::path::Path;
use crate::model::value::Value;
use std::collections::HashMap;
use std::sync::Arc;

pub fn build(item: &Item, findings: &mut Vec<Finding>) -> Blueprint {
    let mut steps: Vec<Step> =
        entries(&item.tree, "steps").map(|(name, tree)| step(item, name, tree)).collect();
    steps.sort_by_key(|step| step.place.offset);
    let edges = edges(item, &steps, findings);
    for members in graph::cycles(steps.len(), &edges) {
        findings.push(cycle(item, &steps, &members));
    }
    let mut unordered: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
    let order = graph::order(unordered.len(), &edges);
    let mut steps: Vec<Step> = order.into_iter().filter_map(|position| unordered[position].take()).collect();
    // No step waits for one of a later phase, so those that wait still stand behind.
    steps.sort_by_key(|step| step.phase);
    Blueprint {
        name: item.name.clone(),
        doc: item.tree.str_at("doc").unwrap_or_default().to_string(),
        steps,
        params: param::all(item, findings),
        place: item.place.clone(),
    }
}

fn step(item: &Item, name: &Arc<str>, tree: &Value) -> Step {
    Step {
        name: name.clone(),
        task: tree.str_at("task").unwrap_or_default().into(),
        phase: parsed(tree, "phase").unwrap_or(Phase::Deploy),
        after: texts(tree, "after").map(Arc::from).collect(),
        hazard: parsed(tree, "hazard"),
        retry: tree.get("retry").map(retry).unwrap_or_default(),
        timeout: duration(tree, "timeout"),
        params: tree.get("params").cloned().unwrap_or_else(Value::empty_map),
        inherited: Default::default(),
        was: tree.str_at("was").map(Arc::from),
        place: step_place(item, name, &[]),
    }
}

fn retry(tree: &Value) -> Retry {
    let count = tree.get("count").and_then(Value::as_int).unwrap_or_default();
    Retry {
        count: u32::try_from(count).unwrap_or_default(),
        backoff: duration(tree, "backoff").unwrap_or(Retry::default().backoff),
    }
}

/// The place of something in a step, or of the step.
fn step_place(item: &Item, step: &Arc<str>, inside: &[Arc<str>]) -> Place {
    let mut keys = vec![Arc::from("steps"), step.clone()];
    let whole = item.places.get(&Path(keys.clone()));
    keys.extend_from_slice(inside);
    item.places.get(&Path(keys)).or(whole).unwrap_or(&item.place).clone()
}

/// Which step comes before which.
fn edges(item: &Item, steps: &[Step], findings: &mut Vec<Finding>) -> Vec<(usize, usize)> {
    let positions: HashMap<&str, usize> =
        steps.iter().enumerate().map(|(position, step)| (&*step.name, position)).collect();
    let mut edges = Vec::new();
    for (position, step) in steps.iter().enumerate() {
        for (index, before) in step.after.iter().enumerate() {
            match positions.get(&**before) {
                Some(first) => edges.push((*first, position)),
                None => {
                    let place = step_place(item, &step.name, &["after".into(), index.to_string().into()]);
                    findings.push(unknown_step(item, step, before, place, positions.keys().copied()));
                }
            }
        }
    }
    edges
}

fn unknown_step<'a>(
    item: &Item,
    step: &Step,
    wanted: &str,
    place: Place,
    known: impl Iterator<Item = &'a str>,
) -> Finding {
    let mut known: Vec<&str> = known.collect();
    known.sort_unstable();
    let help = match did_you_mean(wanted, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write the name of a step of the same blueprint".to_string(),
    };
    let message = format!("step `{}` waits for `{wanted}`, which is no step of this blueprint", step.name);
    Finding::new(MISSING_REFERENCE, item.subject(), message).at(place).help(help)
}

fn cycle(item: &Item, steps: &[Step], members: &[usize]) -> Finding {
    let names: Vec<String> = members.iter().map(|position| format!("`{}`", steps[*position].name)).collect();
    let message = match names.as_slice() {
        [alone] => format!("step {alone} waits for itself"),
        _ => format!("these steps wait for each other: {}", names.join(", ")),
    };
    let place = steps[members[0]].place.clone();
    Finding::new(CYCLE, item.subject(), message).at(place).help("remove one `after` of the circle")
}
