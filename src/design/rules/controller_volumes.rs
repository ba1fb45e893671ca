//! A volume of the storage controller has the drives that its level needs; what shares a drive shares all of them.
//!
//! Why: the controller would refuse it, when others of the machine's volumes may be gone already. Example:
//! `volume "os" level="1" { drive "Bay 0" }`. Fix: name as many drives as the level needs (DSP0268, `RAIDType`); let all
//! volumes on the same drives have the same level, and all but one of them a size.

use super::{Context, subject};
use crate::design::resolve::{Resolved, place_at, place_in_list};
use crate::finding::{CONTROLLER_VOLUME, Finding, did_you_mean};
use crate::model::path::Path;
use crate::model::value::{Map, Value};
use crate::units;
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// The drives that a level needs, and whether their number must be even.
const LEAST: &[(&str, usize, bool)] = &[
    ("0", 1, false),
    ("1", 2, true),
    ("5", 3, false),
    ("6", 4, false),
    ("10", 4, true),
    ("50", 6, true),
    ("60", 8, true),
];

/// A volume as it is judged.
struct Volume<'a> {
    name: &'a Arc<str>,
    level: &'a str,
    size: Option<&'a str>,
    /// As they are written.
    written: Vec<&'a str>,
    /// As the BMC calls them: an alias stands for its address.
    drives: BTreeSet<&'a str>,
}

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    // Nodes of one profile share their hardware, and the mistakes in it.
    let mut seen = HashSet::new();
    for resolved in context.sure_nodes() {
        let Some(Value::Map(hardware)) = resolved.node.spec.get("hardware") else { continue };
        if !seen.insert(Arc::as_ptr(hardware)) {
            continue;
        }
        let aliases = hardware.get("alias").and_then(Value::as_map);
        let volumes = hardware.get("volumes").and_then(Value::as_map);
        let volumes: Vec<Volume<'_>> =
            volumes.into_iter().flatten().map(|(name, value)| volume(name, value, aliases)).collect();
        for (index, volume) in volumes.iter().enumerate() {
            let alone = alone(volume, aliases);
            let problem = alone.or_else(|| volumes[..index].iter().find_map(|other| beside(volume, other)));
            findings.extend(problem.map(|problem| problem.finding(resolved, volume)));
        }
    }
}

fn volume<'a>(name: &'a Arc<str>, value: &'a Value, aliases: Option<&'a Map>) -> Volume<'a> {
    let drives = value.get("drives").and_then(Value::as_list).unwrap_or_default();
    let written: Vec<&str> = drives.iter().filter_map(Value::as_str).collect();
    let meant = |name: &&'a str| {
        let alias = aliases.and_then(|aliases| aliases.get(name));
        alias.and_then(|alias| alias.str_at("address")).unwrap_or(*name)
    };
    Volume {
        name,
        level: value.str_at("level").unwrap_or_default(),
        size: value.str_at("size"),
        drives: written.iter().map(meant).collect(),
        written,
    }
}

/// What is wrong, where, and the way out.
struct Problem<'a> {
    why: String,
    /// The drive that it is about.
    drive: Option<&'a str>,
    help: String,
}

impl Problem<'_> {
    fn finding(self, resolved: &Resolved, volume: &Volume<'_>) -> Finding {
        let path = Path(vec!["hardware".into(), "volumes".into(), volume.name.clone()]);
        let drive = self.drive.and_then(|drive| place_in_list(&resolved.node, &path.join("drives"), drive));
        let place = drive.unwrap_or_else(|| place_at(&resolved.node, &path.join("level")));
        let message = format!("volume `{}` {}", volume.name, self.why);
        Finding::new(CONTROLLER_VOLUME, subject(resolved), message).at(place).help(self.help)
    }
}

/// What is wrong with a volume by itself.
fn alone<'a>(volume: &Volume<'a>, aliases: Option<&Map>) -> Option<Problem<'a>> {
    if let Some(problem) = near_alias(volume, aliases).or_else(|| placeless_alias(volume, aliases)) {
        return Some(problem);
    }
    let (_, least, even) = LEAST.iter().find(|(level, ..)| *level == volume.level)?;
    let count = volume.drives.len();
    let problem = |why: String, help: &str| Some(Problem { why, drive: None, help: help.into() });
    if count < volume.written.len() {
        return problem("names a drive twice, once by its alias".into(), "name each drive once");
    }
    if count < *least {
        let drives = if count == 1 { "1 drive".to_string() } else { format!("{count} drives") };
        let why = format!("of level {} has {drives}, and needs {least}", volume.level);
        return problem(why, "name more drives, or choose another level");
    }
    if *even && count % 2 == 1 {
        let why = format!("of level {} has {count} drives, and needs an even number", volume.level);
        return problem(why, "name one more or one less");
    }
    if volume.size.is_some_and(|size| units::size(size) == Ok(0)) {
        return problem(
            "has no size".into(),
            "write how large it shall be, or leave `size=` out for all that there is",
        );
    }
    None
}

/// Beside a drive that is named by its alias, a name that is nearly another alias is a slip.
fn near_alias<'a>(volume: &Volume<'a>, aliases: Option<&Map>) -> Option<Problem<'a>> {
    let aliases = aliases.filter(|aliases| volume.written.iter().any(|name| aliases.contains_key(name)))?;
    volume.written.iter().filter(|name| !aliases.contains_key(name)).find_map(|name| {
        let near = did_you_mean(name, aliases.keys().map(|alias| &**alias))?;
        Some(Problem {
            why: format!("lies on `{name}`, which is no alias of the hardware"),
            drive: Some(name),
            help: format!("did you mean `{near}`?"),
        })
    })
}

/// An alias stands for its address, and a pattern is none.
fn placeless_alias<'a>(volume: &Volume<'a>, aliases: Option<&Map>) -> Option<Problem<'a>> {
    let aliases = aliases?;
    let is_placeless =
        |name: &&&str| aliases.get(name).is_some_and(|alias| alias.str_at("address").is_none());
    volume.written.iter().find(is_placeless).map(|name| Problem {
        why: format!("lies on `{name}`, an alias without `address=`"),
        drive: Some(name),
        help: "write in the alias what the BMC calls the drive, such as address=\"Bay 0\"".into(),
    })
}

/// What is wrong with two volumes beside each other.
fn beside<'a>(volume: &Volume<'a>, other: &Volume<'a>) -> Option<Problem<'a>> {
    let shared = volume.drives.intersection(&other.drives).next()?;
    let problem = |why: String, help: &str| Some(Problem { why, drive: Some(shared), help: help.into() });
    if volume.drives != other.drives || volume.level != other.level {
        let why =
            format!("shares drive `{shared}` with volume `{}`, and not all drives and the level", other.name);
        return problem(why, "volumes that share a drive lie on the same drives and have the same level");
    }
    if volume.size.is_none() && other.size.is_none() {
        let why = format!("and volume `{}` both take all that their drives have", other.name);
        return problem(why, "give one of them a size");
    }
    None
}
