//! Nodes of an image that is for rehearsals only are rehearsed, not installed.
//!
//! Why: somebody who brings a design over from another system has no payloads yet, and must not forget it. Example:
//! `image "xenial" { rehearsal-only #true }` and a node with it. Fix: give the image its payloads, and remove the
//! mark. A warning only: rehearsing is what the mark is for.

use super::Context;
use crate::finding::{Finding, REHEARSAL_ONLY};
use crate::model::value::Value;

const MARK: &str = "rehearsal-only";

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for item in context.catalog.of("image").filter(|item| is_marked(&item.tree)) {
        let has_it = |spec: &Value| spec.str_at("image.name") == Some(&*item.name);
        let count = context.nodes.iter().filter(|resolved| has_it(&resolved.node.spec)).count();
        let can = match count {
            0 => continue,
            1 => "1 node with it can".to_string(),
            more => format!("{more} nodes with it can"),
        };
        let message =
            format!("image `{}` is for rehearsals only: {can} be rehearsed, not installed", item.name);
        let finding =
            Finding::new(REHEARSAL_ONLY, item.subject(), message).at(item.place_of("image.rehearsal-only"));
        findings.push(finding.help("write the image's payloads, and remove rehearsal-only"));
    }
}

/// True for an image that may lack what its method needs.
pub fn is_marked(image: &Value) -> bool {
    image.get("image").and_then(|image| image.get(MARK)).and_then(Value::as_bool) == Some(true)
}
