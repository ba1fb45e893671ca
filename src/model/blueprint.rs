//! A blueprint: a named graph of steps made from tasks.

use super::hazard::{Hazard, Phase};
use super::param::Param;
use super::task::Task;
use super::value::Value;
use crate::finding::Place;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Steps are kept in an order in which every step stands after those it waits for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Blueprint {
    pub name: Arc<str>,
    pub doc: String,
    pub steps: Vec<Step>,
    /// What a work order may be given; it reaches the steps whose tasks have parameters of these names.
    #[serde(default)]
    pub params: Vec<Param>,
    pub place: Place,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    pub name: Arc<str>,
    pub task: Arc<str>,
    pub phase: Phase,
    pub after: Vec<Arc<str>>,
    /// Overrides the task's hazard.
    pub hazard: Option<Hazard>,
    pub retry: Retry,
    /// Overrides the task's timeout.
    pub timeout: Option<Duration>,
    /// Parameter values by name.
    pub params: Value,
    /// Those of them that come from the blueprint's parameters.
    #[serde(default)]
    pub inherited: BTreeSet<Arc<str>>,
    /// The step's earlier name, whose record it takes over.
    pub was: Option<Arc<str>>,
    pub place: Place,
}

impl Blueprint {
    /// The blueprint with its parameters in the steps whose tasks take them and that say nothing themselves: what is
    /// given, or else the defaults.
    pub fn given(&self, tasks: &BTreeMap<Arc<str>, Arc<Task>>, params: &Value) -> Blueprint {
        let mut blueprint = self.clone();
        for step in &mut blueprint.steps {
            let Some(task) = tasks.get(&step.task) else { continue };
            for param in &self.params {
                let value = params.get(&param.name).unwrap_or(&param.default);
                let takes = task.params.iter().any(|own| own.name == param.name);
                let is_open = step.params.get(&param.name).is_none() || step.inherited.contains(&param.name);
                if takes && is_open && !value.is_null() {
                    step.params.put(std::slice::from_ref(&param.name), value.clone());
                    step.inherited.insert(param.name.clone());
                }
            }
        }
        blueprint
    }
}

/// How often a step is tried again after a transient failure, and how long to wait before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Attempts after the first.
    pub count: u32,
    /// The wait before the first retry; it doubles each time, up to [`Retry::LONGEST_BACKOFF`].
    pub backoff: Duration,
}

impl Retry {
    pub const LONGEST_BACKOFF: Duration = Duration::from_secs(600);

    /// The wait before retry number `retry` (from 1), without jitter.
    pub fn wait(&self, retry: u32) -> Duration {
        self.backoff.saturating_mul(1u32 << retry.saturating_sub(1).min(16)).min(Retry::LONGEST_BACKOFF)
    }
}

impl Default for Retry {
    fn default() -> Retry {
        Retry { count: 0, backoff: Duration::from_secs(5) }
    }
}
