//! Interpreters: what gives an effect its meaning. Live talks to the devices; read-only refuses
//! every write; tracing lists the writes that would happen. Which effects there are stands in the catalogue.

mod agent_desk;
pub mod desk;
pub mod hardware;
pub mod images;
pub mod keys;
pub mod live;
pub mod observe;
pub mod outside;
pub mod ports;
mod right_machine;
pub mod tracing;

use crate::id::EffectId;
use crate::model::task::Task;
use crate::model::value::Value;
use crate::script::tape::{Call, EffectFailure};
use crate::units::Time;
use std::sync::Arc;

/// The node that effects act on, with its complete spec as the attempt pinned it.
#[derive(Clone, Debug)]
pub struct Target {
    pub node: Arc<str>,
    pub spec: Value,
}

/// One effect to be performed.
pub struct Job<'a> {
    pub target: &'a Target,
    /// The task as it is pinned: what it declares is all that its effects may use.
    pub task: &'a Task,
    pub call: &'a Call,
    pub id: &'a EffectId,
    /// The run, attempt and step that it belongs to, for messages and tickets; empty while observing.
    pub run: &'a str,
    pub attempt: i64,
    pub step: &'a Arc<str>,
    /// The step as it is on record: of a work order with the blueprint's name in front.
    pub record: &'a str,
    /// Of waits: when the wait ends unanswered.
    pub until: Option<Time>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Performed {
    pub answer: Result<Value, EffectFailure>,
    /// A mutating request was sent.
    pub wrote: bool,
    /// The request left and nobody knows whether it was carried out.
    pub perhaps: bool,
}

impl Performed {
    pub fn read(answer: Result<Value, EffectFailure>) -> Performed {
        Performed { answer, wrote: false, perhaps: false }
    }
}

/// What became of a write that must not be repeated and whose answer is not on record.
#[derive(Clone, Debug)]
pub enum Found {
    /// It was done: this is its answer.
    Done(Performed),
    /// It was never done, and can be.
    NotDone,
    /// Nobody can tell: the step is in doubt.
    Unknown,
}

/// Refuses an effect of a module that the task was not allowed, and a program that it does not name; the design compiler
/// says so before, as far as it can.
pub fn allowed(task: &Task, call: &Call) -> Result<(), EffectFailure> {
    if !task.allow.contains(call.effect.module) {
        return Err(failure(format!("task `{}` is not allowed `{}`", task.name, call.effect.module), false));
    }
    let least = call.effect.least_hazard();
    if task.worst() < least {
        let why = format!(
            "task `{}` calls {}, which has hazard {least}, and declares hazard {}; write hazard \"{least}\" in it",
            task.name,
            call.effect.full_name(),
            task.worst()
        );
        return Err(failure(why, false));
    }
    let program = call.args.get(1).and_then(Value::as_str).filter(|_| call.effect.module == "command");
    if let Some(program) = program.filter(|program| !task.programs.contains(*program)) {
        let why = format!("task `{}` does not name `{program}` in its `programs`", task.name);
        return Err(failure(why, false));
    }
    if call.effect.module == "output" {
        let name = call.args.first().and_then(Value::as_str).unwrap_or_default();
        if task.outputs.iter().all(|output| *output.name != *name) {
            let why =
                format!("task `{}` declares no output `{name}`; write `output \"{name}\"` in it", task.name);
            return Err(failure(why, false));
        }
    }
    Ok(())
}

pub fn failure(message: impl Into<String>, transient: bool) -> EffectFailure {
    EffectFailure { message: message.into(), transient }
}
