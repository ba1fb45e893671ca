//! A software RAID has the members that its level needs; they are disks or partitions of the design, and serve
//! nothing else.
//!
//! Why: an array with a disk too few does not start, and one that shares a disk destroys what is on it. Example:
//! `raid "md0" level="1" { members "sda" }`. Fix: name as many disks, or partitions as `disk/partition`, as the
//! level needs (md(4)).

use super::layout::{Layout, Raid};
use super::{finding, subject};
use crate::design::resolve::{place_at, place_in_list};
use crate::design::rules::device_names::is_given;
use crate::finding::{Finding, Place, SOFTWARE_RAID, did_you_mean};
use std::collections::BTreeMap;

/// The members that a level needs: fewer make no array, or none that lives through the loss it is for.
const LEAST: &[(&str, usize)] = &[("0", 2), ("1", 2), ("4", 3), ("5", 3), ("6", 4), ("10", 2)];
/// Nothing can take the place of a lost member there.
const STRIPES: &str = "0";

pub fn check(layout: &Layout<'_>, findings: &mut Vec<Finding>) {
    let mut used: BTreeMap<&str, &str> = BTreeMap::new();
    for raid in &layout.raids {
        let least = LEAST.iter().find(|(level, _)| *level == raid.level).map(|(_, least)| *least);
        if let Some(least) = least.filter(|least| raid.members.len() < *least) {
            let message = format!(
                "raid `{}` of level {} has {}, and needs {least}",
                raid.name,
                raid.level,
                members(raid.members.len())
            );
            let finding = finding(layout.node, SOFTWARE_RAID, &raid.path, message);
            findings.push(finding.help("name more disks, or partitions as disk/partition, in members"));
        }
        if raid.level == STRIPES && !raid.spares.is_empty() {
            let message = format!("raid `{}` of level 0 cannot use spares", raid.name);
            let finding = finding(layout.node, SOFTWARE_RAID, &raid.path.join("spares"), message);
            findings.push(finding.help("remove them, or choose another level"));
        }
        for device in raid.devices() {
            let taken = used.insert(device, raid.name).map(|other| format!("is in raid `{other}` already"));
            let problem = match taken {
                Some(taken) => Some((taken, "name each device once".to_string())),
                None => problem(layout, device),
            };
            if let Some((problem, help)) = problem {
                let message = format!("`{device}` of raid `{}` {problem}", raid.name);
                let place = place_of(layout, raid, device);
                findings
                    .push(Finding::new(SOFTWARE_RAID, subject(layout.node), message).at(place).help(help));
            }
        }
    }
}

fn members(count: usize) -> String {
    if count == 1 { "1 member".into() } else { format!("{count} members") }
}

/// Why a device cannot be in an array, and the way out.
fn problem(layout: &Layout<'_>, device: &str) -> Option<(String, String)> {
    let (name, partition) = match layout.disks.iter().any(|disk| disk.name == device) {
        true => (device, None),
        false => match device.rsplit_once('/') {
            Some((disk, partition)) => (disk, Some(partition)),
            None => (device, None),
        },
    };
    let Some(disk) = layout.disks.iter().find(|disk| disk.name == name) else {
        return Some((format!("is not there: the node has no disk `{name}`"), near(layout, device)));
    };
    let Some(partition) = partition else {
        if disk.keep {
            let help = "remove keep=#true, or name another disk".to_string();
            return Some(("is kept: nothing on it is touched".to_string(), help));
        }
        let other_use = match disk.group {
            Some(group) => format!("is in volume group `{group}` as well"),
            None if !disk.partitions.is_empty() => "has partitions".to_string(),
            None => return None,
        };
        return Some((
            other_use,
            "keep one use, or make arrays of partitions, written as disk/partition".into(),
        ));
    };
    let Some(part) = disk.partitions.iter().find(|part| part.name == partition) else {
        let missing = format!("is not there: disk `{name}` has no partition `{partition}`");
        return Some((missing, near(layout, device)));
    };
    let other_use = match (part.group, &part.filesystem) {
        (Some(group), _) => format!("is in volume group `{group}` as well"),
        (None, Some(filesystem)) if filesystem.is_there() => "holds a filesystem of its own".to_string(),
        _ => return None,
    };
    Some((other_use, "keep one use; filesystem and group are written in the raid".into()))
}

fn near(layout: &Layout<'_>, device: &str) -> String {
    let partitions = layout
        .disks
        .iter()
        .flat_map(|disk| disk.partitions.iter().map(|part| format!("{}/{}", disk.name, part.name)));
    let known: Vec<String> =
        layout.disks.iter().map(|disk| disk.name.to_string()).chain(partitions).collect();
    // One kernel name is near every other.
    match did_you_mean(device, known.iter().map(String::as_str)).filter(|_| !is_given(device)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write disk \"{device}\", or correct the name"),
    }
}

/// Where the device was written.
fn place_of(layout: &Layout<'_>, raid: &Raid<'_>, device: &str) -> Place {
    let node = &layout.node.node;
    let written =
        ["members", "spares"].iter().find_map(|key| place_in_list(node, &raid.path.join(key), device));
    written.unwrap_or_else(|| place_at(node, &raid.path))
}
