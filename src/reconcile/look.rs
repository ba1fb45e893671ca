//! Looking: what every machine says now, read without writing anything.

use crate::effect::Target;
use crate::effect::live::Live;
use crate::effect::observe;
use crate::model::hazard::Phase;
use crate::model::observed::{MACHINE_SOURCE, NodeObserved, Observed, STEP_SOURCE, Seen, step_source};
use crate::model::site::{Node, Site};
use crate::model::task::Task;
use crate::model::value::Value;
use crate::script::closure::Closure;
use crate::script::evaluate::{Function, Program};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::task::JoinSet;

type Programs = BTreeMap<Arc<str>, Result<Arc<Program>, String>>;

/// Looks at the nodes chosen, all at once; each BMC is bounded on its own. Work of the site alone asks no machine.
pub async fn look(
    live: &Arc<Live>,
    site: &Arc<Site>,
    chosen: Option<&BTreeSet<Arc<str>>>,
    until: Option<Phase>,
) -> Observed {
    let programs = Arc::new(programs(site));
    let mut tasks = JoinSet::new();
    for (index, node) in site.nodes.iter().enumerate() {
        let of_site = until.is_some_and(Phase::is_of_site);
        if of_site || chosen.is_some_and(|chosen| !chosen.contains(&node.name)) {
            continue;
        }
        let (live, site, programs) = (live.clone(), site.clone(), programs.clone());
        tasks.spawn(async move {
            let node = &site.nodes[index];
            (node.name.clone(), look_at(&live, &site, node, &programs, until).await)
        });
    }
    let mut observed = Observed::default();
    while let Some(joined) = tasks.join_next().await {
        match joined {
            Ok((name, seen)) => {
                observed.nodes.insert(name, seen);
            }
            Err(error) => tracing::error!(%error, "a look broke off"),
        }
    }
    observed
}

/// Every task that can observe, compiled once.
fn programs(site: &Site) -> Programs {
    site.tasks
        .values()
        .filter(|task| !task.realizes.is_empty())
        .map(|task| {
            let program = Closure::of(task, &site.scripts)
                .and_then(Program::compile)
                .map(Arc::new)
                .map_err(|error| error.to_string());
            (task.name.clone(), program)
        })
        .collect()
}

async fn look_at(
    live: &Live,
    site: &Site,
    node: &Node,
    programs: &Programs,
    until: Option<Phase>,
) -> NodeObserved {
    let target = Target { node: node.name.clone(), spec: node.spec.clone() };
    let machine = match live.machine(&target).await {
        Ok(machine) => Seen::Is { value: machine, at: (live.now)() },
        Err(failure) => Seen::Unknown { why: failure.message, at: (live.now)() },
    };
    let mut seen = NodeObserved { machine, steps: BTreeMap::new() };
    if seen.machine.value().is_none() {
        return seen;
    }
    let Some(blueprint) = site.blueprints.get(&node.lifecycle) else { return seen };
    for step in blueprint.steps.iter().filter(|step| step.phase <= until.unwrap_or(Phase::Configure)) {
        let (Some(task), Some(program)) = (site.tasks.get(&step.task), programs.get(&step.task)) else {
            continue;
        };
        if let Some(looked) = look_step(live, &target, task, program, &task.params_of(step, &node.spec)).await
        {
            seen.steps.insert(step.name.clone(), looked);
        }
    }
    seen
}

async fn look_step(
    live: &Live,
    target: &Target,
    task: &Task,
    program: &Result<Arc<Program>, String>,
    params: &Value,
) -> Option<Seen<Value>> {
    let unknown = |why: String| Some(Seen::Unknown { why, at: (live.now)() });
    let program = match program {
        Ok(program) => program,
        Err(why) => return unknown(why.clone()),
    };
    if !program.has(Function::Observe) {
        return None;
    }
    match observe::look(live, program, Function::Observe, target, task, params).await {
        Ok(value) => Some(Seen::Is { value, at: (live.now)() }),
        Err(failure) => unknown(failure.message),
    }
}

/// What was seen, as facts for the store. What could not be seen is no fact.
pub fn facts(observed: &Observed) -> Vec<(Arc<str>, Arc<str>, Value)> {
    let mut facts = Vec::new();
    for (node, seen) in &observed.nodes {
        if let Some(machine) = seen.machine.value() {
            let value = serde_json::to_value(machine).and_then(serde_json::from_value).unwrap_or_default();
            facts.push((node.clone(), Arc::from(MACHINE_SOURCE), value));
        }
        for (step, looked) in &seen.steps {
            if let Some(value) = looked.value() {
                facts.push((node.clone(), step_source(step).into(), value.clone()));
            }
        }
    }
    facts
}

/// What facts on record say was seen last.
pub fn from_facts(facts: Vec<crate::store::Fact>) -> Observed {
    let mut observed = Observed::default();
    for fact in facts {
        let node = observed.nodes.entry(fact.node).or_default();
        if &*fact.source == MACHINE_SOURCE {
            let machine = serde_json::to_value(&fact.value).and_then(serde_json::from_value);
            if let Ok(value) = machine {
                node.machine = Seen::Is { value, at: fact.seen_at };
            }
        } else if let Some(step) = fact.source.strip_prefix(STEP_SOURCE) {
            node.steps.insert(step.into(), Seen::Is { value: fact.value, at: fact.seen_at });
        }
    }
    observed
}
