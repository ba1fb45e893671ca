//! What we last achieved, per node and step, with the inputs used.

use super::hazard::Scope;
use super::observed::Identity;
use super::value::Value;
use crate::units::Time;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, Debug, Default)]
pub struct Record {
    /// Grows with every change of any record of the site.
    pub serial: i64,
    pub nodes: BTreeMap<Arc<str>, NodeRecord>,
    /// What was done for the site as a whole.
    pub site: NodeRecord,
    /// Nodes that were taken out of care and not deployed since, with the serials of their rows;
    /// installing on one loses data whatever the site allows.
    pub released: BTreeMap<Arc<str>, i64>,
}

impl Record {
    /// The serial of a node's record: what a plan of it was made from. 0 when it never had one.
    pub fn serial_of(&self, name: &str) -> i64 {
        let known = self.nodes.get(name).map(|node| node.serial);
        known.or_else(|| self.released.get(name).copied()).unwrap_or(0)
    }
}

#[derive(Clone, Debug, Default)]
pub struct NodeRecord {
    /// Grows with every change of this node's record.
    pub serial: i64,
    pub identity: Option<Identity>,
    /// When its lifecycle last ended well; `None` for a node that was never brought up whole.
    pub deployed_at: Option<Time>,
    /// Its disk was handed to an installer of ours, or wiped: what was on it is gone.
    pub disk_given_up: bool,
    /// An operator's stop, with its reason.
    pub hold: Option<String>,
    pub steps: BTreeMap<Arc<str>, StepRecord>,
}

/// The last attempt at a step, with the values that it was given.
#[derive(Clone, Debug)]
pub struct StepRecord {
    pub task: Arc<str>,
    /// Digest of the script closure at the last success.
    pub scripts: Option<String>,
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

/// How a step is on record: those of a work order, by its blueprint, apart from those of the lifecycle.
pub fn recorded_as(order: Option<&str>, step: &str) -> String {
    match order {
        Some(order) => format!("{order}/{step}"),
        None => step.to_string(),
    }
}

/// The question about an effect that was begun and has no answer.
pub fn unanswered(effect: &str) -> String {
    format!("{effect} was asked for and nobody knows whether it was done; was it?")
}

/// A question about a step in doubt, with the two commands that answer it.
pub fn with_ways_out(question: &str, run: &str, node: &str, step: &str) -> String {
    format!(
        "{question} If it was not done: `rackwright retry {run} --node {node} --step {step}` does it again; \
         if it was: `rackwright skip {run} --node {node} --step {step}` goes on"
    )
}

impl NodeRecord {
    /// True when this machine runs what we put on it: every hazard to it must be named.
    pub fn is_ours(&self) -> bool {
        self.deployed_at.is_some()
            || self.steps.values().any(|step| step.scope == Scope::Os && step.inputs.is_some())
    }
}

/// Who has which machine, by system UUID and by serial number.
#[derive(Clone, Debug, Default)]
pub struct Owners(BTreeMap<String, BTreeSet<Arc<str>>>);

impl Owners {
    pub fn of(record: &Record) -> Owners {
        let mut owners: BTreeMap<String, BTreeSet<Arc<str>>> = BTreeMap::new();
        for (name, node) in &record.nodes {
            for key in node.identity.iter().flat_map(keys) {
                owners.entry(key).or_default().insert(name.clone());
            }
        }
        Owners(owners)
    }

    /// The recorded node, other than `names`, that has this machine.
    pub fn another(&self, identity: &Identity, names: &[&str]) -> Option<&Arc<str>> {
        let owners = keys(identity).into_iter().find_map(|key| self.0.get(&key))?;
        // Boards with one and the same UUID exist: whoever is on record with it keeps its machine.
        let is_own = owners.iter().any(|owner| names.contains(&&**owner));
        owners.first().filter(|_| !is_own)
    }
}

fn keys(identity: &Identity) -> Vec<String> {
    let key = |what: &str, part: &Option<String>| {
        part.as_ref().map(|text| format!("{what} {}", text.to_ascii_lowercase()))
    };
    // A serial number alone is not unique across vendors; it speaks only where there is no UUID.
    key("uuid", &identity.uuid).or_else(|| key("serial", &identity.serial)).into_iter().collect()
}
