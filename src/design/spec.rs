//! The shape of a node's resolved spec: every field there is, and its built-in default.
//!
//! Owns the list of spec fields, from which the defaults layer, the completion of optional groups and the check
//! of declared paths all follow. Fields are filled by the kinds; nothing here reads a design.

use crate::finding::did_you_mean;
use crate::model::hazard::Aim;
use crate::model::path::Path;
use crate::model::value::{Map, Value};
use std::sync::Arc;

/// What stands at a field that nobody wrote.
#[derive(Clone, Copy, Debug)]
enum Default {
    Null,
    Text(&'static str),
    False,
    List,
    /// A map whose keys are data.
    Data,
    /// `Null` until something in it is written; then its own fields are completed.
    Group,
}

const FIELDS: &[(&str, Default)] = &[
    ("name", Default::Null),
    ("profile", Default::Null),
    ("region", Default::Null),
    ("rack", Default::Null),
    ("unit", Default::Null),
    ("slot", Default::Null),
    ("domain", Default::Null),
    ("dns", Default::List),
    ("ntp", Default::List),
    ("authorized-keys", Default::List),
    ("repositories", Default::List),
    ("tags", Default::List),
    ("labels", Default::Data),
    ("owner-data", Default::Data),
    ("protect", Default::False),
    ("lifecycle", Default::Text("std/bring-up")),
    ("power", Default::Null),
    ("boot-override", Default::Group),
    ("boot-override.device", Default::Null),
    ("boot-override.persistence", Default::Null),
    ("hardware", Default::Group),
    ("hardware.name", Default::Null),
    ("hardware.vendor", Default::Null),
    ("hardware.model", Default::Null),
    ("hardware.generation", Default::Null),
    ("hardware.version", Default::Null),
    ("hardware.boot-mode", Default::Text("uefi")),
    ("hardware.boot-protocol", Default::Text("pxe")),
    ("hardware.pxe-interface", Default::Null),
    ("hardware.bios", Default::Data),
    ("hardware.firmware", Default::Data),
    ("hardware.alias", Default::Data),
    ("hardware.cpuset", Default::Data),
    ("hardware.hugepages", Default::Data),
    ("hardware.pci", Default::Data),
    ("hardware.drives", Default::Data),
    ("hardware.volumes", Default::Data),
    ("bmc", Default::Group),
    ("bmc.kind", Default::Null),
    ("bmc.address", Default::Null),
    ("bmc.network", Default::Null),
    ("bmc.user", Default::Null),
    ("bmc.password", Default::Null),
    ("bmc.system", Default::Null),
    ("ssh", Default::Group),
    ("ssh.address", Default::Null),
    ("ssh.port", Default::Null),
    ("ssh.user", Default::Null),
    ("ssh.key", Default::Null),
    ("ssh.password", Default::Null),
    ("ssh.host-key", Default::Null),
    ("boot-mac", Default::Null),
    ("addresses", Default::Data),
    ("interfaces", Default::Data),
    ("primary-network", Default::Null),
    ("cables", Default::Data),
    // What follows from cables, interfaces, links and networks; nobody writes it.
    ("ports", Default::Data),
    ("boot-ports", Default::Data),
    ("port-switches", Default::Data),
    ("storage", Default::Group),
    ("storage.disks", Default::Data),
    ("storage.groups", Default::Data),
    ("storage.raids", Default::Data),
    ("storage.root", Default::Data),
    ("image", Default::Group),
    ("image.name", Default::Null),
    ("image.method", Default::Text("disk-image")),
    ("image.kernel", Default::Group),
    ("image.kernel.url", Default::Null),
    ("image.kernel.checksum", Default::Null),
    ("image.initrd", Default::Group),
    ("image.initrd.url", Default::Null),
    ("image.initrd.checksum", Default::Null),
    ("image.url", Default::Null),
    ("image.checksum", Default::Null),
    ("image.format", Default::Text("raw")),
    ("image.kernels", Default::List),
    ("image.templates", Default::Data),
    ("image.rehearsal-only", Default::False),
    ("kernel", Default::Null),
    ("kernel-params", Default::Data),
    ("params", Default::Data),
];

/// What a task about the whole site may read; `plan/site_work.rs` fills it.
const SITE_FIELDS: &[(&str, Default)] = &[
    ("name", Default::Null),
    ("domain", Default::Null),
    ("dns", Default::List),
    ("ntp", Default::List),
    // Nothing real is asked.
    ("rehearsal", Default::False),
    ("revision", Default::Group),
    ("revision.source", Default::Null),
    ("revision.revision", Default::Null),
    ("revision.digest", Default::Null),
    ("payloads", Default::List),
    ("repositories", Default::List),
    ("secrets", Default::List),
];

/// The spec as the built-in defaults have it. With `groups`, optional groups are written out.
fn defaults(fields: &[(&str, Default)], groups: bool) -> Value {
    let mut tree = Value::empty_map();
    for (path, default) in fields {
        let value = match default {
            Default::Null => Value::Null,
            Default::Text(text) => Value::text(text),
            Default::False => Value::Bool(false),
            Default::List => Value::list(Vec::new()),
            Default::Data => Value::empty_map(),
            Default::Group if groups => Value::empty_map(),
            Default::Group => Value::Null,
        };
        let path = Path::parse(path);
        let in_group = fields.iter().any(|(other, default)| {
            matches!(default, Default::Group)
                && path.0.len() > 1
                && path.starts_with(&Path::parse(other))
                && path != Path::parse(other)
        });
        if groups || !in_group {
            tree.put(&path.0, value);
        }
    }
    tree
}

/// The defaults in the two forms that resolution needs, made once.
pub struct Defaults {
    /// Optional groups are `Null`: where resolution starts.
    pub bare: Value,
    /// Optional groups are written out: what completes them, and the defaults layer.
    pub full: Value,
    fields: &'static [(&'static str, Default)],
}

