//! What is on a disk, or in a volume group, fits: shares come to no more than 100 %, at most one part takes the
//! rest, and where the size is known the parts are no larger.
//!
//! Why: the installer would fail at the last part, when the disk has been wiped. Example: volumes of `60%` and
//! `50%` in one group. Fix: make the parts smaller. Shares beside bytes are fine: what they come to shows only on
//! the machine.

use super::finding;
use super::layout::{Group, Layout, Part};
use crate::finding::{DISK_SIZE, Finding};
use crate::units::{Amount, Bound};

/// Shares such as three times 33.3 and 0.1 may come to a little more than they should.
const MOST_PERCENT: f64 = 100.0 + 1e-6;

pub fn check(layout: &Layout<'_>, findings: &mut Vec<Finding>) {
    for disk in layout.disks.iter().filter(|disk| !disk.keep) {
        let what = format!("disk `{}`", disk.name);
        findings.extend(judge(layout, &what, &disk.partitions, layout.known_bytes(disk)));
    }
    for group in &layout.groups {
        let what = format!("volume group `{}`", group.name);
        findings.extend(judge(layout, &what, &group.volumes, most_bytes(layout, group)));
    }
}

fn judge(layout: &Layout<'_>, what: &str, parts: &[Part<'_>], room: Option<u64>) -> Option<Finding> {
    let (part, message, help) = too_many_shares(what, parts)
        .or_else(|| two_rests(what, parts))
        .or_else(|| too_many_bytes(what, parts, room?))?;
    Some(finding(layout.node, DISK_SIZE, &part.path.join("size"), message).help(help))
}

/// What is wrong, with the part at which it shows.
type Misfit<'p, 'a> = Option<(&'p Part<'a>, String, &'static str)>;

fn too_many_shares<'p, 'a>(what: &str, parts: &'p [Part<'a>]) -> Misfit<'p, 'a> {
    let shares = || parts.iter().filter_map(|part| Some((part, least_share(part)?)));
    let sum: f64 = shares().map(|(_, share)| share).sum();
    let (last, _) = shares().next_back().filter(|_| sum > MOST_PERCENT)?;
    let message = format!("the parts of {what} come to {}%", (sum * 10.0).round() / 10.0);
    Some((last, message, "let the shares come to 100% or less"))
}

fn least_share(part: &Part<'_>) -> Option<f64> {
    match (part.size?.bound, part.size?.amount) {
        (Bound::Exactly | Bound::AtLeast, Amount::Percent(share)) => Some(share),
        _ => None,
    }
}

fn two_rests<'p, 'a>(what: &str, parts: &'p [Part<'a>]) -> Misfit<'p, 'a> {
    let takes_rest = |part: &&Part<'_>| {
        part.size.is_some_and(|size| size.bound == Bound::AtLeast) || least_share(part) == Some(100.0)
    };
    let mut rests = parts.iter().filter(takes_rest);
    let (first, second) = (rests.next()?, rests.next()?);
    let message = format!("`{}` and `{}` both take the rest of {what}", first.name, second.name);
    Some((second, message, "let one part take the rest, and give the others a size"))
}

fn too_many_bytes<'p, 'a>(what: &str, parts: &'p [Part<'a>], room: u64) -> Misfit<'p, 'a> {
    let least = |part: &Part<'_>| part.size.and_then(|size| size.least_bytes());
    let sum = parts.iter().filter_map(least).fold(0, u64::saturating_add);
    let last = parts.iter().rfind(|part| least(part).is_some()).filter(|_| sum > room)?;
    let message =
        format!("the parts of {what} need {}, and it has {} at the most", in_units(sum), in_units(room));
    Some((last, message, "make the parts smaller"))
}

/// The whole number of the largest unit.
fn in_units(bytes: u64) -> String {
    const UNITS: &[(u64, &str)] = &[(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| bytes.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{} {name}", bytes / unit),
        None => format!("{bytes} bytes"),
    }
}

/// The most that a group can hold: known when everything that it lies on has an end.
fn most_bytes(layout: &Layout<'_>, group: &Group<'_>) -> Option<u64> {
    let is_on = |named: Option<&str>| named == Some(group.name);
    if layout.raids.iter().any(|raid| is_on(raid.group)) {
        return None;
    }
    let mut sum = 0u64;
    for disk in &layout.disks {
        if is_on(disk.group) {
            sum = sum.saturating_add(layout.known_bytes(disk)?);
        }
        for part in disk.partitions.iter().filter(|part| is_on(part.group)) {
            sum = sum.saturating_add(part.size?.most_bytes()?);
        }
    }
    // A group that lies on nothing is found by `volume_groups.rs`.
    (sum > 0).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::path::Path;
    use proptest::prelude::*;

    fn part(size: &str) -> Part<'static> {
        let size = Some(size.parse().unwrap());
        Part { name: "a", path: Path::default(), size, group: None, uuid: None, filesystem: None }
    }

    proptest! {
        /// Shares in tenths of a percent are judged like whole numbers are added.
        #[test]
        fn shares_are_judged_by_their_sum(tenths in proptest::collection::vec((1u32..=1000, 0usize..3), 0..12)) {
            let written = |(share, bound): &(u32, usize)| {
                part(&format!("{}{}.{}%", ["", ">", "<"][*bound], share / 10, share % 10))
            };
            let parts: Vec<Part<'_>> = tenths.iter().map(written).collect();
            let sum: u32 = tenths.iter().filter(|(_, bound)| *bound < 2).map(|(share, _)| share).sum();
            prop_assert_eq!(too_many_shares("disk", &parts).is_some(), sum > 1000);
        }

        #[test]
        fn bytes_are_judged_by_their_least_sum(gib in proptest::collection::vec((0u64..200, 0usize..3), 0..12), room in 0u64..600) {
            let parts: Vec<Part<'_>> =
                gib.iter().map(|(size, bound)| part(&format!("{}{size}g", ["", ">", "<"][*bound]))).collect();
            let sum: u64 = gib.iter().filter(|(_, bound)| *bound < 2).map(|(size, _)| size).sum();
            prop_assert_eq!(too_many_bytes("disk", &parts, room << 30).is_some(), sum > room);
        }
    }

    #[test]
    fn the_largest_sizes_do_not_overflow() {
        let parts: Vec<Part<'_>> = (0..4).map(|_| part("8000p")).collect();
        assert!(too_many_bytes("disk", &parts, u64::MAX - 1).is_some());
        assert_eq!([in_units(3 << 40), in_units(1536 << 20), in_units(7)], ["3 TiB", "1536 MiB", "7 bytes"]);
    }
}
