//! A parameter that a node brings along is one for the tasks of its lifecycle that take it.
//!
//! Why: a task is given the parameters of its node by name, and a wrong one would fail in the middle of the night.
//! Example: `param "patience" 7` for a task that declares it as a duration. Fix: write a value of its type.

use super::{Context, subject};
use crate::design::refer;
use crate::design::resolve::place_at;
use crate::finding::{Finding, MISSING_VALUE, WRONG_TYPE};
use crate::model::path::Path;
use crate::model::value::Value;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for resolved in context.sure_nodes() {
        let node = &resolved.node;
        let Some(blueprint) = context.typed.blueprints.get(&node.lifecycle) else { continue };
        let own = node.spec.get("params").and_then(Value::as_map);
        for param in blueprint.params.iter().filter(|param| param.required && param.default.is_null()) {
            if own.is_none_or(|own| !own.contains_key(&param.name)) {
                let message =
                    format!("its lifecycle `{}` wants the parameter `{}`", blueprint.name, param.name);
                let help = format!("write param \"{}\" … in the node or its profile", param.name);
                let place = place_at(node, &Path(vec!["lifecycle".into()]));
                findings.push(Finding::new(MISSING_VALUE, subject(resolved), message).at(place).help(help));
            }
        }
        let Some(given) = own.filter(|map| !map.is_empty()) else { continue };
        let tasks = blueprint.steps.iter().filter_map(|step| context.typed.tasks.get(&step.task));
        for (task, param) in tasks.flat_map(|task| task.params.iter().map(move |param| (task, param))) {
            let Some(value) = given.get(&param.name).filter(|value| refer::target(value).is_none()) else {
                continue;
            };
            if let Err(wanted) = param.fits(value) {
                let path = Path(vec!["params".into(), param.name.clone()]);
                let message = format!("`{path}` must be {wanted}: task `{}` takes it", task.name);
                let help = format!("write a value of type {}", param.kind);
                let place = place_at(node, &path);
                findings.push(Finding::new(WRONG_TYPE, subject(resolved), message).at(place).help(help));
            }
        }
    }
}
