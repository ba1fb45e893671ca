//! The plan of a work order: every step of a blueprint, once, on each node that was chosen.
//!
//! Owns how what was given reaches the steps. What a step would do is true already is found when its turn comes; a work
//! order never makes a node deployed and leaves the records of its lifecycle alone.

use super::{Limits, graph, node};
use crate::model::blueprint::{Blueprint, Step};
use crate::model::hazard::{Aim, Hazard};
use crate::model::observed::Observed;
use crate::model::param::Param;
use crate::model::plan::{
    Action, NodeBasis, Order, OrderKind, Plan, PlannedNode, PlannedStep, Reason, Unplanned,
};
use crate::model::record::{NodeRecord, Outcome, Owners, Record, recorded_as};
use crate::model::site::{Node, Site};
use crate::model::task::Task;
use crate::model::value::Value;
use std::sync::Arc;

/// The site in which the nodes that `limits` chose have the order's blueprint for a lifecycle.
pub fn with_order(site: &Site, order: &Order, limits: &Limits) -> Result<Site, String> {
    let blueprint = Arc::new(blueprint(site, order)?);
    let is_of_site = |task: &Arc<Task>| task.aim == Aim::Site;
    if blueprint.steps.iter().any(|step| site.tasks.get(&step.task).is_some_and(is_of_site)) {
        return Err(format!(
            "`{}` is about the site, and not about nodes; `apply --until prepare-site` does it",
            order.name
        ));
    }
    let mut site = site.clone();
    for node in site.nodes.iter_mut().filter(|node| limits.includes(&node.name)) {
        node.lifecycle = blueprint.name.clone();
    }
    site.blueprints.insert(blueprint.name.clone(), blueprint);
    Ok(site)
}

/// The parameters that an order may be given.
pub fn params(site: &Site, kind: OrderKind, name: &str) -> Option<Vec<Param>> {
    match kind {
        OrderKind::Task => site.tasks.get(name).map(|task| task.params.clone()),
        OrderKind::Blueprint => site.blueprints.get(name).map(|blueprint| blueprint.params.clone()),
    }
}

/// The blueprint that is run, with what was given in its steps.
fn blueprint(site: &Site, order: &Order) -> Result<Blueprint, String> {
    match order.kind {
        OrderKind::Task => {
            let task =
                site.tasks.get(&order.name).ok_or_else(|| format!("there is no task `{}`", order.name))?;
            Ok(alone(task, &order.params))
        }
        OrderKind::Blueprint => {
            let found = site.blueprints.get(&order.name);
            let found = found.ok_or_else(|| format!("there is no blueprint `{}`", order.name))?;
            Ok(found.given(&site.tasks, &order.params))
        }
    }
}

/// A blueprint of one step.
fn alone(task: &Task, params: &Value) -> Blueprint {
    let name: Arc<str> = task.name.rsplit('/').next().unwrap_or(&task.name).into();
    let step = Step {
        name,
        task: task.name.clone(),
        phase: crate::model::hazard::Phase::Configure,
        after: Vec::new(),
        hazard: None,
        retry: Default::default(),
        timeout: None,
        params: params.clone(),
        inherited: Default::default(),
        was: None,
        place: task.place.clone(),
    };
    Blueprint {
        name: format!("task {}", task.name).into(),
        doc: task.doc.clone(),
        steps: vec![step],
        params: Vec::new(),
        place: task.place.clone(),
    }
}

/// Plans the order; `site` is what [`with_order`] made.
pub fn plan(site: &Site, order: &Order, record: &Record, observed: &Observed, limits: &Limits) -> Plan {
    let (owners, versions) = (Owners::of(record), node::Versions::new());
    let claims = observed.mac_claims();
    let macs = node::Macs { named: node::named_macs(site), claims: &claims };
    let mut plan = Plan {
        order: Some(order.clone()),
        on: limits.on.as_ref().map(|(text, _)| text.clone()),
        ..super::blank(site, record)
    };
    for node in site.nodes.iter().filter(|node| limits.includes(&node.name)) {
        let context = node::Context::of(site, (record, &owners, &macs), observed, &versions, node, None);
        let planned = match limits.under_way.get(&node.name) {
            Some(why) => Err(why.clone()),
            None => context.may_be_ordered().and_then(|()| planned(site, node, &context, record, observed)),
        };
        match planned {
            Ok(planned) => plan.nodes.push(planned),
            Err(why) => plan.unplanned.push(Unplanned { node: node.name.clone(), why }),
        }
    }
    super::finished(plan, record, 0)
}

fn planned(
    site: &Site,
    node: &Node,
    context: &node::Context<'_>,
    record: &Record,
    observed: &Observed,
) -> Result<PlannedNode, String> {
    let missing = || format!("there is no blueprint `{}`", node.lifecycle);
    let blueprint = site.blueprints.get(&node.lifecycle).ok_or_else(missing)?;
    let known = record.nodes.get(&node.name);
    for step in &blueprint.steps {
        let name = recorded_as(Some(&blueprint.name), &step.name);
        let outcome = known.and_then(|known| known.steps.get(&*name)).map(|step| &step.outcome);
        if let Some(Outcome::InDoubt(question)) = outcome {
            return Err(format!("step `{name}` is in doubt: {question}"));
        }
    }
    let steps = blueprint.steps.iter().filter_map(|step| {
        let hazard = match step.hazard.unwrap_or(site.tasks.get(&step.task)?.hazard) {
            // A store that was lost looks just like a node that is new.
            Hazard::Reinstall if !known.is_some_and(NodeRecord::is_ours) => Hazard::DataLoss,
            other => other,
        };
        Some(PlannedStep {
            step: step.name.clone(),
            task: step.task.clone(),
            phase: step.phase,
            action: Action::Run,
            hazard,
            reason: Reason::Ordered,
            changes: Vec::new(),
            waiting: Vec::new(),
            after: None,
        })
    });
    let mut steps: Vec<PlannedStep> = steps.collect();
    context.protect(&steps)?;
    context.note_approvals(&mut steps);
    graph::note_order(blueprint, &mut steps);
    let power = observed.nodes.get(&node.name).and_then(|seen| seen.machine.value());
    Ok(PlannedNode {
        name: node.name.clone(),
        action: Action::Run,
        hazard: steps.iter().map(|step| step.hazard).max().unwrap_or(Hazard::None),
        lifecycle: blueprint.name.clone(),
        basis: NodeBasis {
            record: known.map_or(0, |known| known.serial),
            power: power.map(|machine| machine.power.clone()),
            observed: Default::default(),
        },
        steps,
    })
}
