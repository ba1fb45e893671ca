//! Traces of a plan: every planned node followed on paper, all at once; each BMC is bounded on its own.

use crate::effect::Target;
use crate::effect::live::Live;
use crate::effect::tracing::Tracer;
use crate::model::plan::{Plan, PlannedNode};
use crate::model::site::{Site, is_site};
use crate::model::trace::{StepTrace, Traces};
use crate::plan::site_work;
use crate::run::trace::{self, Traceable};
use crate::script::closure::Closure;
use crate::script::evaluate::Program;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::task::JoinSet;

type Programs = BTreeMap<Arc<str>, Result<Arc<Program>, String>>;

/// Follows every step of `plan`. `live` has its hardware on paper and no right to write.
pub async fn traces(live: &Arc<Live>, site: &Arc<Site>, plan: &Plan) -> Traces {
    let programs = Arc::new(programs(site, plan));
    let mut tasks = JoinSet::new();
    for planned in plan.targets() {
        let (live, site, programs, planned) = (live.clone(), site.clone(), programs.clone(), planned.clone());
        tasks.spawn(async move { node(&live, &site, &programs, &planned).await });
    }
    let mut traces = Traces::new();
    while let Some(joined) = tasks.join_next().await {
        match joined {
            Ok(Some((name, steps))) => drop(traces.insert(name, steps)),
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "a trace broke off"),
        }
    }
    traces
}

async fn node(
    live: &Live,
    site: &Site,
    programs: &Programs,
    planned: &PlannedNode,
) -> Option<(Arc<str>, Vec<StepTrace>)> {
    let spec = match site.node(&planned.name) {
        Some(node) => node.spec.clone(),
        None if is_site(&planned.name) => site_work::target(site).spec,
        None => return None,
    };
    let blueprint = site.blueprints.get(&planned.lifecycle)?;
    let steps: Vec<Traceable> = planned
        .steps
        .iter()
        .filter_map(|step| {
            let declared = blueprint.steps.iter().find(|declared| declared.name == step.step)?;
            Some(Traceable {
                step: declared.clone(),
                task: site.tasks.get(&step.task)?.clone(),
                program: programs.get(&step.task)?.clone(),
            })
        })
        .collect();
    let target = Target { node: planned.name.clone(), spec };
    let mut tracer = Tracer::new(live, &target);
    Some((planned.name.clone(), trace::steps(&mut tracer, &steps).await))
}

/// The scripts of every planned step, compiled once.
fn programs(site: &Site, plan: &Plan) -> Programs {
    let mut programs = Programs::new();
    for step in plan.targets().flat_map(|node| &node.steps) {
        let Some(task) = site.tasks.get(&step.task) else { continue };
        programs.entry(step.task.clone()).or_insert_with(|| {
            let compiled = Closure::of(task, &site.scripts).and_then(Program::compile);
            compiled.map(Arc::new).map_err(|error| error.to_string())
        });
    }
    programs
}
