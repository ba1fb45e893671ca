//! The plan's summary.

use crate::model::plan::{Action, Plan, Summary};

pub fn summarize(plan: &Plan, unchanged: usize) -> Summary {
    let mut summary = Summary { unchanged, blocked: plan.unplanned.len(), ..Summary::default() };
    for node in &plan.nodes {
        match node.action {
            Action::Create => summary.create += 1,
            Action::Change => summary.change += 1,
            Action::Repair => summary.repair += 1,
            Action::Reinstall => summary.reinstall += 1,
            Action::Release => summary.release += 1,
            Action::Adopt => summary.adopt += 1,
            Action::Run => summary.run += 1,
            Action::None => summary.unchanged += 1,
        }
    }
    summary
}
