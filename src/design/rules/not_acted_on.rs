//! What is read and judged, but not acted on: kinds that this build does not carry out yet, and parts of a spec
//! that no task of the node's lifecycle looks at.
//!
//! Why: a policy that nobody enforces, or a partition that nobody makes, must not be taken for done. Example:
//! `policy "prod" { max-unavailable 1 }`. Way out: none is needed; keep it for the version that acts on it, or write
//! a task that realizes it.

use super::Context;
use crate::design::build::Typed;
use crate::design::resolve::place_at;
use crate::finding::{Finding, NOT_ACTED_ON};
use crate::model::path::Path;
use crate::model::task::Task;
use crate::model::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

const KINDS: &[&str] = &[
    "boot-action",
    "broker",
    "cluster",
    "infrastructure",
    "policy",
    "pool",
    "role",
    "rollout",
    "switch",
    "trigger",
];

/// Parts of a spec that are of no use unless a task takes them up.
const PARTS: &[&str] = &[
    "storage",
    "interfaces",
    "repositories",
    "kernel",
    "ports",
    "hardware.firmware",
    "hardware.pci",
    "hardware.drives",
    "hardware.volumes",
];

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let has_ports = super::allowing(context, "port").next().is_some();
    for kind in KINDS.iter().filter(|kind| **kind != "switch" || !has_ports) {
        if let Some(first) = context.catalog.of(kind).min_by_key(|item| &item.place) {
            let count = context.catalog.of(kind).count();
            let message =
                format!("`{kind}` is read and judged, and this build does not act on it yet ({count} here)");
            findings.push(Finding::new(NOT_ACTED_ON, first.subject(), message).at(first.place.clone()));
        }
    }
    let mut open: BTreeMap<(&Arc<str>, &str), (usize, Finding)> = BTreeMap::new();
    let mut unseen: BTreeMap<&Arc<str>, Vec<(&str, Path)>> = BTreeMap::new();
    for resolved in context.sure_nodes() {
        let node = &resolved.node;
        let parts =
            unseen.entry(&node.lifecycle).or_insert_with(|| unseen_parts(context.typed, &node.lifecycle));
        for (part, path) in parts.iter().filter(|(_, path)| is_written(node.spec.at(path))) {
            let finding = || {
                let message = format!(
                    "no task of `{}` looks at `{part}`: it is judged, and nothing is done",
                    node.lifecycle
                );
                Finding::new(NOT_ACTED_ON, super::subject(resolved), message).at(place_at(node, path))
            };
            open.entry((&node.lifecycle, part)).or_insert_with(|| (0, finding())).0 += 1;
        }
    }
    for (count, mut finding) in open.into_values() {
        match count - 1 {
            0 => {}
            1 => finding.message += " (and 1 more node)",
            more => finding.message += &format!(" (and {more} more nodes)"),
        }
        findings.push(finding);
    }
}

fn is_written(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Map(map)) => !map.is_empty(),
        Some(Value::List(items)) => !items.is_empty(),
        Some(_) => true,
    }
}

/// The parts that no task of a lifecycle declares. An unknown lifecycle is another rule's business.
fn unseen_parts(typed: &Typed, lifecycle: &str) -> Vec<(&'static str, Path)> {
    let Some(blueprint) = typed.blueprints.get(lifecycle) else { return Vec::new() };
    let tasks: Vec<&Arc<Task>> =
        blueprint.steps.iter().filter_map(|step| typed.tasks.get(&step.task)).collect();
    let sees = |path: &Path| {
        tasks.iter().any(|task| {
            let realized = task.realizes.iter().map(|realized| &realized.path);
            realized
                .chain(&task.seeds)
                .chain(&task.uses)
                .any(|seen| seen.starts_with(path) || path.starts_with(seen))
        })
    };
    PARTS.iter().map(|part| (*part, Path::parse(part))).filter(|(_, path)| !sees(path)).collect()
}
