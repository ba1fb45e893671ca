//! A name that is used stands for something.
//!
//! Why: a forgotten file or a slip of the pen would otherwise change what a node is. Example:
//! `image "debian-21"` where there is `debian-12`. Fix: correct the name, or write what it names.

use super::Context;
use crate::design::read::Reference;
use crate::finding::{Finding, MISSING_REFERENCE, Place, did_you_mean};
use std::collections::HashMap;

/// Missing names that are reported for one pattern.
const MOST_EXAMPLES: usize = 3;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    if context.catalog.broken {
        return;
    }
    for item in context.catalog.all() {
        for reference in &item.references {
            let finding = missing(context, &item.subject(), reference, findings.len());
            findings.extend(finding);
        }
    }
    // One pattern may lead nowhere for every node of its block: a few examples are enough.
    let mut examples: HashMap<&Place, usize> = HashMap::new();
    for (subject, reference) in &context.late_references {
        let shown = examples.entry(&reference.place).or_default();
        if *shown < MOST_EXAMPLES {
            let finding = missing(context, subject, reference, findings.len());
            *shown += usize::from(finding.is_some());
            findings.extend(finding);
        }
    }
    for resolved in context.sure_nodes() {
        // Written names are references of their items; this one is a default.
        let written = resolved.node.layers.iter().any(|it| it.written && it.tree.get("lifecycle").is_some());
        if !written {
            let node = &resolved.node;
            let reference =
                Reference { kind: "blueprint", name: node.lifecycle.clone(), place: node.place.clone() };
            let finding = missing(context, &super::subject(resolved), &reference, findings.len());
            findings.extend(finding);
        }
    }
}

/// Names that are suggested: whoever has more missing has forgotten a file, and each costs a look at all names.
const MOST_SUGGESTED: usize = 500;

fn missing(context: &Context<'_>, subject: &str, reference: &Reference, found: usize) -> Option<Finding> {
    let Reference { kind, name, place } = reference;
    if context.catalog.knows(kind, name) {
        return None;
    }
    let near = if found < MOST_SUGGESTED { did_you_mean(name, context.catalog.names(kind)) } else { None };
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write {kind} \"{name}\" {{ … }}, or correct the name"),
    };
    let message = format!("there is no {kind} `{name}`");
    Some(Finding::new(MISSING_REFERENCE, subject, message).at(place.clone()).help(help))
}
