//! The plan: what will be done and why, as immutable data with a digest.

use super::hazard::{Hazard, Phase};
use super::path::Path;
use super::revision::Revision;
use super::value::Value;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The format number of plans as JSON and as files.
pub const FORMAT: u32 = 1;

/// A reviewable difference between intent and record. Secrets appear as `(secret)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub format: u32,
    pub site: Arc<str>,
    pub design: Revision,
    pub basis: Basis,
    /// The last phase that is planned, when not all are.
    pub until: Option<Phase>,
    /// Made for a rehearsal: it is never carried out on real machines.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rehearsal: bool,
    /// What is run once, in place of the lifecycle: a work order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// The selector that limits the plan, when one was given.
    pub on: Option<String>,
    /// What is done for the site as a whole, before any node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_work: Option<PlannedNode>,
    pub nodes: Vec<PlannedNode>,
    pub drift: Vec<Drift>,
    pub unplanned: Vec<Unplanned>,
    /// Recorded nodes that the design no longer names.
    pub orphaned: Vec<Arc<str>>,
    /// Changes that alone make nothing needed: seeds, new defaults, other scripts.
    pub available: Vec<Available>,
    pub summary: Summary,
    /// blake3 of everything above.
    pub digest: String,
}

/// A work order: a blueprint, or one task, on the nodes that were chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub kind: OrderKind,
    pub name: Arc<str>,
    /// What it was given, by name. Secrets are references.
    pub params: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderKind {
    Task,
    Blueprint,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Basis {
    /// The serial of the site's record.
    pub serial: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedNode {
    pub name: Arc<str>,
    pub action: Action,
    /// The worst of its steps.
    pub hazard: Hazard,
    pub lifecycle: Arc<str>,
    pub basis: NodeBasis,
    pub steps: Vec<PlannedStep>,
}

/// What a node's plan was made from: moved means stale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeBasis {
    /// The serial of the node's record; 0 when it has none.
    pub record: i64,
    /// `on`, `off` …, when it was seen.
    pub power: Option<String>,
    /// The leaves under `realizes` as they were seen, by step.
    pub observed: BTreeMap<Arc<str>, Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedStep {
    pub step: Arc<str>,
    pub task: Arc<str>,
    pub phase: Phase,
    pub action: Action,
    pub hazard: Hazard,
    pub reason: Reason,
    pub changes: Vec<Change>,
    pub waiting: Vec<Waiting>,
    /// The planned steps of the node that must have ended well before; what neither waits for the other is done at the
    /// same time. `None` in plans of earlier versions: each step waits for all before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Vec<Arc<str>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    None,
    Adopt,
    Repair,
    /// What a work order asks for.
    Run,
    Change,
    Create,
    Reinstall,
    Release,
}

/// Why a step is needed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Reason {
    /// It has never ended well on this node.
    NeverDone,
    /// The design changed: see the changes.
    Changed,
    /// The machine changed: see the changes.
    Drift,
    /// The last attempt failed.
    Failed { why: String },
    /// The last attempt was interrupted.
    Interrupted,
    /// Another step wiped what it had done.
    Wiped { by: String },
    /// The node is taken out of care.
    Released,
    /// Somebody wants it done now.
    Ordered,
    /// It is done for the site each time before nodes are worked on.
    BeforeNodes,
}

/// One leaf: its value on record or as seen, and as it will be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub path: Path,
    pub before: Value,
    pub after: Value,
}

/// What a step waits for before it may start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "for")]
pub enum Waiting {
    /// Someone must name this hazard.
    Approval { hazard: Hazard },
    /// At most so many nodes may be disturbed at once.
    Budget { at_once: usize },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    pub node: Arc<str>,
    pub step: Arc<str>,
    pub path: Path,
    /// What the design says.
    pub expected: Value,
    /// What the machine says.
    pub seen: Value,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unplanned {
    pub node: Arc<str>,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Available {
    pub node: Arc<str>,
    pub step: Arc<str>,
    pub why: String,
    pub changes: Vec<Change>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub create: usize,
    pub change: usize,
    pub repair: usize,
    pub reinstall: usize,
    pub release: usize,
    pub adopt: usize,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub run: usize,
    pub unchanged: usize,
    pub blocked: usize,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Action {
    pub fn word(self) -> &'static str {
        match self {
            Action::None => "none",
            Action::Adopt => "adopt",
            Action::Repair => "repair",
            Action::Run => "run",
            Action::Change => "change",
            Action::Create => "create",
            Action::Reinstall => "reinstall",
            Action::Release => "release",
        }
    }
}

impl Plan {
    /// True when there is nothing to do and nothing that could not be planned.
    pub fn is_empty(&self) -> bool {
        self.targets().next().is_none() && self.unplanned.is_empty()
    }

    /// The site, when something is done for it, and then the nodes.
    pub fn targets(&self) -> impl Iterator<Item = &PlannedNode> {
        self.site_work.iter().chain(&self.nodes)
    }

    /// The digest of everything but the digest itself.
    pub fn compute_digest(&self) -> String {
        let mut bare = self.clone();
        bare.digest = String::new();
        blake3::hash(serde_json::to_string(&bare).unwrap_or_default().as_bytes()).to_hex().to_string()
    }
}
