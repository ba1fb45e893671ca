//! The tape: the answers recorded so far, which an evaluation reads in order.
//!
//! When a script asks for an effect beyond its end, the evaluation ends there and the call is what
//! it comes to. When it asks for another effect than was recorded, it has diverged.

use super::catalogue::Effect;
use crate::model::value::Value;
use std::collections::BTreeSet;
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
    /// Where the script calls it; no part of what the journal compares.
    pub at: Option<CallPlace>,
}

/// A place in a script: file, line and column from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallPlace {
    pub file: Arc<str>,
    pub line: usize,
    pub column: usize,
}

impl CallPlace {
    /// Where a fault's frame is.
    pub fn of(frame: &super::fault::Frame) -> CallPlace {
        CallPlace { file: frame.file.as_str().into(), line: frame.line, column: frame.column }
    }
}

impl std::fmt::Display for CallPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
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
    Diverged {
        sequence: usize,
        recorded: String,
        asked: String,
    },
    TooMany,
    /// What comes next depends on an answer that nobody knows yet.
    Depends {
        on: Arc<str>,
        at: Option<CallPlace>,
    },
}

#[derive(Debug, Default)]
struct Reading {
    recorded: Vec<Recorded>,
    next: usize,
    stop: Option<Stop>,
    carried: Arc<BTreeSet<CallPlace>>,
}

/// A shared handle: natives read through it during one evaluation.
#[derive(Clone, Debug, Default)]
pub struct Tape(Arc<Mutex<Reading>>);

impl Tape {
    /// `carried` are the places at which a text may hold an answer that is not known yet.
    pub fn new(recorded: Vec<Recorded>, carried: Arc<BTreeSet<CallPlace>>) -> Tape {
        Tape(Arc::new(Mutex::new(Reading { recorded, next: 0, stop: None, carried })))
    }

    pub fn carries(&self, at: &CallPlace) -> bool {
        self.reading().carried.contains(at)
    }

    /// Ends the evaluation: the script is about to decide by an answer that nobody knows yet.
    pub fn depend(&self, on: Arc<str>, at: Option<CallPlace>) {
        self.reading().stop.get_or_insert(Stop::Depends { on, at });
    }

    /// The answer to the next effect, or `None` when the evaluation must stop here.
    pub fn next(
        &self,
        effect: &'static Effect,
        args: Vec<Value>,
        at: Option<CallPlace>,
    ) -> Option<Result<Value, EffectFailure>> {
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
            reading.stop = Some(Stop::Wants(Call { sequence, effect, args, at }));
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
