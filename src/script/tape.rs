//! The tape: the answers recorded so far, which an evaluation reads in order.
//!
//! When a script asks for an effect beyond its end, the evaluation ends there and the call is what
//! it comes to. When it asks for another effect than was recorded, it has diverged.

use super::catalogue::Effect;
use crate::model::value::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most effects that one attempt may make: a script that loops over effects ends here.
pub const EFFECTS_AT_MOST: usize = 2_000;

/// One effect that a script wants.
#[derive(Clone, Debug)]
pub struct Call {
    /// Position in the attempt, from 0.
    pub sequence: usize,
    pub effect: &'static Effect,
    /// The node as its name; secrets as references.
    pub args: Vec<Value>,
}

impl Call {
    pub fn args_value(&self) -> Value {
        Value::list(self.args.clone())
    }
}

/// An effect that has been answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    pub effect: Arc<str>,
    /// [`Value::digest`] of the list of arguments.
    pub args_digest: Arc<str>,
    pub answer: Result<Value, EffectFailure>,
}

/// An effect that could not be done, as the script sees it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EffectFailure {
    pub message: String,
    /// It may pass: a later attempt may succeed.
    pub transient: bool,
}

/// Where an evaluation stopped before its end.
#[derive(Clone, Debug)]
pub enum Stop {
    Wants(Call),
    Diverged { sequence: usize, recorded: String, asked: String },
    TooMany,
}

#[derive(Debug, Default)]
struct Reading {
    recorded: Vec<Recorded>,
    next: usize,
    stop: Option<Stop>,
}

/// A shared handle: natives read through it during one evaluation.
#[derive(Clone, Debug, Default)]
pub struct Tape(Arc<Mutex<Reading>>);

impl Tape {
    pub fn new(recorded: Vec<Recorded>) -> Tape {
        Tape(Arc::new(Mutex::new(Reading { recorded, next: 0, stop: None })))
    }

    /// The answer to the next effect, or `None` when the evaluation must stop here.
    pub fn next(&self, effect: &'static Effect, args: Vec<Value>) -> Option<Result<Value, EffectFailure>> {
        let mut reading = self.reading();
        let sequence = reading.next;
        if reading.stop.is_some() {
            return None;
        }
        if sequence >= EFFECTS_AT_MOST {
            reading.stop = Some(Stop::TooMany);
            return None;
        }
        let Some(recorded) = reading.recorded.get(sequence) else {
            reading.stop = Some(Stop::Wants(Call { sequence, effect, args }));
            return None;
        };
        let asked = effect.full_name();
        let digest = Value::list(args).digest();
        if *recorded.effect != *asked || *recorded.args_digest != *digest {
            let recorded = format!("{} {}", recorded.effect, recorded.args_digest);
            reading.stop = Some(Stop::Diverged { sequence, recorded, asked: format!("{asked} {digest}") });
            return None;
        }
        let answer = recorded.answer.clone();
        reading.next += 1;
        Some(answer)
    }

    pub fn take_stop(&self) -> Option<Stop> {
        self.reading().stop.take()
    }

    /// How many recorded answers no effect asked for: a script that ended before its journal.
    pub fn unread(&self) -> usize {
        let reading = self.reading();
        reading.recorded.len() - reading.next
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
