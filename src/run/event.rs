//! What a run tells while it goes on: plain data, for whoever shows it.

use crate::model::hazard::Phase;
use crate::model::run::{Counts, NodeState, RunState};
use crate::units::Time;
use std::sync::Arc;

/// Who hears the events of a run, in the order in which they come.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;

#[derive(Clone, Debug)]
pub struct Event {
    pub at: Time,
    pub run: String,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Started {
        nodes: Vec<Arc<str>>,
        resumed: bool,
    },
    StepStarted {
        node: Arc<str>,
        step: Arc<str>,
        phase: Phase,
        attempt: i64,
    },
    /// The step waits for something outside itself.
    StepWaiting {
        node: Arc<str>,
        step: Arc<str>,
        why: String,
    },
    StepEnded {
        node: Arc<str>,
        step: Arc<str>,
        phase: Phase,
        end: StepEnd,
    },
    NodeEnded {
        node: Arc<str>,
        state: NodeState,
        why: Option<String>,
    },
    Finished {
        result: RunState,
        counts: Counts,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepEnd {
    Done,
    /// It was true before we did anything.
    AlreadyTrue,
    Failed {
        why: String,
        will_retry: bool,
    },
    InDoubt {
        question: String,
    },
}
