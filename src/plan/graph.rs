//! Which planned steps of a node wait for which: what the executor does at the same time, and what it does not.
//!
//! A step waits for what its blueprint says, through steps that are not planned as well; for every step of an earlier
//! phase; and where one of the two disturbs the machine, for each step that stands before it. A machine is
//! never disturbed by one step while another is at work on it.

use crate::model::blueprint::{Blueprint, Step};
use crate::model::hazard::Hazard;
use crate::model::plan::PlannedStep;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Notes on each step, which stand in the order of `blueprint`, the steps that it waits for and that do not wait for
/// each other.
pub fn note_order(blueprint: &Blueprint, steps: &mut [PlannedStep]) {
    let declared: BTreeMap<&str, &Step> = blueprint.steps.iter().map(|step| (&*step.name, step)).collect();
    let positions: BTreeMap<Arc<str>, usize> =
        steps.iter().enumerate().map(|(position, step)| (step.step.clone(), position)).collect();
    // Everything that must have ended before the step at each position may begin.
    let mut before: Vec<BTreeSet<usize>> = Vec::with_capacity(steps.len());
    for position in 0..steps.len() {
        let step = &steps[position];
        let earlier =
            |other: &PlannedStep| other.phase < step.phase || other.hazard.max(step.hazard) >= Hazard::Reboot;
        let mut own: BTreeSet<usize> = (0..position).filter(|other| earlier(&steps[*other])).collect();
        own.extend(planned_before(&step.step, &declared, &positions));
        let mut all = own.clone();
        own.iter().filter_map(|other| before.get(*other)).for_each(|theirs| all.extend(theirs));
        before.push(all);
    }
    for position in 0..steps.len() {
        let all = &before[position];
        let last = all.iter().filter(|one| !all.iter().any(|other| before[*other].contains(one)));
        steps[position].after = Some(last.map(|position| steps[*position].step.clone()).collect());
    }
}

/// The planned steps that `step` waits for as its blueprint says; one that is not planned passes on what it waits for.
fn planned_before(
    step: &str,
    declared: &BTreeMap<&str, &Step>,
    positions: &BTreeMap<Arc<str>, usize>,
) -> BTreeSet<usize> {
    let of = |name: &str| declared.get(name).map(|step| step.after.as_slice()).unwrap_or_default();
    let (mut found, mut seen): (BTreeSet<usize>, BTreeSet<&Arc<str>>) = Default::default();
    let mut open: Vec<&Arc<str>> = of(step).iter().collect();
    while let Some(name) = open.pop() {
        if !seen.insert(name) {
            continue;
        }
        match positions.get(name) {
            Some(position) => {
                found.insert(*position);
            }
            None => open.extend(of(name)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Place;
    use crate::model::blueprint::Retry;
    use crate::model::hazard::Phase;
    use crate::model::plan::{Action, Reason};
    use crate::model::value::Value;

    fn declared(name: &str, phase: Phase, after: &[&str]) -> Step {
        Step {
            name: name.into(),
            task: "t".into(),
            phase,
            after: after.iter().map(|name| Arc::from(*name)).collect(),
            hazard: None,
            retry: Retry::default(),
            timeout: None,
            params: Value::empty_map(),
            inherited: Default::default(),
            was: None,
            place: Place::whole("b.kdl"),
        }
    }

    /// What each planned step waits for; `planned` names the steps with their hazards.
    fn order(steps: Vec<Step>, planned: &[(&str, Hazard)]) -> Vec<(String, String)> {
        let mut rows: Vec<PlannedStep> = planned
            .iter()
            .map(|(name, hazard)| PlannedStep {
                step: (*name).into(),
                task: "t".into(),
                phase: steps.iter().find(|step| *step.name == **name).unwrap().phase,
                action: Action::Create,
                hazard: *hazard,
                reason: Reason::NeverDone,
                changes: Vec::new(),
                waiting: Vec::new(),
                after: None,
            })
            .collect();
        let (params, place) = (Vec::new(), Place::whole("b.kdl"));
        note_order(&Blueprint { name: "b".into(), doc: String::new(), steps, params, place }, &mut rows);
        rows.iter().map(|row| (row.step.to_string(), row.after.as_ref().unwrap().join(" "))).collect()
    }

    fn rows(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
        wanted.iter().map(|(step, after)| (step.to_string(), after.to_string())).collect()
    }

    #[test]
    fn steps_wait_for_what_they_name_and_for_nothing_that_waits_for_it_too() {
        let phase = Phase::Deploy;
        let steps = vec![
            declared("a", phase, &[]),
            declared("b", phase, &[]),
            declared("c", phase, &["a", "b"]),
            declared("d", phase, &["a", "c"]),
            declared("e", phase, &["b"]),
        ];
        let mild = Hazard::None;
        let planned = [("a", mild), ("b", mild), ("c", mild), ("d", mild), ("e", mild)];
        assert_eq!(
            order(steps, &planned),
            rows(&[("a", ""), ("b", ""), ("c", "a b"), ("d", "c"), ("e", "b")])
        );
    }

    #[test]
    fn a_step_that_is_not_planned_passes_on_what_it_waits_for() {
        let phase = Phase::Deploy;
        let steps =
            vec![declared("a", phase, &[]), declared("b", phase, &["a"]), declared("c", phase, &["b"])];
        let planned = [("a", Hazard::None), ("c", Hazard::None)];
        assert_eq!(order(steps, &planned), rows(&[("a", ""), ("c", "a")]));
    }

    #[test]
    fn phases_follow_each_other() {
        let steps = vec![
            declared("a", Phase::Verify, &[]),
            declared("b", Phase::Verify, &[]),
            declared("c", Phase::Prepare, &[]),
            declared("d", Phase::Configure, &["a"]),
        ];
        let planned = [("a", Hazard::None), ("b", Hazard::None), ("c", Hazard::None), ("d", Hazard::None)];
        assert_eq!(order(steps, &planned), rows(&[("a", ""), ("b", ""), ("c", "a b"), ("d", "c")]));
    }

    #[test]
    fn a_step_that_disturbs_the_machine_is_alone_with_it() {
        let phase = Phase::Deploy;
        let steps = ["a", "b", "c", "d"].map(|name| declared(name, phase, &[])).to_vec();
        let planned = [("a", Hazard::None), ("b", Hazard::Reboot), ("c", Hazard::None), ("d", Hazard::None)];
        assert_eq!(order(steps, &planned), rows(&[("a", ""), ("b", "a"), ("c", "b"), ("d", "b")]));
    }
}
