//! A task allows only capabilities that exist.
//!
//! Why: a capability is the name of a module of effects; one that does not exist lets the script call nothing.
//! Example: `allow "bcm"`. Fix: write a module of the effect reference in `stdlib/REFERENCE.md`.

use super::Context;
use crate::finding::{CAPABILITY, Finding, did_you_mean};
use crate::model::value::Value;
use crate::script::catalogue;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let modules = catalogue::modules();
    for item in context.catalog.of("task") {
        let allowed = item.tree.get("allow").and_then(Value::as_list).unwrap_or_default();
        for (index, name) in allowed.iter().enumerate() {
            let Some(name) = name.as_str().filter(|name| !modules.contains(name)) else { continue };
            let help = match did_you_mean(name, modules.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the capabilities are {}", modules.join(", ")),
            };
            let message = format!("there is no capability `{name}`");
            let place = item.place_of(&format!("allow.{index}"));
            findings.push(Finding::new(CAPABILITY, item.subject(), message).at(place).help(help));
        }
    }
}
