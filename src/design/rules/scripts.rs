//! The script of every task can be parsed, has the functions that it needs, uses only what is there, calls only what it
//! may, and reads only what its task declares.
//!
//! Why: a script that fails on its first line should fail here, not when the first machine waits for it. Example:
//! `fn aply(node) { … }`. Fix: each finding names the line of the script and what to write there.
//!
//! A script is read once for each task that uses it, never once for each node. A fault that lies in the file itself
//! is reported for the first of its tasks only.

use super::Context;
use crate::design::read::Item;
use crate::design::spec::Defaults;
use crate::finding::{CAPABILITY, Finding, SCRIPT_IMPORT, UNDECLARED_READ, UNUSED_CAPABILITY};
use crate::model::hazard::Aim;
use crate::model::names;
use crate::model::path::Path;
use crate::model::task::Task;
use crate::model::value::Value;
use crate::script::check::{self, SpecRead};
use std::collections::BTreeSet;
use std::sync::Arc;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut reported = BTreeSet::new();
    let (of_nodes, of_site) = (Defaults::new(), Defaults::of(Aim::Site));
    for task in context.typed.tasks.values() {
        let reading = check::read(task, &context.catalog.scripts);
        for finding in reading.findings {
            let may_be_there = finding.code == SCRIPT_IMPORT && context.catalog.broken;
            let of_the_task = finding.code == CAPABILITY;
            let key = (finding.code.number, finding.place.clone(), finding.message.clone());
            if !may_be_there && (of_the_task || reported.insert(key)) {
                findings.push(finding);
            }
        }
        let spec = if task.aim == Aim::Site { &of_site } else { &of_nodes };
        findings.extend(reading.spec.iter().filter_map(|read| undeclared(spec, task, read)));
        if let Some(item) = context.catalog.get("task", &task.name) {
            findings.extend(reading.unused.iter().map(|capability| unused(item, capability)));
        }
    }
}

/// A part of the spec that the script reads and never sees.
fn undeclared(spec: &Defaults, task: &Task, read: &SpecRead) -> Option<Finding> {
    let (of, whose) = match task.aim {
        Aim::Node => ("node", "a node"),
        Aim::Site => ("site", "the site"),
    };
    let written = format!("{of}.spec.{}", read.keys.join("."));
    let path = path(&read.keys);
    let subject = format!("task \"{}\"", task.name);
    let find = |message: String, help: String| {
        Some(Finding::new(UNDECLARED_READ, subject, message).at(read.place.clone()).help(help))
    };
    let Some(part) = spec.part(&path) else {
        let help = match spec.suggestion(&path) {
            Some(near) => format!("did you mean `{}`?", near.replace('-', "_")),
            None if task.aim == Aim::Site => "stdlib/README.md has the names that there are".into(),
            None => "`rackwright show node NAME` prints the names that there are".into(),
        };
        return find(format!("the script reads `{written}`, and {whose}'s spec has no `{path}`"), help);
    };
    if task.visible().any(|seen| part.starts_with(seen) || seen.starts_with(&part)) {
        return None;
    }
    let message = format!("the script reads `{written}`, which the task does not declare");
    find(message, format!("add `uses \"{part}\"` to the task"))
}

/// The path in the names of the design language.
fn path(keys: &[String]) -> Path {
    let keys: Vec<Arc<str>> = keys.iter().map(|key| key.as_str().into()).collect();
    let mut written = Value::Null;
    written.put(&keys, Value::Null);
    let written = names::from_script(&written);
    written.leaves().into_iter().next().map(|(path, _)| path).unwrap_or_default()
}

fn unused(item: &Item, capability: &str) -> Finding {
    let allowed = item.tree.get("allow").and_then(Value::as_list).unwrap_or_default();
    let index = allowed.iter().position(|name| name.as_str() == Some(capability)).unwrap_or_default();
    let message = format!("the task allows `{capability}`, and its script calls nothing of it");
    Finding::new(UNUSED_CAPABILITY, item.subject(), message)
        .at(item.place_of(&format!("allow.{index}")))
        .help(format!("take `{capability}` out of `allow`"))
}
