//! No two filesystems of a node are mounted at one place.
//!
//! Why: the later one hides the files of the first. Example: two partitions with `mount="/var"`. Fix: correct one
//! of the two.

use super::finding;
use super::layout::{Filesystem, Layout};
use crate::design::resolve::place_at;
use crate::finding::{Finding, MOUNT_POINT};
use std::collections::BTreeMap;

pub fn check(layout: &Layout<'_>, findings: &mut Vec<Finding>) {
    let mut first: BTreeMap<&str, &Filesystem<'_>> = BTreeMap::new();
    for filesystem in layout.filesystems() {
        let Some(mount) = filesystem.mount else { continue };
        match first.get(mount) {
            None => drop(first.insert(mount, filesystem)),
            Some(other) => {
                let other = place_at(&layout.node.node, &other.path.join("mount"));
                let message = format!("a second filesystem is mounted at `{mount}`");
                let finding = finding(layout.node, MOUNT_POINT, &filesystem.path.join("mount"), message);
                findings.push(finding.help(format!("the other is at {other}; correct one of the two")));
            }
        }
    }
}
