//! What a step would do, call by call, before it is done.

use super::value::Value;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The traces of a plan's steps, by node and step, in the order of the plan.
pub type Traces = BTreeMap<Arc<str>, Vec<StepTrace>>;

/// What `apply` makes of one step, if every effect succeeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepTrace {
    pub step: Arc<str>,
    /// Writes and waits, in order. What is only read is not listed.
    pub calls: Vec<TracedCall>,
    pub end: TraceEnd,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TracedCall {
    /// `bmc.set_bios`.
    pub effect: String,
    /// `ensure`, `once` or `wait`.
    pub kind: String,
    /// The arguments by their names, without the node. Secrets appear as `(secret)`.
    pub args: Value,
    /// Where the script makes it: file, line and column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The mutating requests that it sends to the BMC; none where the machine is as wanted already.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub requests: Vec<Request>,
    /// What a machine that boots from the network is given: the image and its checksum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serves: Option<Value>,
    /// The effect that the script goes on with when this one fails; none when it ends there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
}

/// A mutating request to a BMC (Redfish, DSP0266).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub body: Value,
}

/// How far a trace goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum TraceEnd {
    /// To the end of the step.
    Complete,
    /// What the step wants is true when its turn comes: nothing is called.
    AlreadyTrue,
    /// What comes next depends on an answer that only the machine can give, then.
    Depends { on: String, at: Option<String> },
    /// The step fails here, as things are now.
    Fails { why: String },
    /// A step before it ends in one of the two ways above.
    Untraced { after: Arc<str> },
}

impl TraceEnd {
    /// True when nobody can say what comes after it.
    pub fn is_open(&self) -> bool {
        !matches!(self, TraceEnd::Complete | TraceEnd::AlreadyTrue)
    }
}
