//! The words for how far runs, nodes and steps have come.

use super::words::words;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Being carried out, or left by a process that ended: the next apply goes on with it.
    Running,
    Succeeded,
    Partial,
    Failed,
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeState {
    Pending,
    Running,
    Succeeded,
    Failed,
    Skipped,
    /// Blocked on something outside the run: a person's answer, the budget.
    Waiting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepState {
    Pending,
    Running,
    Succeeded,
    Failed,
    Skipped,
    /// A write may or may not have happened; a person must say.
    InDoubt,
}

words!(RunState {
    Running = "running",
    Succeeded = "succeeded",
    Partial = "partial",
    Failed = "failed",
    Cancelled = "cancelled",
});
words!(NodeState {
    Pending = "pending",
    Running = "running",
    Succeeded = "succeeded",
    Failed = "failed",
    Skipped = "skipped",
    Waiting = "waiting",
});
words!(StepState {
    Pending = "pending",
    Running = "running",
    Succeeded = "succeeded",
    Failed = "failed",
    Skipped = "skipped",
    InDoubt = "in-doubt",
});

/// How many nodes of a run ended how. The four are disjoint and add up to the targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub succeeded: usize,
    pub failed: usize,
    pub skipped: usize,
    pub waiting: usize,
}

impl Counts {
    pub fn of(states: impl IntoIterator<Item = NodeState>) -> Counts {
        let mut counts = Counts::default();
        for state in states {
            match state {
                NodeState::Succeeded => counts.succeeded += 1,
                NodeState::Failed => counts.failed += 1,
                NodeState::Skipped => counts.skipped += 1,
                NodeState::Pending | NodeState::Running | NodeState::Waiting => counts.waiting += 1,
            }
        }
        counts
    }

    /// The state of a run that has ended with these counts.
    pub fn result(&self) -> RunState {
        match (self.succeeded, self.failed + self.skipped + self.waiting) {
            (_, 0) => RunState::Succeeded,
            (0, _) => RunState::Failed,
            _ => RunState::Partial,
        }
    }
}
