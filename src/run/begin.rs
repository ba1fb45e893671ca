//! From an approved plan to a run in the store, with everything pinned that it will need.

use super::prepared::Pinned;
use crate::id::RunId;
use crate::model::hazard::Phase;
use crate::model::plan::{Plan, PlannedNode};
use crate::model::site::{Site, is_site};
use crate::plan::site_work;
use crate::script::closure::{Closure, ClosureError};
use crate::store::{NewNode, NewRun, NewStep};
use std::collections::HashMap;
use std::sync::Arc;

/// Why a plan cannot become a run.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    #[error("the plan names `{0}`, which the design no longer has")]
    Missing(String),
    #[error(transparent)]
    Closure(#[from] ClosureError),
    #[error("the plan cannot be written down: {0}")]
    Encoding(#[from] serde_json::Error),
}

/// Builds the run. `saved` says that the plan was made earlier and its observations must be compared.
pub fn build(
    id: RunId,
    plan: &Plan,
    site: &Site,
    command: String,
    saved: bool,
) -> Result<NewRun, BeginError> {
    let mut pins = Pins { site, tasks: HashMap::new() };
    let nodes = plan.targets().map(|planned| pins.node(planned, plan, saved)).collect::<Result<_, _>>()?;
    Ok(NewRun {
        id,
        command,
        design_digest: plan.design.digest.clone(),
        plan: serde_json::to_string(plan)?,
        nodes,
    })
}

struct Pins<'a> {
    site: &'a Site,
    /// The pinned task and closure of each task, as JSON.
    tasks: HashMap<Arc<str>, (Arc<str>, Arc<str>)>,
}

impl Pins<'_> {
    fn node(&mut self, planned: &PlannedNode, plan: &Plan, saved: bool) -> Result<NewNode, BeginError> {
        let missing = |name: &str| BeginError::Missing(name.to_string());
        let spec = match self.site.node(&planned.name) {
            Some(node) => node.spec.clone(),
            None if is_site(&planned.name) => site_work::target(self.site).spec,
            None => return Err(missing(&planned.name)),
        };
        let blueprint =
            self.site.blueprints.get(&planned.lifecycle).ok_or_else(|| missing(&planned.lifecycle))?.clone();
        let mut steps = Vec::with_capacity(planned.steps.len());
        for step in &planned.steps {
            let declared = blueprint.steps.iter().find(|candidate| candidate.name == step.step);
            let pinned = Pinned {
                step: declared.cloned().ok_or_else(|| missing(&step.step))?,
                planned: step.clone(),
                basis: planned.basis.clone(),
                action: planned.action,
                whole: plan.order.is_none() && plan.until.is_none_or(|phase| phase >= Phase::Configure),
                order: plan.order.as_ref().map(|_| planned.lifecycle.clone()),
                saved,
            };
            let (task, closure) = self.task(&step.task)?;
            steps.push(NewStep {
                step: step.step.clone(),
                task,
                closure,
                planned: serde_json::to_string(&pinned)?,
            });
        }
        Ok(NewNode { node: planned.name.clone(), spec, steps })
    }

    fn task(&mut self, name: &Arc<str>) -> Result<(Arc<str>, Arc<str>), BeginError> {
        if let Some(pinned) = self.tasks.get(name) {
            return Ok(pinned.clone());
        }
        let task = self.site.tasks.get(name).ok_or_else(|| BeginError::Missing(name.to_string()))?;
        let closure = Closure::of(task, &self.site.scripts)?;
        let pinned = (Arc::from(serde_json::to_string(&**task)?), Arc::from(closure.pinned()));
        self.tasks.insert(name.clone(), pinned.clone());
        Ok(pinned)
    }
}
