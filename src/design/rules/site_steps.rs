//! What is done for the whole site is kept apart from what is done to nodes.
//!
//! Why: a task about the site has no machine, so it can call nothing that needs one and harms none; and a step of a
//! node in the site's blueprint would have no node. Example: `step "bios" task="std/bios" phase="prepare-site"`. Fix: give
//! the task `target "site"`, or the step a phase of nodes.

use super::Context;
use crate::design::kinds::site::SITE_LIFECYCLE;
use crate::design::read::Item;
use crate::finding::{Finding, Place, SITE_STEPS};
use crate::model::blueprint::Blueprint;
use crate::model::hazard::{Aim, Hazard, Scope};
use crate::model::path::Path;
use crate::model::task::Task;

/// Capabilities that are about one machine.
const OF_MACHINES: &[&str] = &["agent", "bmc", "port", "pxe", "ssh"];

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for task in context.typed.tasks.values().filter(|task| task.aim == Aim::Site) {
        if let Some(item) = context.catalog.get("task", &task.name) {
            findings.extend(wants_a_machine(item, task));
        }
    }
    for blueprint in context.typed.blueprints.values() {
        if let Some(item) = context.catalog.get("blueprint", &blueprint.name) {
            of_blueprint(context, item, blueprint, findings);
        }
    }
    lifecycles(context, findings);
}

fn wants_a_machine(item: &Item, task: &Task) -> Option<Finding> {
    let capability = OF_MACHINES.iter().find(|module| task.allow.contains(**module));
    let (what, key) = match capability {
        Some(module) => (format!("allows `{module}`"), "allow"),
        None if !task.realizes.is_empty() => ("realizes a part of a spec".to_string(), "realizes"),
        None if task.hazard > Hazard::None => (format!("has hazard {}", task.hazard), "hazard"),
        None if task.scope == Scope::Os => ("has scope os".to_string(), "scope"),
        None => return None,
    };
    let message = format!("the task is about the site and {what}, which needs a machine");
    let help = format!("take `{key}` out, or make it a task about nodes");
    Some(Finding::new(SITE_STEPS, item.subject(), message).at(item.place_of(key)).help(help))
}

fn of_blueprint(context: &Context<'_>, item: &Item, blueprint: &Blueprint, findings: &mut Vec<Finding>) {
    let mut find = |message: String, place: Place, help: &str| {
        findings.push(Finding::new(SITE_STEPS, item.subject(), message).at(place).help(help));
    };
    let mut all_well = true;
    for step in &blueprint.steps {
        let Some(task) = context.typed.tasks.get(&step.task) else { continue };
        let place = step.place.clone();
        match (step.phase.is_of_site(), task.aim) {
            (true, Aim::Node) => find(
                format!("step `{}` of phase {} is about nodes", step.name, step.phase),
                place,
                "give it a phase of nodes, or its task `target \"site\"`",
            ),
            (false, Aim::Site) => find(
                format!("step `{}` of phase {} is about the site", step.name, step.phase),
                place,
                "give it phase=\"verify-site\" or phase=\"prepare-site\"",
            ),
            _ => continue,
        }
        all_well = false;
    }
    let of_site = blueprint.steps.iter().filter(|step| step.phase.is_of_site()).count();
    if all_well && of_site > 0 && of_site < blueprint.steps.len() {
        let message = format!("{of_site} of its {} steps are about the site", blueprint.steps.len());
        find(message, blueprint.place.clone(), "make two blueprints of it");
    }
}

/// Which blueprint is the lifecycle of what.
fn lifecycles(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let of_site = |name: &str| {
        let steps = &context.typed.blueprints.get(name)?.steps;
        steps.first().map(|step| step.phase.is_of_site())
    };
    for item in context.catalog.of("site") {
        if let Some(name) = item.tree.str_at(SITE_LIFECYCLE).filter(|name| of_site(name) == Some(false)) {
            let message = format!("`{name}` is a blueprint for nodes");
            findings.push(
                Finding::new(SITE_STEPS, item.subject(), message)
                    .at(item.place_of(SITE_LIFECYCLE))
                    .help("write lifecycle \"std/site\", or a blueprint whose steps have phases of the site"),
            );
        }
    }
    for kind in ["profile", "nodes", "node"] {
        for item in context.catalog.of(kind) {
            if let Some(name) = item.tree.str_at("lifecycle").filter(|name| of_site(name) == Some(true)) {
                let message = format!("`{name}` is a blueprint for the site");
                let place = item.places.get(&Path::parse("lifecycle")).unwrap_or(&item.place).clone();
                findings.push(
                    Finding::new(SITE_STEPS, item.subject(), message)
                        .at(place)
                        .help("write it as `lifecycle` of the site, and a blueprint for nodes here"),
                );
            }
        }
    }
}
