//! A script asks only for templates and secrets that its task declares.
//!
//! Why: what a task reaches is said beside it, where a reviewer looks; and a name that is not there fails half-way.
//! Example: `secret::get("token")` in the script of a task without `secret "token"`. Fix: declare it, or correct the name.

use super::Context;
use crate::finding::Finding;
use crate::script::named;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for task in context.typed.tasks.values() {
        // A template that cannot be read is a finding of its own.
        let faulty = context.catalog.get("task", &task.name).is_none_or(|item| {
            let written = item.tree.get("templates").and_then(|value| value.as_list()).map_or(0, <[_]>::len);
            item.faulty || written != task.templates.len()
        });
        if !faulty {
            findings.extend(named::check(task, &context.catalog.scripts));
        }
    }
}