impl Defaults {
    pub fn new() -> Defaults {
        Defaults::with(FIELDS)
    }

    /// Of what tasks with such an aim are given.
    pub fn of(aim: Aim) -> Defaults {
        match aim {
            Aim::Node => Defaults::with(FIELDS),
            Aim::Site => Defaults::with(SITE_FIELDS),
        }
    }

    fn with(fields: &'static [(&'static str, Default)]) -> Defaults {
        Defaults { bare: defaults(fields, false), full: defaults(fields, true), fields }
    }

    /// Adds what is missing in every optional group that is there. Groups that are complete stay shared.
    pub fn complete(&self, spec: &mut Value) {
        fill(spec, &self.full);
    }

    /// True when the spec has such a path.
    pub fn knows(&self, path: &Path) -> bool {
        !path.0.is_empty() && self.nearest(path).is_none()
    }

    /// The part of `path` up to the first value that has no names of its own: what stands behind it is no part of the
    /// spec. `None` for a path that the spec does not have.
    pub fn part(&self, path: &Path) -> Option<Path> {
        let mut here = &self.full;
        for (depth, key) in path.0.iter().enumerate() {
            match here {
                Value::Map(map) if map.is_empty() => return Some(path.clone()),
                Value::Map(map) => here = map.get(key)?,
                _ => return Some(Path(path.0[..depth].to_vec())),
            }
        }
        Some(path.clone())
    }

    /// For a path that the spec does not have: the nearest one that it has.
    pub fn suggestion(&self, path: &Path) -> Option<String> {
        let known: Vec<&str> = self.fields.iter().map(|(known, _)| *known).collect();
        did_you_mean(&path.to_string(), known).map(str::to_string)
    }

    /// The first key of `path` that stands nowhere in the spec.
    fn nearest<'a>(&self, path: &'a Path) -> Option<&'a Arc<str>> {
        let mut here = &self.full;
        for key in &path.0 {
            match here {
                Value::Map(map) if map.is_empty() => return None,
                Value::Map(map) => match map.get(key) {
                    Some(inner) => here = inner,
                    None => return Some(key),
                },
                _ => return Some(key),
            }
        }
        None
    }
}

/// True for a map that lacks a field of `full`, at any depth. Both are in order, and their keys mostly the same.
fn lacks(map: &Map, full: &Map) -> bool {
    let mut held = map.iter();
    full.iter().any(|(key, default)| {
        let found = held.find(|(own, _)| Arc::ptr_eq(own, key) || *own >= key).filter(|(own, _)| *own == key);
        match (found, default) {
            (None, _) => true,
            (Some((_, Value::Map(inner))), Value::Map(default)) => lacks(inner, default),
            _ => false,
        }
    })
}

fn fill(value: &mut Value, full: &Value) {
    let (Value::Map(map), Value::Map(full)) = (value, full) else { return };
    if !lacks(map, full) {
        return;
    }
    let map = Arc::make_mut(map);
    for (key, default) in full.iter() {
        match map.get_mut(key) {
            Some(present) => fill(present, default),
            // An optional group inside a group stays away until it is written.
            None if default.as_map().is_some_and(|fields| !fields.is_empty()) => {
                map.insert(key.clone(), Value::Null);
            }
            None => {
                map.insert(key.clone(), default.clone());
            }
        }
    }
}

/// Of an item's tree, what belongs into a spec.
pub fn contribution(tree: &Value) -> Value {
    let Value::Map(map) = tree else { return Value::empty_map() };
    let belongs = |key: &str| FIELDS.iter().any(|(field, _)| *field == key);
    if map.keys().all(|key| belongs(key)) {
        return tree.clone();
    }
    Value::map(map.iter().filter(|(key, _)| belongs(key)).map(|(key, value)| (key.clone(), value.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_spec_are_known_and_others_get_a_suggestion() {
        let defaults = Defaults::new();
        for path in
            ["hardware.bios", "hardware.bios.Any", "labels.x", "image.kernel.url", "addresses.pxe", "bmc"]
        {
            assert!(defaults.knows(&Path::parse(path)), "{path}");
        }
        for path in ["", "hardwear", "hardware.bois", "bmc.address.x", "protect.x", "image.kernel.size"] {
            assert!(!defaults.knows(&Path::parse(path)), "{path}");
        }
        assert_eq!(defaults.suggestion(&Path::parse("hardware.bois")).as_deref(), Some("hardware.bios"));
        let part = |path| defaults.part(&Path::parse(path)).map(|part| part.to_string());
        assert_eq!(part("tags.len").as_deref(), Some("tags"));
        assert_eq!(part("labels.len").as_deref(), Some("labels.len"));
        assert_eq!(part("image.kernel.size"), None);
    }

    #[test]
    fn an_optional_group_is_completed_only_when_it_is_there() {
        let defaults = Defaults::new();
        let mut spec = defaults.bare.clone();
        spec.put(&Path::parse("image.name").0, Value::text("x"));
        defaults.complete(&mut spec);
        assert_eq!(spec.str_at("image.format"), Some("raw"));
        assert_eq!(spec.at(&Path::parse("image.kernel")), Some(&Value::Null));
        assert_eq!(spec.get("hardware"), Some(&Value::Null));
    }
}
