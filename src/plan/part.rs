//! The part of a plan that may be carried out without asking anybody.
//!
//! Pure, like planning itself: steps that wait for a person's word stay behind, and with them every step
//! that builds on one. Nothing is planned here that the whole plan does not hold.

use super::policy::Approvals;
use super::{graph, report};
use crate::model::hazard::Hazard;
use crate::model::plan::{Action, Plan, PlannedNode, Reason};
use crate::model::site::Site;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What may be done now, and what waits for which hazard to be named.
pub struct Part {
    pub plan: Plan,
    pub held: BTreeMap<Arc<str>, BTreeSet<Hazard>>,
}

/// Divides a plan by what was approved.
pub fn approved(plan: &Plan, site: &Site, approvals: &Approvals) -> Part {
    let mut plan = plan.clone();
    let mut held = BTreeMap::new();
    plan.nodes.retain_mut(|node| {
        let missing: BTreeSet<Hazard> = node.steps.iter().flat_map(|step| approvals.missing(step)).collect();
        if missing.is_empty() {
            return true;
        }
        held.insert(node.name.clone(), missing);
        // Bringing a machine up, or taking one out of care, is one decision.
        if matches!(node.action, Action::Create | Action::Release) {
            return false;
        }
        keep_free(node, site, approvals);
        !node.steps.is_empty()
    });
    seal(&mut plan);
    Part { plan, held }
}

/// Leaves nodes out of a plan.
pub fn without(plan: &mut Plan, resting: &BTreeSet<Arc<str>>) {
    plan.nodes.retain(|node| !resting.contains(&node.name));
    seal(plan);
}

/// Keeps the steps that neither wait for a word nor build on one that does.
fn keep_free(node: &mut PlannedNode, site: &Site, approvals: &Approvals) {
    let waits: BTreeSet<Arc<str>> = node
        .steps
        .iter()
        .filter(|step| approvals.missing(step).next().is_some())
        .map(|step| step.step.clone())
        .collect();
    let Some(blueprint) = site.blueprints.get(&node.lifecycle) else {
        node.steps.clear();
        return;
    };
    let mut behind: BTreeSet<Arc<str>> = BTreeSet::new();
    // Steps stand after those that they wait for, so one pass sees every chain.
    for step in &blueprint.steps {
        let wiped = node.steps.iter().any(|planned| {
            planned.step == step.name
                && matches!(&planned.reason, Reason::Wiped { by } if behind.contains(&**by))
        });
        if wiped || waits.contains(&step.name) || step.after.iter().any(|name| behind.contains(name)) {
            behind.insert(step.name.clone());
        }
    }
    node.steps.retain(|step| !behind.contains(&step.step));
    graph::note_order(blueprint, &mut node.steps);
    node.hazard = node.steps.iter().map(|step| step.hazard).max().unwrap_or_default();
}

fn seal(plan: &mut Plan) {
    if plan.nodes.is_empty() {
        plan.site_work = None;
    }
    plan.summary = report::summarize(plan, plan.summary.unchanged);
    plan.digest = plan.compute_digest();
}
