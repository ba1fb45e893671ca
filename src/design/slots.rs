//! From a spec path, as a table's heading writes one, to the slot of the language that fills it.
//!
//! Owns the search through the shapes of a node. What may stand in a column is therefore just what may stand in
//! a node, with the same types.

use super::kinds::node::NODE;
use super::schema::{Arity, Shape, Slot, Times, Type};
use std::sync::Arc;

/// Where the values of a column go, and what they must be.
#[derive(Clone, Debug)]
pub struct Target {
    pub keys: Vec<Arc<str>>,
    pub kind: Type,
    /// The values are appended to a list.
    pub many: bool,
    /// Names inside the path, and what they must be: the network of `addresses.prod`.
    pub names: Vec<(Type, Arc<str>)>,
}

/// The target of a dotted path such as `bmc.address`, `addresses.prod` or `labels.role`.
pub fn target(path: &str) -> Option<Target> {
    let parts: Vec<&str> = path.split('.').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return None;
    }
    let mut names = Vec::new();
    let (kind, arity) = in_shape(&NODE, &parts, &mut names)?;
    let keys = parts.iter().map(|part| Arc::from(*part)).collect();
    Some(Target { keys, kind, many: arity != Arity::One, names })
}

/// Every path that has a fixed name, for suggestions.
pub fn names() -> Vec<String> {
    let mut names = Vec::new();
    collect(&NODE, "", &mut names);
    names
}

type Names = Vec<(Type, Arc<str>)>;

fn in_shape(shape: &Shape, path: &[&str], names: &mut Names) -> Option<(Type, Arity)> {
    if let (Some(kind), [_]) = (shape.data, path) {
        return Some((kind, Arity::One));
    }
    let keyed = shape.times == Times::Keyed && !shape.base.is_empty();
    let slots = shape.arguments.iter().skip(usize::from(keyed)).chain(shape.properties);
    let own = slots.filter(|slot| slot.kind != Type::SecretVersion).find(|slot| fits(slot, path));
    own.map(|slot| (slot.kind, slot.arity))
        .or_else(|| shape.each_child().find_map(|child| in_child(child, path, names)))
}

fn fits(slot: &Slot, path: &[&str]) -> bool {
    match slot.key {
        "" => path.is_empty(),
        key => key.split('.').eq(path.iter().copied()),
    }
}

fn in_child(child: &Shape, path: &[&str], names: &mut Names) -> Option<(Type, Arity)> {
    let mut rest = path;
    for part in child.base.split('.').filter(|part| !part.is_empty()) {
        let (first, after) = rest.split_first()?;
        if *first != part {
            return None;
        }
        rest = after;
    }
    match child.times {
        Times::Keyed => {
            let (name, rest) = rest.split_first()?;
            let found = in_shape(child, rest, names)?;
            names.extend(child.arguments.first().map(|slot| (slot.kind, Arc::from(*name))));
            Some(found)
        }
        Times::Listed => None,
        Times::Once | Times::Many => in_shape(child, rest, names),
    }
}

fn collect(shape: &Shape, base: &str, names: &mut Vec<String>) {
    let join = |key: &str| match (base, key) {
        ("", key) => key.to_string(),
        (base, "") => base.to_string(),
        (base, key) => format!("{base}.{key}"),
    };
    let keyed = shape.times == Times::Keyed && !shape.base.is_empty();
    for slot in shape.arguments.iter().skip(usize::from(keyed)).chain(shape.properties) {
        let name = join(slot.key);
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    for child in shape.each_child() {
        let below = join(child.base);
        match child.times {
            Times::Keyed => collect(child, &format!("{below}.NAME"), names),
            Times::Listed => {}
            Times::Once | Times::Many => collect(child, &below, names),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_a_node_have_a_target_and_others_have_none() {
        let kind = |path: &str| target(path).map(|target| (target.kind, target.many));
        assert_eq!(kind("boot-mac"), Some((Type::BootMac, false)));
        assert_eq!(kind("bmc.password"), Some((Type::Secret, false)));
        assert_eq!(kind("addresses.prod"), Some((Type::NodeAddress, false)));
        assert_eq!(kind("labels.role"), Some((Type::Text, false)));
        assert_eq!(kind("tags"), Some((Type::Text, true)));
        assert_eq!(kind("hardware.name"), Some((Type::Reference("hardware"), false)));
        assert_eq!(kind("interfaces.bond0.networks"), Some((Type::Reference("network"), true)));
        for path in ["", "boot_mac", "addresses", "labels", "bmc", "bmc.", "hardware.bios.X", "name.x"] {
            assert!(kind(path).is_none(), "{path}");
        }
        assert!(names().iter().any(|name| name == "addresses.NAME"));
    }
}
