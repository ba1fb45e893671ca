//! A task as the design declares it: what its script makes true, may read, may call and may harm.

use super::blueprint::Step;
use super::hazard::{Hazard, Scope};
use super::image::Image;
use super::path::Path;
use super::value::Value;
use crate::finding::Place;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// One `task` node. Spec paths are kebab-case, from the root of a node's spec.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    pub name: Arc<str>,
    pub doc: String,
    pub script: Script,
    /// A change of a leaf under these makes the step needed.
    pub realizes: Vec<Realized>,
    /// Used when the thing is made; later changes are shown, never a need.
    pub seeds: Vec<Path>,
    /// May be read; never compared.
    pub uses: Vec<Path>,
    pub hazard: Hazard,
    /// The built-in modules that the script can call.
    pub allow: BTreeSet<Arc<str>>,
    /// How long one attempt of `apply` may take in all.
    pub timeout: Duration,
    /// How long after `apply` the engine goes on observing until the result is true.
    pub settle: Duration,
    pub scope: Scope,
    pub params: Vec<Param>,
    /// The image of a task that is a container.
    #[serde(default)]
    pub image: Option<Image>,
    /// The programs that `command.run` may start.
    #[serde(default)]
    pub programs: BTreeSet<Arc<str>>,
    /// A container or command task that a rehearsal runs, too.
    #[serde(default)]
    pub rehearsed: bool,
    pub place: Place,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Realized {
    pub path: Path,
    /// The hazard of a change under this path; the task's own when absent.
    pub hazard: Option<Hazard>,
    /// The hazard holds only when the path is to become this value.
    pub when: Option<Value>,
}

/// A script of the design's revision or of the standard library.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Script {
    /// `scripts/x.rhai` or `stdlib/x.rhai`: how findings and traces name it.
    pub file: Arc<str>,
    pub text: Arc<str>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Param {
    pub name: Arc<str>,
    pub kind: ParamKind,
    pub required: bool,
    pub default: Value,
    pub doc: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParamKind {
    Text,
    Int,
    Float,
    Bool,
    List,
    Map,
}

impl Task {
    /// Every path that the script may see.
    pub fn visible(&self) -> impl Iterator<Item = &Path> {
        self.realizes.iter().map(|realized| &realized.path).chain(&self.seeds).chain(&self.uses)
    }

    /// A step's parameters: what it writes, over the defaults that the task declares.
    pub fn params_of(&self, step: &Step) -> Value {
        let mut params = Value::empty_map();
        for param in self.params.iter().filter(|param| !param.default.is_null() || !param.required) {
            params.put(std::slice::from_ref(&param.name), param.default.clone());
        }
        for (name, value) in step.params.as_map().into_iter().flatten() {
            params.put(std::slice::from_ref(name), value.clone());
        }
        params
    }

    pub fn realized(&self) -> impl Iterator<Item = &Path> {
        self.realizes.iter().map(|realized| &realized.path)
    }

    /// True when a success of this task wipes what every other step of scope `os` had done.
    pub fn wipes_os(&self) -> bool {
        self.scope == Scope::Os && self.hazard >= Hazard::Reinstall
    }
}
