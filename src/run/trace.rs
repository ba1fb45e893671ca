//! The trace of one node: what an attempt at each planned step would do, in the order in which it would.
//!
//! Owns what comes before `apply` in an attempt, held against paper: pre-conditions, and whether there is anything to
//! do. Performs no write and keeps nothing; `attempt.rs` is the same with a journal.

use crate::effect::observe::script_node;
use crate::effect::tracing::{Script, Traced, Tracer};
use crate::model::blueprint::Step;
use crate::model::names;
use crate::model::param::output_of;
use crate::model::task::Task;
use crate::model::trace::{StepTrace, TraceEnd};
use crate::model::value::{Value, with_pending_shown};
use crate::plan::diff;
use crate::script::evaluate::{Function, Program};
use std::sync::Arc;

/// One planned step with its task and compiled script.
pub struct Traceable {
    pub step: Step,
    pub task: Arc<Task>,
    pub program: Result<Arc<Program>, String>,
}

/// Traces steps one after another; behind the first that cannot be followed nothing is known.
pub async fn steps(tracer: &mut Tracer<'_>, steps: &[Traceable]) -> Vec<StepTrace> {
    let mut traces: Vec<StepTrace> = Vec::with_capacity(steps.len());
    let mut open: Option<Arc<str>> = None;
    for traceable in steps {
        let name = traceable.step.name.clone();
        let trace = match &open {
            Some(after) => ended(name, TraceEnd::Untraced { after: after.clone() }),
            None => step(tracer, traceable, steps).await,
        };
        if open.is_none() && trace.end.is_open() {
            open = Some(trace.step.clone());
        }
        traces.push(trace);
    }
    traces
}

fn ended(step: Arc<str>, end: TraceEnd) -> StepTrace {
    StepTrace { step, calls: Vec::new(), end }
}

async fn step(tracer: &mut Tracer<'_>, traceable: &Traceable, planned: &[Traceable]) -> StepTrace {
    let name = &traceable.step.name;
    let program = match &traceable.program {
        Ok(program) => program,
        Err(why) => return ended(name.clone(), TraceEnd::Fails { why: why.clone() }),
    };
    let task = &traceable.task;
    let node = script_node(tracer.target, task);
    let params = params(tracer, traceable, planned).await;
    let script = Script { program, task, node: &node, params: &params, step: name };
    if let Some(end) = before(tracer, &script).await {
        return ended(name.clone(), end);
    }
    let (calls, end) = tracer.follow(&script, Function::Apply).await;
    let end = match end {
        Traced::Done(_) => TraceEnd::Complete,
        other => open_end(other),
    };
    StepTrace { step: name.clone(), calls, end }
}

/// The step's parameters; what a step before it will leave is not known yet.
async fn params(tracer: &Tracer<'_>, traceable: &Traceable, planned: &[Traceable]) -> Value {
    let mut params = traceable.task.params_of(&traceable.step, &tracer.target.spec);
    for (name, value) in params.clone().as_map().into_iter().flatten() {
        let Some((from, output)) = output_of(value) else { continue };
        let left = match planned.iter().any(|step| *step.step.name == *from) {
            true => None,
            false => tracer.live.store.output("", &tracer.target.node, from, output).await.ok().flatten(),
        };
        let value = left.unwrap_or_else(|| Value::pending(&format!("step.{from}.{output}")));
        params.put(std::slice::from_ref(name), value);
    }
    params
}

/// Pre-conditions and what is true by then: `Some` when `apply` is not called, or nobody can say whether it is.
async fn before(tracer: &mut Tracer<'_>, script: &Script<'_>) -> Option<TraceEnd> {
    if script.program.has(Function::Check) {
        match tracer.follow(script, Function::Check).await.1 {
            Traced::Done(_) => {}
            other => return Some(open_end(other)),
        }
    }
    if script.task.realizes.is_empty() || !script.program.has(Function::Observe) {
        return None;
    }
    let seen = match tracer.follow(script, Function::Observe).await.1 {
        Traced::Done(value) => names::from_script(&value),
        other => return Some(open_end(other)),
    };
    if let Some(on) = seen.first_pending() {
        return Some(TraceEnd::Depends { on: on.to_string(), at: None });
    }
    let wanted = tracer.target.spec.project(script.task.realized());
    diff::compare(&wanted, &seen).is_true().then_some(TraceEnd::AlreadyTrue)
}

fn open_end(traced: Traced) -> TraceEnd {
    match traced {
        Traced::Done(_) => TraceEnd::Complete,
        Traced::Failed(failure) => TraceEnd::Fails { why: with_pending_shown(&failure.message) },
        Traced::Depends { on, at } => {
            TraceEnd::Depends { on: on.to_string(), at: at.map(|at| at.to_string()) }
        }
    }
}
