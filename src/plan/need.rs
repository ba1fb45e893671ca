//! Is a step needed, and why? The rules (a) to (d) of plans, for one step of one node.

use super::diff;
use crate::model::blueprint::Step;
use crate::model::hazard::{Hazard, Scope};
use crate::model::observed::Seen;
use crate::model::path::Path;
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
}

pub fn decide(facts: &Facts) -> Result<Need, Rest> {
    let wanted = facts.node.spec.project(facts.task.realized());
    let base = facts.step.hazard.unwrap_or(facts.task.hazard);
    let need = |reason, changes: Vec<Change>| {
        let hazard = hazard_of(facts.task, base, &changes);
        Ok(Need { reason, changes, hazard })
    };
    let seen = seen_changes(facts, &wanted);
    let Some(record) = facts.record else {
        let wants = if seen.is_empty() { diff::changes(&Value::empty_map(), &wanted) } else { seen };
        return need(Reason::NeverDone, wants);
    };
    match &record.outcome {
        Outcome::Failed(why) => return need(Reason::Failed { why: why.clone() }, seen),
        Outcome::Interrupted => return need(Reason::Interrupted, seen),
        Outcome::Wiped(by) => return need(Reason::Wiped { by: by.clone() }, seen),
        Outcome::InDoubt(_) | Outcome::Done => {}
    }
    if let (Scope::Os, Some(by)) = (facts.task.scope, facts.wiped_by) {
        return need(Reason::Wiped { by: by.to_string() }, Vec::new());
    }
    let (changed, mut available) = recorded_changes(facts, record, &wanted, base);
    if !changed.is_empty() {
        return need(Reason::Changed, changed);
    }
    if !seen.is_empty() {
        return need(Reason::Drift, seen);
    }
    let seeds = facts.node.spec.project(&facts.task.seeds);
    available.extend(diff::changes(&record.seeds, &seeds));
    Err(Rest { available })
}

/// What the design says otherwise than at the last success: needed, and merely available.
fn recorded_changes(
    facts: &Facts,
    record: &StepRecord,
    wanted: &Value,
    base: Hazard,
) -> (Vec<Change>, Vec<Change>) {
    let before = record.inputs.clone().unwrap_or_else(Value::empty_map);
    let mut all = diff::changes(&before, wanted);
    let params = |value: &Value| Value::map([("params", value.clone())]);
    all.extend(diff::changes(&params(&record.params), &params(&facts.step.params)));
    let is_mild =
        |change: &Change| hazard_of(facts.task, base, std::slice::from_ref(change)) < Hazard::Reboot;
    let is_param = |path: &Path| path.0.first().is_some_and(|key| &**key == "params");
    all.into_iter()
        .partition(|change| is_mild(change) || is_param(&change.path) || facts.node.is_written(&change.path))
}

/// Leaves that were seen and are not as the design wants them. A leaf that nobody wrote wants nothing.
fn seen_changes(facts: &Facts, wanted: &Value) -> Vec<Change> {
    let Some(seen) = facts.seen.value() else { return Vec::new() };
    let mut differs = diff::compare(wanted, seen).differs;
    differs.retain(|change| facts.node.is_written(&change.path));
    differs
}

/// The worst hazard of the changed paths; the step's own when a path names none.
fn hazard_of(task: &Task, base: Hazard, changes: &[Change]) -> Hazard {
    let of_path = |path: &Path| {
        let declared = task.realizes.iter().find(|realized| path.starts_with(&realized.path));
        declared.and_then(|realized| realized.hazard).unwrap_or(base)
    };
    changes.iter().map(|change| of_path(&change.path)).max().unwrap_or(base)
}

/// The record of a step, under its name or its earlier one.
pub fn record_of<'a>(record: Option<&'a NodeRecord>, step: &Step) -> Option<&'a StepRecord> {
    let steps = &record?.steps;
    steps.get(&step.name).or_else(|| steps.get(step.was.as_ref()?))
}
