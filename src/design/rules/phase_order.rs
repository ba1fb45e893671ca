//! What: a step does not wait for a step of a later phase. Why: `apply --until prepare` would do it before what it waits
//! for. Example: a `prepare` step `after` a `deploy` step. Fix: give the step the later phase, or turn the order round.

use super::Context;
use crate::finding::{Finding, PHASE_ORDER};

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for blueprint in context.typed.blueprints.values() {
        for step in &blueprint.steps {
            let later = blueprint
                .steps
                .iter()
                .find(|other| step.after.contains(&other.name) && other.phase > step.phase);
            if let Some(other) = later {
                let message = format!(
                    "step `{}` of phase {} waits for step `{}` of the later phase {}",
                    step.name, step.phase, other.name, other.phase
                );
                findings.push(
                    Finding::new(PHASE_ORDER, format!("blueprint \"{}\"", blueprint.name), message)
                        .at(step.place.clone())
                        .help("give the step the later phase, or turn the order round"),
                );
            }
        }
    }
}
