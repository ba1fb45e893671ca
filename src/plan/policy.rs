//! Policy: which steps need a person's word, and how many nodes may be disturbed at once.

use crate::model::hazard::Hazard;
use crate::model::plan::{Plan, PlannedStep, Waiting};
use crate::model::record::{NodeRecord, Outcome, Record, StepRecord};
use crate::model::site::{FirstInstall, Site};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The default budget: this part of the deployed nodes, in percent, may be disturbed at once.
const BUDGET_PERCENT: usize = 10;

/// What a person has agreed to.
#[derive(Clone, Debug, Default)]
pub struct Approvals {
    pub hazards: BTreeSet<Hazard>,
    /// Rehearsal: everything is covered.
    pub everything: bool,
}

impl Approvals {
    pub fn covers(&self, hazard: Hazard) -> bool {
        self.everything || self.hazards.contains(&hazard)
    }

    /// The hazards that a step needs and nobody has named.
    pub fn missing(&self, step: &PlannedStep) -> impl Iterator<Item = Hazard> {
        let named = step.waiting.iter().filter_map(|waiting| match waiting {
            Waiting::Approval { hazard } => Some(*hazard),
            Waiting::Budget { .. } => None,
        });
        named.filter(|hazard| !self.covers(*hazard))
    }
}

/// What of a node decides whether a hazard must be named.
pub struct Standing<'a> {
    pub record: Option<&'a NodeRecord>,
    /// It was taken out of care: whatever it holds now is somebody's.
    pub released: bool,
    /// `on`, `off` …, when it was seen.
    pub power: Option<&'a str>,
}

/// Notes on each step the hazard that someone must name before it may run.
pub fn note_approvals(site: &Site, standing: &Standing, steps: &mut [PlannedStep]) {
    let loses_data = steps.iter().any(|step| step.hazard == Hazard::DataLoss);
    for step in steps.iter_mut().filter(|step| step.hazard > Hazard::None) {
        if let Some(hazard) = required(site, standing, step.hazard, loses_data) {
            step.waiting.push(Waiting::Approval { hazard });
        }
    }
}

/// On a machine that we installed every hazard is named. On any other the bring-up is one decision,
/// `data-loss`, unless the site allows first installs and the machine was seen powered off, or its
/// disk was handed to our installer before: what was on it is gone.
fn required(site: &Site, standing: &Standing, hazard: Hazard, loses_data: bool) -> Option<Hazard> {
    if standing.record.is_some_and(NodeRecord::is_ours) {
        return Some(hazard);
    }
    let is_off = standing.power == Some("off");
    let given_up = standing.record.is_some_and(|record| record.disk_given_up);
    let allowed = site.first_install == FirstInstall::Allow && !standing.released;
    if allowed && (is_off || given_up) {
        return None;
    }
    match (loses_data, is_off) {
        (true, _) => Some(Hazard::DataLoss),
        (false, true) => None,
        (false, false) => Some(hazard),
    }
}

/// The hazards that the plan needs and nobody has named.
pub fn unapproved(plan: &Plan, approvals: &Approvals) -> BTreeSet<Hazard> {
    plan.nodes.iter().flat_map(|node| &node.steps).flat_map(|step| approvals.missing(step)).collect()
}

/// Nodes of ours that are down, as far as the record tells: their disk was given up, or a step that disturbs them did
/// not end well. Each holds a place in the budget until it is mended.
pub fn down(site: &Site, record: &Record) -> BTreeSet<Arc<str>> {
    let disturbs = |step: &StepRecord| {
        let hazard = site.tasks.get(&step.task).map_or(Hazard::None, |task| task.worst());
        hazard >= Hazard::Reboot && step.outcome != Outcome::Done
    };
    let is_down =
        |node: &NodeRecord| node.is_ours() && (node.disk_given_up || node.steps.values().any(disturbs));
    record.nodes.iter().filter(|(_, node)| is_down(node)).map(|(name, _)| name.clone()).collect()
}

/// How many deployed nodes may be disturbed at once: a tenth of them, at least one.
pub fn budget(record: &Record) -> usize {
    let deployed = record.nodes.values().filter(|node| node.is_ours()).count();
    (deployed * BUDGET_PERCENT / 100).max(1)
}

/// Notes on disturbing steps of deployed nodes that they take turns.
pub fn note_budget(plan: &mut Plan, record: &Record) {
    let at_once = budget(record);
    let disturbed = |name: &str| record.nodes.get(name).is_some_and(NodeRecord::is_ours);
    for node in plan.nodes.iter_mut().filter(|node| disturbed(&node.name)) {
        for step in node.steps.iter_mut().filter(|step| step.hazard >= Hazard::Reboot) {
            step.waiting.push(Waiting::Budget { at_once });
        }
    }
}
