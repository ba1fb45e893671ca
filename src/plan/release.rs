//! The plan that takes one node out of care: every step of the release blueprint, in order.

use super::{graph, node};
use crate::model::observed::Observed;
use crate::model::plan::{Action, NodeBasis, Plan, PlannedNode, PlannedStep, Reason, Waiting};
use crate::model::record::{Owners, Record};
use crate::model::site::Site;

/// Plans the release of `name`, whose lifecycle is the release blueprint.
pub fn plan(site: &Site, name: &str, record: &Record, observed: &Observed) -> Result<Plan, String> {
    let node = site.node(name).ok_or_else(|| format!("there is no node `{name}`"))?;
    let blueprint = site
        .blueprints
        .get(&node.lifecycle)
        .ok_or_else(|| format!("there is no blueprint `{}`", node.lifecycle))?;
    let (owners, versions) = (Owners::of(record), node::Versions::new());
    let claims = observed.mac_claims();
    let macs = node::Macs { named: node::named_macs(site), claims: &claims };
    let context = node::Context::of(site, (record, &owners, &macs), observed, &versions, node, None);
    context.may_be_released().map_err(|why| format!("node `{name}` cannot be released: {why}"))?;
    let known = record.nodes.get(name);
    let machine = observed.nodes.get(name).and_then(|seen| seen.machine.value());
    let mut steps: Vec<PlannedStep> = blueprint
        .steps
        .iter()
        .filter_map(|step| {
            let hazard = step.hazard.unwrap_or(site.tasks.get(&step.task)?.hazard);
            Some(PlannedStep {
                step: step.name.clone(),
                task: step.task.clone(),
                phase: step.phase,
                action: Action::Release,
                hazard,
                reason: Reason::Released,
                changes: Vec::new(),
                waiting: match hazard {
                    crate::model::hazard::Hazard::None => Vec::new(),
                    hazard => vec![Waiting::Approval { hazard }],
                },
                after: None,
            })
        })
        .collect();
    graph::note_order(blueprint, &mut steps);
    let plan = Plan {
        on: Some(name.to_string()),
        nodes: vec![PlannedNode {
            name: node.name.clone(),
            action: Action::Release,
            hazard: steps.iter().map(|step| step.hazard).max().unwrap_or_default(),
            lifecycle: blueprint.name.clone(),
            basis: NodeBasis {
                record: known.map_or(0, |record| record.serial),
                power: machine.map(|machine| machine.power.clone()),
                observed: Default::default(),
            },
            steps,
        }],
        ..super::blank(site, record)
    };
    Ok(super::finished(plan, record, 0))
}
