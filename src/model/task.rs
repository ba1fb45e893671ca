//! A task as the design declares it: what its script makes true, may read, may call and may harm.

use super::blueprint::Step;
use super::hazard::{Aim, Hazard, Scope};
use super::image::Image;
use super::param::Param;
use super::path::Path;
use super::value::Value;
use crate::finding::Place;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// One `task` node. Spec paths are kebab-case, from the root of a node's spec.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Task {
    pub name: Arc<str>,
    pub doc: String,
    #[serde(default)]
    pub aim: Aim,
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
    /// What `output::set` may name.
    #[serde(default)]
    pub outputs: Vec<Output>,
    /// The templates that the script can fill in, pinned with the task.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<Template>,
    /// The secrets that the script can ask for, by name: references, never clear text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<Arc<str>, Arc<str>>,
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

/// A text of the design's `templates/`, or beside a script of the standard library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// As the script and other templates call it: the path below `templates/`.
    pub name: Arc<str>,
    /// `templates/x`: how findings name it.
    pub file: Arc<str>,
    pub text: Arc<str>,
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

/// A value that a task leaves for later steps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Output {
    pub name: Arc<str>,
    pub doc: String,
}

impl Task {
    /// A task that declares nothing, for whoever performs an effect outside of a run.
    pub fn bare(name: &str) -> Task {
        Task {
            name: name.into(),
            doc: String::new(),
            aim: Aim::Node,
            script: Script { file: name.into(), text: "".into() },
            realizes: Vec::new(),
            seeds: Vec::new(),
            uses: Vec::new(),
            hazard: Hazard::None,
            allow: BTreeSet::new(),
            timeout: Duration::ZERO,
            settle: Duration::ZERO,
            scope: Scope::Hardware,
            params: Vec::new(),
            outputs: Vec::new(),
            templates: Vec::new(),
            secrets: BTreeMap::new(),
            image: None,
            programs: BTreeSet::new(),
            rehearsed: false,
            place: Place::whole(name),
        }
    }

    /// The worst that it may do, whatever of it is needed.
    pub fn worst(&self) -> Hazard {
        self.realizes.iter().filter_map(|realized| realized.hazard).max().unwrap_or_default().max(self.hazard)
    }

    /// Every path that the script may see.
    pub fn visible(&self) -> impl Iterator<Item = &Path> {
        self.realizes.iter().map(|realized| &realized.path).chain(&self.seeds).chain(&self.uses)
    }

    /// A step's parameters on a node: what the step writes, over those of the node's spec with the same names, over
    /// the defaults that the task declares. Outputs of earlier steps are still references.
    pub fn params_of(&self, step: &Step, spec: &Value) -> Value {
        let mut params = Value::empty_map();
        let own = spec.get("params");
        for param in &self.params {
            let given = own.and_then(|own| own.get(&param.name)).filter(|value| !value.is_null());
            if given.is_some() || !param.default.is_null() || !param.required {
                let value = given.unwrap_or(&param.default);
                params.put(std::slice::from_ref(&param.name), value.clone());
            }
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
