//! What we last achieved, per node and step, with the inputs used.

use super::hazard::Scope;
use super::observed::Identity;
use super::value::Value;
use crate::units::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Grows with every change of any record of the site.
    pub serial: i64,
    pub nodes: BTreeMap<Arc<str>, NodeRecord>,
}

#[derive(Clone, Debug, Default)]
pub struct NodeRecord {
    /// Grows with every change of this node's record.
    pub serial: i64,
    pub identity: Option<Identity>,
    /// When its lifecycle last ended well; `None` for a node that was never brought up whole.
    pub deployed_at: Option<Time>,
    /// An operator's stop, with its reason.
    pub hold: Option<String>,
    pub steps: BTreeMap<Arc<str>, StepRecord>,
}

/// The last attempt at a step, with the values that it was given.
#[derive(Clone, Debug)]
pub struct StepRecord {
    pub task: Arc<str>,
    pub outcome: Outcome,
    /// The leaves under the task's `realizes` at the last *success*; kept over later failures.
    pub inputs: Option<Value>,
    /// The step's parameters at the last success.
    pub params: Value,
    pub seeds: Value,
    pub scope: Scope,
    pub run: String,
    pub at: Time,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "why")]
pub enum Outcome {
    Done,
    Failed(String),
    Interrupted,
    /// A write may or may not have happened; the question that a person must answer.
    InDoubt(String),
    /// A later step wiped what this one had done: that step's name.
    Wiped(String),
}

impl NodeRecord {
    /// True when a step that writes an operating system has ended well on this machine.
    pub fn is_installed(&self) -> bool {
        self.steps.values().any(|step| step.scope == Scope::Os && step.inputs.is_some())
    }
}
