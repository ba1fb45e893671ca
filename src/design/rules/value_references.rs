//! A value that refers to the hardware, or to a node, finds it.
//!
//! Why: a kernel that boots with a reference instead of a number runs without what it was promised. Example:
//! `kernel-param "isolcpus" (ref)"hardware.cpuset.sriov"` on hardware without that set. Fix: declare the set in the
//! hardware, or correct the reference.

use super::{Context, subject};
use crate::design::refer;
use crate::design::resolve::{Resolved, place_at};
use crate::finding::{Finding, VALUE_REFERENCE, did_you_mean};
use crate::model::path::Path;
use crate::model::value::Value;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for resolved in context.sure_nodes() {
        for holder in ["kernel-params", "params"] {
            let held = resolved.node.spec.get(holder).and_then(Value::as_map).into_iter().flatten();
            for (name, value) in held {
                let Some(target) = refer::target(value) else { continue };
                let path = Path(vec![holder.into(), name.clone()]);
                findings.push(finding(context, resolved, &path, target));
            }
        }
    }
}

fn finding(context: &Context<'_>, resolved: &Resolved, path: &Path, target: &str) -> Finding {
    let near = match refer::node_of(target) {
        Some(node) => did_you_mean(node, context.nodes.iter().map(|other| &*other.node.name))
            .map(|near| format!("node:{near}")),
        None => near_leaf(&resolved.node.spec, target),
    };
    let help = match near {
        Some(near) => format!("did you mean (ref)\"{near}\"?"),
        None => "declare it in the hardware, or correct the reference".to_string(),
    };
    let message = format!("`{path}` refers to `{target}`, which is not there");
    Finding::new(VALUE_REFERENCE, subject(resolved), message).at(place_at(&resolved.node, path)).help(help)
}

/// The nearest leaf of the node's hardware.
fn near_leaf(spec: &Value, target: &str) -> Option<String> {
    let hardware = Value::map([("hardware", spec.get("hardware")?.clone())]);
    let leaves: Vec<String> = hardware.leaves().iter().map(|(path, _)| path.to_string()).collect();
    did_you_mean(target, leaves.iter().map(String::as_str)).map(str::to_string)
}
