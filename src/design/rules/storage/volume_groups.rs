//! A volume group that is named is defined, and every group has a disk, a partition or an array to lie on.
//!
//! Why: volumes are made of physical volumes; without one there is nothing to make them of. Example:
//! `disk "sdb" group="log"` where the group is called `logs`. Fix: correct the name, or write
//! `volume-group "log" { … }`.

use super::finding;
use super::layout::Layout;
use crate::finding::{Finding, VOLUME_GROUP, did_you_mean};
use crate::model::path::Path;

pub fn check(layout: &Layout<'_>, findings: &mut Vec<Finding>) {
    let named = named(layout);
    // A group that a slip of the pen left without a disk is one mistake, not two.
    let mut meant = Vec::new();
    for (group, path) in &named {
        if layout.groups.iter().all(|it| it.name != *group) {
            let near = did_you_mean(group, layout.groups.iter().map(|it| it.name));
            meant.extend(near);
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write volume-group \"{group}\" {{ … }}, or correct the name"),
            };
            let message = format!("there is no volume group `{group}`");
            findings.push(finding(layout.node, VOLUME_GROUP, &path.join("group"), message).help(help));
        }
    }
    for group in &layout.groups {
        let is_on_nothing = named.iter().all(|(name, _)| *name != group.name);
        if is_on_nothing && !meant.contains(&group.name) {
            let message = format!("volume group `{}` lies on no disk", group.name);
            let help = format!("write group=\"{}\" on a disk, a partition or a raid", group.name);
            findings.push(finding(layout.node, VOLUME_GROUP, &group.path, message).help(help));
        }
    }
}

/// Every group that a disk, a partition or an array names, with the path of that one.
fn named<'l>(layout: &'l Layout<'_>) -> Vec<(&'l str, &'l Path)> {
    let disks = layout.disks.iter().filter_map(|disk| Some((disk.group?, &disk.path)));
    let partitions =
        layout.disks.iter().flat_map(|disk| &disk.partitions).filter_map(|it| Some((it.group?, &it.path)));
    let raids = layout.raids.iter().filter_map(|raid| Some((raid.group?, &raid.path)));
    disks.chain(partitions).chain(raids).collect()
}
