//! Policy: which steps need a person's word, and how many nodes may be disturbed at once.

use crate::model::hazard::{Hazard, Scope};
use crate::model::plan::{Plan, PlannedStep, Waiting};
use crate::model::record::{NodeRecord, Outcome, Record};
use crate::model::site::{FirstInstall, Site};
use std::collections::BTreeSet;

/// The default budget: this part of the deployed nodes, in percent, may be disturbed at once.
const BUDGET_PERCENT: usize = 10;

/// What a person has agreed to.
#[derive(Clone, Debug, Default)]
pub struct Approvals {
    pub hazards: BTreeSet<Hazard>,
    /// Rehearsal: everything is covered.
    pub everything: bool,
}

/// Notes on each step the hazard that someone must name before it may run.
pub fn note_approvals(
    site: &Site,
    record: Option<&NodeRecord>,
    power: Option<&str>,
    steps: &mut [PlannedStep],
) {
    let loses_data = steps.iter().any(|step| step.hazard == Hazard::DataLoss);
    for step in steps.iter_mut().filter(|step| step.hazard > Hazard::None) {
        if let Some(hazard) = required(site, record, power, step.hazard, loses_data) {
            step.waiting.push(Waiting::Approval { hazard });
        }
    }
}

/// On a machine that we installed every hazard is named. On any other the bring-up is one decision,
/// `data-loss`, unless the site allows first installs and the machine was seen powered off, or it
/// is our own first install that did not end.
fn required(
    site: &Site,
    record: Option<&NodeRecord>,
    power: Option<&str>,
    hazard: Hazard,
    loses_data: bool,
) -> Option<Hazard> {
    if record.is_some_and(NodeRecord::is_installed) {
        return Some(hazard);
    }
    let is_off = power == Some("off");
    if site.first_install == FirstInstall::Allow && (is_off || record.is_some_and(has_begun_install)) {
        return None;
    }
    match (loses_data, is_off) {
        (true, _) => Some(Hazard::DataLoss),
        (false, true) => None,
        (false, false) => Some(hazard),
    }
}

fn has_begun_install(record: &NodeRecord) -> bool {
    record.steps.values().any(|step| {
        step.scope == Scope::Os && matches!(step.outcome, Outcome::Failed(_) | Outcome::Interrupted)
    })
}

/// The hazards that the plan needs and nobody has named.
pub fn unapproved(plan: &Plan, approvals: &Approvals) -> BTreeSet<Hazard> {
    if approvals.everything {
        return BTreeSet::new();
    }
    plan.nodes
        .iter()
        .flat_map(|node| &node.steps)
        .flat_map(|step| &step.waiting)
        .filter_map(|waiting| match waiting {
            Waiting::Approval { hazard } => Some(*hazard),
            Waiting::Budget { .. } => None,
        })
        .filter(|hazard| !approvals.hazards.contains(hazard))
        .collect()
}

/// How many deployed nodes may be disturbed at once: a tenth of them, at least one.
pub fn budget(record: &Record) -> usize {
    let deployed = record.nodes.values().filter(|node| node.deployed_at.is_some()).count();
    (deployed * BUDGET_PERCENT / 100).max(1)
}

/// Notes on disturbing steps of deployed nodes that they take turns.
pub fn note_budget(plan: &mut Plan, record: &Record) {
    let at_once = budget(record);
    let disturbed = |name: &str| record.nodes.get(name).is_some_and(|node| node.deployed_at.is_some());
    for node in plan.nodes.iter_mut().filter(|node| disturbed(&node.name)) {
        for step in node.steps.iter_mut().filter(|step| step.hazard >= Hazard::Reboot) {
            step.waiting.push(Waiting::Budget { at_once });
        }
    }
}
