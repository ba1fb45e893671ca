//! A step gives its task the parameters that the task has, and all that it requires.
//!
//! Why: a misspelt parameter would silently be the default. Example: `param "tiemout" "5m"`. Fix: write the
//! parameters as the task declares them.

use super::Context;
use crate::design::build::task::{fits, word};
use crate::design::read::Item;
use crate::finding::{Code, Finding, MISSING_VALUE, UNKNOWN_PROPERTY, WRONG_TYPE, did_you_mean};
use crate::model::blueprint::Step;
use crate::model::path::Path;
use crate::model::task::Task;
use std::sync::Arc;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for blueprint in context.typed.blueprints.values() {
        let Some(item) = context.catalog.get("blueprint", &blueprint.name) else { continue };
        for step in &blueprint.steps {
            let task_item = context.catalog.get("task", &step.task);
            if let (Some(task), false) =
                (context.typed.tasks.get(&step.task), task_item.is_none_or(|it| it.faulty))
            {
                check_step(item, step, task, findings);
            }
        }
    }
}

fn check_step(item: &Item, step: &Step, task: &Task, findings: &mut Vec<Finding>) {
    let mut find = |code: Code, name: Option<&Arc<str>>, message: String, help: String| {
        let path =
            name.map(|name| Path(vec!["steps".into(), step.name.clone(), "params".into(), name.clone()]));
        let place = path.and_then(|path| item.places.get(&path)).unwrap_or(&step.place).clone();
        findings.push(Finding::new(code, item.subject(), message).at(place).help(help));
    };
    let given = step.params.as_map();
    for (name, value) in given.into_iter().flatten() {
        match task.params.iter().find(|param| param.name == *name) {
            Some(param) if fits(param.kind, value) => {}
            Some(param) => {
                let wanted = word(param.kind);
                let message = format!("`{name}` of step `{}` is not of type {wanted}", step.name);
                find(WRONG_TYPE, Some(name), message, format!("write a value of type {wanted}"));
            }
            None => {
                let help = match did_you_mean(name, task.params.iter().map(|param| &*param.name)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("remove it, or declare it in task `{}`", task.name),
                };
                let message = format!("task `{}` has no parameter `{name}`", task.name);
                find(UNKNOWN_PROPERTY, Some(name), message, help);
            }
        }
    }
    for param in task.params.iter().filter(|param| param.required && param.default.is_null()) {
        if given.is_none_or(|given| !given.contains_key(&param.name)) {
            let message = format!("step `{}` lacks the parameter `{}` of its task", step.name, param.name);
            find(MISSING_VALUE, None, message, format!("write param \"{}\" …", param.name));
        }
    }
}
