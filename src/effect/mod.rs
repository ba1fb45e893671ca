//! Interpreters: what gives an effect its meaning. Live talks to the devices; read-only refuses
//! every write. Which effects there are stands in the catalogue.

pub mod desk;
pub mod hardware;
pub mod keys;
pub mod live;
pub mod observe;
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

/// What an effect that must not be repeated left behind, found by its id.
#[derive(Clone, Debug)]
pub enum Found {
    /// It was carried out, and this came of it.
    Done(Performed),
    /// It was never begun: it may be performed now.
    NotDone,
    /// Nobody can say, now or ever: a person decides.
    Unknown,
}

impl Performed {
    pub fn read(answer: Result<Value, EffectFailure>) -> Performed {
        Performed { answer, wrote: false, perhaps: false }
    }
}

/// Refuses an effect of a module that the task was not allowed; the design compiler says so before.
pub fn allowed(task: &Task, call: &Call) -> Result<(), EffectFailure> {
    match task.allow.contains(call.effect.module) {
        true => Ok(()),
        false => Err(failure(format!("task `{}` is not allowed `{}`", task.name, call.effect.module), false)),
    }
}

pub fn failure(message: impl Into<String>, transient: bool) -> EffectFailure {
    EffectFailure { message: message.into(), transient }
}
