//! A disk that is named is used in one way: it has partitions, or is in a volume group, or in a software RAID.
//! A partition or an array is in a volume group or holds a filesystem, not both.
//!
//! Why: what is written second destroys what is written first, and a disk without a use is usually half a
//! thought. Example: `disk "sdb" group="data" { partition … }`. Fix: keep one use; `keep=#true` leaves a disk as
//! it is. Members of arrays are judged by `software_raid.rs`.

use super::finding;
use super::layout::{Disk, Filesystem, Layout};
use crate::finding::{DISK_USE, Finding};
use crate::model::path::Path;

pub fn check(layout: &Layout<'_>, findings: &mut Vec<Finding>) {
    for disk in layout.disks.iter().filter(|disk| !disk.keep) {
        findings.extend(disk_finding(layout, disk));
        for part in &disk.partitions {
            if let Some(group) =
                part.group.filter(|_| part.filesystem.as_ref().is_some_and(Filesystem::is_there))
            {
                let what = format!("partition `{}` of disk `{}`", part.name, disk.name);
                findings.push(both(layout, &what, group, &part.path));
            }
        }
    }
    for raid in &layout.raids {
        if let Some(group) = raid.group.filter(|_| raid.filesystem.as_ref().is_some_and(Filesystem::is_there))
        {
            findings.push(both(layout, &format!("raid `{}`", raid.name), group, &raid.path));
        }
    }
}

fn disk_finding(layout: &Layout<'_>, disk: &Disk<'_>) -> Option<Finding> {
    let name = disk.name;
    let (path, message, help) = match (disk.group, disk.partitions.is_empty()) {
        (Some(group), false) => (
            disk.path.join("group"),
            format!("disk `{name}` has partitions and is in volume group `{group}` as a whole"),
            "keep one of the two, or write group= on a partition",
        ),
        (None, true) if layout.array_of(name).is_none() => (
            disk.path.clone(),
            format!("disk `{name}` is named and not used"),
            "give it partitions, a group= or a place in a raid; or write keep=#true to leave it as it is",
        ),
        _ => return None,
    };
    Some(finding(layout.node, DISK_USE, &path, message).help(help))
}

fn both(layout: &Layout<'_>, what: &str, group: &str, path: &Path) -> Finding {
    let message = format!("{what} is in volume group `{group}` and holds a filesystem of its own");
    finding(layout.node, DISK_USE, &path.join("group"), message)
        .help("keep one of the two; filesystems of a group are on its volumes")
}
