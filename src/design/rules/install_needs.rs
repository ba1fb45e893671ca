//! A node that is booted from the network by its lifecycle has a boot MAC and an image.
//!
//! Why: a boot request names nothing but a MAC, and an installer needs something to install. Example: a node
//! without `boot-mac` whose lifecycle has a task that allows `pxe`. Fix: write both.

use super::{Context, subject};
use crate::finding::{Finding, IMAGE_INCOMPLETE, MISSING_BOOT_MAC};
use std::collections::BTreeSet;

/// The capability of tasks that boot a machine from the network.
const PXE: &str = "pxe";

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let installing = installing(context);
    for resolved in context.sure_nodes().filter(|resolved| installing.contains(&*resolved.node.lifecycle)) {
        let node = &resolved.node;
        let mut find = |code, message: String, help: &str| {
            findings.push(Finding::new(code, subject(resolved), message).at(node.place.clone()).help(help));
        };
        if node.boot_mac.is_none() {
            let message = format!("node `{}` is booted from the network and has no boot MAC", node.name);
            find(MISSING_BOOT_MAC, message, "write boot-mac \"52:54:00:…\"");
        }
        if node.spec.get("image").is_none_or(|image| image.is_null()) {
            let message =
                format!("node `{}` is installed by `{}` and has no image", node.name, node.lifecycle);
            find(IMAGE_INCOMPLETE, message, "write image \"NAME\" in the node or in one of its profiles");
        }
    }
}

/// Blueprints with a task that boots machines from the network.
fn installing<'a>(context: &'a Context<'_>) -> BTreeSet<&'a str> {
    let boots = |task: &str| context.typed.tasks.get(task).is_some_and(|task| task.allow.contains(PXE));
    let blueprints = context.typed.blueprints.values();
    blueprints.filter(|it| it.steps.iter().any(|step| boots(&step.task))).map(|it| &*it.name).collect()
}
