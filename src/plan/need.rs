//! Is a step needed, and why? The rules (a) to (d) of plans, for one step of one node.

use super::diff;
use crate::model::blueprint::Step;
use crate::model::hazard::{Hazard, Scope};
use crate::model::observed::Seen;
use crate::model::plan::{Change, Reason};
use crate::model::record::{NodeRecord, Outcome, StepRecord};
use crate::model::site::Node;
use crate::model::task::Task;
use crate::model::value::Value;

/// What is known of one step when its need is decided.
pub struct Facts<'a> {
    pub node: &'a Node,
    pub step: &'a Step,
    pub task: &'a Task,
    pub record: Option<&'a StepRecord>,
    pub seen: &'a Seen<Value>,
    /// Digest of the task's scripts as they are now.
    pub scripts: Option<&'a str>,
    /// The planned step before this one that wipes what it did.
    pub wiped_by: Option<&'a str>,
}

/// Why a step is needed, and what differs.
pub struct Need {
    pub reason: Reason,
    pub changes: Vec<Change>,
    pub hazard: Hazard,
}

/// A step that is not needed, and what has changed that alone makes nothing needed.
pub struct Rest {
    pub available: Vec<Change>,
    /// The task's scripts are other than those that did it.
    pub other_scripts: bool,
}

pub fn decide(facts: &Facts) -> Result<Need, Rest> {
    let wanted = facts.node.spec.project(facts.task.realized());
    let base = facts.step.hazard.unwrap_or(facts.task.hazard);
    let seen = seen_changes(facts, &wanted);
    // What was seen counts whatever the reason: `apply` acts on all of it.
    let need = |reason: Reason, changes: Vec<Change>| {
        let named = hazard_of(facts.task, base, &[changes.clone(), seen.clone()].concat());
        let is_true = facts.seen.value().is_some_and(|seen| diff::compare(&wanted, seen).is_true());
        let hazard = match reason {
            Reason::Changed | Reason::Drift => named,
            // Looked at when its turn comes, and left at that; what has moved by then makes the plan stale.
            Reason::NeverDone if is_true && !facts.task.realizes.is_empty() => Hazard::None,
            _ => named.max(base),
        };
        Ok(Need { reason, changes, hazard })
    };
    let Some(record) = facts.record else {
        let wants = match seen.is_empty() {
            true => diff::changes(&Value::empty_map(), &wanted),
            false => seen.clone(),
        };
        return need(Reason::NeverDone, wants);
    };
    match &record.outcome {
        Outcome::Failed(why) => return need(Reason::Failed { why: why.clone() }, seen.clone()),
        Outcome::Interrupted => return need(Reason::Interrupted, seen.clone()),
        Outcome::Wiped(by) => return need(Reason::Wiped { by: by.clone() }, seen.clone()),
        Outcome::InDoubt(_) | Outcome::Done => {}
    }
    if let (Scope::Os, Some(by)) = (facts.task.scope, facts.wiped_by) {
        return need(Reason::Wiped { by: by.to_string() }, Vec::new());
    }
    let (changed, mut available) = recorded_changes(facts, record, &wanted, base);
    if !changed.is_empty() {
        // `apply` acts on what was seen, too: whoever approves the change reads all of it.
        let is_new = |seen: &&Change| changed.iter().all(|change| change.path != seen.path);
        let also: Vec<Change> = seen.iter().filter(is_new).cloned().collect();
        return need(Reason::Changed, [changed, also].concat());
    }
    if !seen.is_empty() {
        return need(Reason::Drift, seen.clone());
    }
    let seeds = facts.node.spec.project(&facts.task.seeds);
    available.extend(diff::changes(&record.seeds, &seeds));
    let other_scripts =
        record.scripts.as_deref().zip(facts.scripts).is_some_and(|(recorded, now)| recorded != now);
    Err(Rest { available, other_scripts })
}

/// What the design says otherwise than at the last success: needed, and merely available.
fn recorded_changes(
    facts: &Facts,
    record: &StepRecord,
    wanted: &Value,
    base: Hazard,
) -> (Vec<Change>, Vec<Change>) {
    let before = record.inputs.clone().unwrap_or_else(Value::empty_map);
    let is_mild =
        |change: &Change| hazard_of(facts.task, base, std::slice::from_ref(change)) < Hazard::Reboot;
    let (mut needed, mut available): (Vec<Change>, Vec<Change>) = diff::changes(&before, wanted)
        .into_iter()
        .partition(|change| is_mild(change) || facts.node.is_written(&change.path));
    let params = facts.task.params_of(facts.step, &facts.node.spec);
    for mut change in diff::changes(&record.params, &params) {
        let by_step = facts.step.params.at(&change.path).is_some();
        change.path.0.insert(0, "params".into());
        let written = by_step || facts.node.is_written(&change.path);
        if written || base < Hazard::Reboot { needed.push(change) } else { available.push(change) }
    }
    (needed, available)
}

/// Leaves that were seen and are not as the design wants them. A leaf that nobody wrote wants nothing.
fn seen_changes(facts: &Facts, wanted: &Value) -> Vec<Change> {
    let Some(seen) = facts.seen.value() else { return Vec::new() };
    let mut differs = diff::compare(wanted, seen).differs;
    differs.retain(|change| facts.node.is_written(&change.path));
    differs
}

/// The worst hazard of the changed paths; the step's own when a path names none.
pub fn hazard_of(task: &Task, base: Hazard, changes: &[Change]) -> Hazard {
    let of_change = |change: &Change| {
        let declared = task.realizes.iter().filter(|realized| change.path.starts_with(&realized.path));
        let named =
            declared.filter(|realized| realized.when.as_ref().is_none_or(|when| *when == change.after));
        named.filter_map(|realized| realized.hazard).next().unwrap_or(base)
    };
    changes.iter().map(of_change).max().unwrap_or(base)
}

/// The record of a step, under its name or its earlier one.
pub fn record_of<'a>(record: Option<&'a NodeRecord>, step: &Step) -> Option<&'a StepRecord> {
    let steps = &record?.steps;
    steps.get(&step.name).or_else(|| steps.get(step.was.as_ref()?))
}
