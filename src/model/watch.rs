//! What a watch tells while it goes on: plain data, for whoever shows it.

use super::hazard::Hazard;
use super::plan::Plan;
use super::revision::Revision;
use super::run::{Counts, RunState};
use crate::finding::Finding;
use crate::units::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct Event {
    pub at: Time,
    /// The revision in force; `None` before there is one.
    pub revision: Option<Revision>,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    /// The machines are looked at.
    Look {
        site: Arc<str>,
        nodes: usize,
        /// The revision is in force since now; its warnings.
        news: Option<Vec<Finding>>,
    },
    /// A revision that cannot be used; the one in force stays.
    Invalid(Invalid),
    /// A plan that differs from the last one told.
    Planned(Box<Plan>),
    /// Something waits for somebody.
    Waiting(Waiting),
    /// A run has ended.
    Applied {
        result: RunState,
        counts: Counts,
        resting: Vec<Resting>,
    },
    /// A look came to nothing.
    Failed {
        why: Vec<String>,
        again_at: Time,
    },
    /// Nothing is done until then, or until the design changes.
    Idle {
        until: Time,
        /// Nothing was told since the last one.
        quiet: bool,
    },
    Stopped,
}

#[derive(Clone, Debug)]
pub enum Invalid {
    /// It cannot be brought in.
    Source(String),
    Findings {
        revision: Revision,
        findings: Vec<Finding>,
        /// Source texts, for underlining.
        texts: BTreeMap<Arc<str>, Arc<str>>,
    },
    /// The selector of the watch does not fit it.
    Selector(String),
}

#[derive(Clone, Debug)]
pub enum Waiting {
    /// Steps of these nodes wait for these hazards to be named.
    Approval { held: BTreeMap<Arc<str>, BTreeSet<Hazard>> },
    /// An interrupted run waits for these hazards to be named; nothing goes on before it.
    Run { run: String, hazards: BTreeSet<Hazard> },
    /// Another process holds the site.
    Lease { why: String, again_at: Time },
}

/// A node that failed: it is left alone until then, or until the design changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resting {
    pub node: Arc<str>,
    pub why: String,
    pub until: Time,
}
