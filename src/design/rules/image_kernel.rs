//! The kernel that a node asks for is one that its image offers.
//!
//! Why: an installer that does not find it stops, or takes another. Example: `kernel "hwe-22.04"` where the image
//! says `kernels "ga-22.04"`. Fix: write one of the image's kernels. An image that lists none offers any.

use super::{Context, subject};
use crate::design::resolve::{Resolved, place_in};
use crate::finding::{Finding, IMAGE_KERNEL, did_you_mean};
use crate::model::value::Value;
use std::collections::HashSet;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    // A kernel that a profile names wrongly is one mistake for each image.
    let mut seen = HashSet::new();
    for resolved in context.sure_nodes() {
        let spec = &resolved.node.spec;
        let Some(kernel) = spec.str_at("kernel") else { continue };
        let Some(image) = spec.get("image").filter(|image| !image.is_null()) else { continue };
        let offered = image.get("kernels").and_then(Value::as_list).unwrap_or_default();
        if offered.is_empty() || offered.iter().any(|it| it.as_str() == Some(kernel)) {
            continue;
        }
        let place = place_in(&resolved.node, "kernel");
        let name = image.str_at("name").unwrap_or_default();
        if seen.insert((kernel, name, place.clone())) {
            findings.push(finding(resolved, kernel, name, offered).at(place));
        }
    }
}

fn finding(resolved: &Resolved, kernel: &str, image: &str, offered: &[Value]) -> Finding {
    let names = || offered.iter().filter_map(Value::as_str);
    let help = match did_you_mean(kernel, names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let all: Vec<String> = names().map(|name| format!("`{name}`")).collect();
            format!("write {}", all.join(" or "))
        }
    };
    Finding::new(IMAGE_KERNEL, subject(resolved), format!("image `{image}` offers no kernel `{kernel}`"))
        .help(help)
}
