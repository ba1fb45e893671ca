//! An attempt evaluated again from its journal: what it did, and whether it still comes to the same.

use super::value::Value;
use crate::units::Time;
use serde::Serialize;
use std::sync::Arc;

/// One attempt, replayed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Replayed {
    pub node: Arc<str>,
    pub step: Arc<str>,
    /// The number of the attempt at its step, from 1.
    pub attempt: i64,
    pub effects: Vec<ReplayedEffect>,
    pub end: ReplayEnd,
    /// How the attempt ended then.
    pub state: String,
    pub error: Option<String>,
    /// It comes to what the attempt came to; with today's scripts, to what those of the attempt come to.
    pub agrees: bool,
    /// Where the script that the attempt ran is not the one that the design has now.
    pub script: ScriptNow,
}

/// An answered effect, as the journal has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReplayedEffect {
    pub sequence: usize,
    pub effect: String,
    pub kind: String,
    /// Secrets appear as `(secret)`.
    pub args: Value,
    pub answer: Option<Value>,
    pub failure: Option<String>,
    /// A mutating request was sent for it.
    pub wrote: bool,
    /// When it was wanted.
    #[serde(serialize_with = "written")]
    pub wanted_at: Time,
    /// File, line and column of the script.
    pub at: Option<String>,
}

fn written<S: serde::Serializer>(time: &Time, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

/// What the script comes to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum ReplayEnd {
    /// It was never called: what the step wanted was true already, or something was in the way before.
    NotCalled,
    /// It returned.
    Returned,
    /// It failed, with the place and the calls that led there.
    Failed { why: String },
    /// It stands at an effect that has no answer.
    Unanswered { effect: String, at: Option<String> },
    /// It asks for something else than the journal holds.
    Diverged { why: String },
    /// This build cannot evaluate it.
    Unreadable { why: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScriptNow {
    Same,
    Changed,
    /// The design has no such task any more, or cannot be read.
    Unknown,
}

impl ReplayEnd {
    /// True when an attempt that ended in `state`, with `error`, came to this.
    pub fn fits(&self, state: &str, error: Option<&str>) -> bool {
        match (self, state) {
            (ReplayEnd::Diverged { .. } | ReplayEnd::Unreadable { .. }, state) => state == "in-doubt",
            (ReplayEnd::Failed { why }, "failed") => error == Some(why),
            (ReplayEnd::Failed { .. }, _) => false,
            (ReplayEnd::Unanswered { .. }, state) => state != "succeeded",
            // What failed behind the script, such as a result that did not come true, has no journal.
            (ReplayEnd::Returned | ReplayEnd::NotCalled, _) => true,
        }
    }
}
