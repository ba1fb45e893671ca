//! Swap space has no mount point, every other filesystem has one or can be found by a label, and labels and UUIDs
//! are each used once.
//!
//! Why: a filesystem that nothing mounts and nothing names is lost, and of two with one label the kernel's order
//! decides which is mounted. Example: `filesystem "swap" mount="/swap"`. Fix: leave `mount=` out of swap, and give
//! each filesystem a label of its own.

use super::finding;
use super::layout::{Filesystem, Layout};
use crate::design::resolve::place_at;
use crate::finding::{FILESYSTEM, Finding};
use crate::model::path::Path;
use std::collections::BTreeMap;

/// What is never mounted: swap space, and what something else than the system uses.
const NOT_MOUNTED: &[&str] = &["swap", "none"];

pub fn check(layout: &Layout<'_>, findings: &mut Vec<Finding>) {
    for filesystem in layout.new_filesystems() {
        findings.extend(mounting(layout, filesystem));
    }
    let labels = layout.filesystems().filter_map(|it| Some((it.label?.to_string(), it.path.join("label"))));
    once(layout, "label", labels, findings);
    once(layout, "UUID", uuids(layout), findings);
}

fn mounting(layout: &Layout<'_>, filesystem: &Filesystem<'_>) -> Option<Finding> {
    let mounted = !NOT_MOUNTED.contains(&filesystem.kind);
    let (key, message, help) = match filesystem.mount {
        Some(mount) if !mounted => {
            ("mount", format!("`{}` cannot be mounted, here at `{mount}`", filesystem.kind), "remove mount=")
        }
        None if mounted && filesystem.label.is_none() && filesystem.uuid.is_none() => (
            "type",
            format!("nothing mounts this filesystem `{}`, and it has no name", filesystem.kind),
            "write mount=\"/…\", or label=\"…\" when something else mounts it",
        ),
        _ => return None,
    };
    Some(finding(layout.node, FILESYSTEM, &filesystem.path.join(key), message).help(help))
}

/// Every UUID there is, in lower case; one is for one thing, whatever that is.
fn uuids<'l>(layout: &'l Layout<'_>) -> impl Iterator<Item = (String, Path)> + use<'l> {
    let filesystems = layout.filesystems().map(|it| (it.uuid, &it.path));
    let parts = layout.parts().map(|part| (part.uuid, &part.path));
    let groups = layout.groups.iter().map(|group| (group.uuid, &group.path));
    let raids = layout.raids.iter().map(|raid| (raid.uuid, &raid.path));
    let all = filesystems.chain(parts).chain(groups).chain(raids);
    all.filter_map(|(uuid, path)| Some((uuid?.to_ascii_lowercase(), path.join("uuid"))))
}

fn once(
    layout: &Layout<'_>,
    what: &str,
    names: impl Iterator<Item = (String, Path)>,
    findings: &mut Vec<Finding>,
) {
    let mut first: BTreeMap<String, Path> = BTreeMap::new();
    for (name, path) in names {
        match first.get(&name) {
            Some(other) => {
                let other = place_at(&layout.node.node, other);
                let message = format!("the {what} `{name}` is used twice");
                let help = format!("the other is at {other}; correct one of the two");
                findings.push(finding(layout.node, FILESYSTEM, &path, message).help(help));
            }
            None => drop(first.insert(name, path)),
        }
    }
}
