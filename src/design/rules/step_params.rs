//! A step gives its task the parameters that the task has, all that it requires, and only outputs that are there by then.
//!
//! Why: a misspelt parameter would silently be the default. Example: `param "tiemout" "5m"`. Fix: write the
//! parameters as the task declares them.

use super::Context;
use crate::design::read::Item;
use crate::design::refer;
use crate::finding::{
    Code, Finding, MISSING_VALUE, UNKNOWN_PROPERTY, VALUE_REFERENCE, WRONG_TYPE, did_you_mean,
};
use crate::model::blueprint::{Blueprint, Step};
use crate::model::param::{ParamKind, output_of};
use crate::model::path::Path;
use crate::model::task::Task;
use crate::model::value::Value;
use std::sync::Arc;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for blueprint in context.typed.blueprints.values() {
        let Some(item) = context.catalog.get("blueprint", &blueprint.name) else { continue };
        for step in &blueprint.steps {
            let task_item = context.catalog.get("task", &step.task);
            if let (Some(task), false) =
                (context.typed.tasks.get(&step.task), task_item.is_none_or(|it| it.faulty))
            {
                check_step(context, item, (blueprint, step, task), findings);
            }
        }
    }
}

fn check_step(
    context: &Context<'_>,
    item: &Item,
    (blueprint, step, task): (&Blueprint, &Step, &Task),
    findings: &mut Vec<Finding>,
) {
    let mut find = |code: Code, name: Option<&Arc<str>>, message: String, help: String| {
        let path =
            name.map(|name| Path(vec!["steps".into(), step.name.clone(), "params".into(), name.clone()]));
        let place = path.and_then(|path| item.places.get(&path)).unwrap_or(&step.place).clone();
        findings.push(Finding::new(code, item.subject(), message).at(place).help(help));
    };
    let given = step.params.as_map();
    for (name, value) in given.into_iter().flatten() {
        let Some(param) = task.params.iter().find(|param| param.name == *name) else {
            let help = match did_you_mean(name, task.params.iter().map(|param| &*param.name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("remove it, or declare it in task `{}`", task.name),
            };
            let message = format!("task `{}` has no parameter `{name}`", task.name);
            find(UNKNOWN_PROPERTY, Some(name), message, help);
            continue;
        };
        if refer::target(value).is_some() {
            if let Err((message, help)) = output(context, blueprint, step, value) {
                find(VALUE_REFERENCE, Some(name), message, help);
            }
        } else if let Err(wanted) = param.fits(value) {
            let message = format!("`{name}` of step `{}` must be {wanted}", step.name);
            find(WRONG_TYPE, Some(name), message, format!("write a value of type {}", param.kind));
        } else if let (ParamKind::Node, Some(node)) = (param.kind, value.as_str())
            && context.nodes.iter().all(|other| *other.node.name != *node)
        {
            let message = format!("`{name}` of step `{}` names node `{node}`, which is not there", step.name);
            let near = did_you_mean(node, context.nodes.iter().map(|other| &*other.node.name));
            let help = near.map_or("write the name of a node of the design".into(), |near| {
                format!("did you mean `{near}`?")
            });
            find(VALUE_REFERENCE, Some(name), message, help);
        }
    }
    for param in task.params.iter().filter(|param| param.required && param.default.is_null()) {
        let of_blueprint = blueprint.params.iter().any(|given| given.name == param.name);
        if !of_blueprint && given.is_none_or(|given| !given.contains_key(&param.name)) {
            let message = format!("step `{}` lacks the parameter `{}` of its task", step.name, param.name);
            let help =
                format!("write param \"{}\" … in the step, or declare it in the blueprint", param.name);
            find(MISSING_VALUE, None, message, help);
        }
    }
}

/// A reference in a blueprint leads to an output that an earlier step's task declares.
fn output(
    context: &Context<'_>,
    blueprint: &Blueprint,
    step: &Step,
    value: &Value,
) -> Result<(), (String, String)> {
    let written = refer::target(value).unwrap_or_default();
    let Some((from, name)) = output_of(value) else {
        let message = format!("`{written}` cannot be referred to in a blueprint");
        return Err((message, "write (ref)\"step.NAME.OUTPUT\", of a step before this one".into()));
    };
    let Some(earlier) = blueprint.steps.iter().find(|other| *other.name == *from) else {
        let near = did_you_mean(from, blueprint.steps.iter().map(|other| &*other.name));
        let help = near.map_or("write the name of a step before this one".into(), |near| {
            format!("did you mean (ref)\"step.{near}.{name}\"?")
        });
        return Err((format!("`{written}` refers to step `{from}`, which is not there"), help));
    };
    if !comes_before(blueprint, from, step) {
        let message = format!("step `{}` takes an output of `{from}` and does not wait for it", step.name);
        return Err((message, format!("write after=\"{from}\"")));
    }
    let Some(task) = context.typed.tasks.get(&earlier.task) else { return Ok(()) };
    if task.outputs.iter().any(|output| *output.name == *name) {
        return Ok(());
    }
    let help = match did_you_mean(name, task.outputs.iter().map(|output| &*output.name)) {
        Some(near) => format!("did you mean (ref)\"step.{from}.{near}\"?"),
        None => format!("declare `output \"{name}\"` in the task, and set it with output::set"),
    };
    Err((format!("task `{}` of step `{from}` has no output `{name}`", task.name), help))
}

/// True when `step` waits for the step called `earlier`, itself or through others.
fn comes_before(blueprint: &Blueprint, earlier: &str, step: &Step) -> bool {
    let mut waits: Vec<&str> = step.after.iter().map(|name| &**name).collect();
    let mut looked: Vec<&str> = Vec::new();
    while let Some(name) = waits.pop() {
        if name == earlier {
            return true;
        }
        if looked.contains(&name) {
            continue;
        }
        looked.push(name);
        let before = blueprint.steps.iter().find(|other| *other.name == *name);
        waits.extend(before.into_iter().flat_map(|step| step.after.iter().map(|name| &**name)));
    }
    false
}
