//! The rules about disks and what is on them, a file each, over a node's storage read once.
//!
//! Owns the list of these rules and which storage is looked at: nodes that share their storage, because they have
//! it from one profile, are looked at once, by the first of them. A disk with `keep=#true` is left as it is, so
//! what is on it is not judged; what it offers to others counts.

mod boot_filesystem;
mod disk_use;
mod filesystems;
mod layout;
mod mount_points;
mod root_filesystem;
mod sizes;
mod software_raid;
mod volume_groups;

use super::{Context, subject};
use crate::design::resolve::{Resolved, place_at};
use crate::finding::{Code, Finding};
use crate::model::path::Path;
use crate::model::value::Value;
use layout::Layout;
use std::collections::HashSet;
use std::sync::Arc;

type Rule = fn(&Layout<'_>, &mut Vec<Finding>);

const RULES: &[Rule] = &[
    boot_filesystem::check,
    disk_use::check,
    filesystems::check,
    mount_points::check,
    root_filesystem::check,
    sizes::check,
    software_raid::check,
    volume_groups::check,
];

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut seen = HashSet::new();
    for resolved in context.sure_nodes() {
        let Some(Value::Map(tree)) = resolved.node.spec.get("storage") else { continue };
        if seen.insert(Arc::as_ptr(tree)) {
            let layout = Layout::read(resolved);
            RULES.iter().for_each(|rule| rule(&layout, findings));
        }
    }
}

/// A finding about the value at `path` of the node.
fn finding(node: &Resolved, code: Code, path: &Path, message: String) -> Finding {
    Finding::new(code, subject(node), message).at(place_at(&node.node, path))
}
