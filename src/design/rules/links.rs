//! What links carry, for the rules that ask.
//!
//! Owns the reading of a link's words, with what stands for those that are left out. Judges nothing.

use super::Context;
use crate::design::read::Item;
use crate::finding::Place;
use crate::model::value::Value;
use std::collections::BTreeMap;

/// A link as its item says it.
pub struct Link<'a> {
    pub item: &'a Item,
    /// The networks that it allows, each with its first position in the list.
    pub allowed: BTreeMap<&'a str, usize>,
    pub native: Option<&'a str>,
    /// True with 802.1Q tags.
    pub trunk: bool,
    /// The mode of a bond; `None` for a single port.
    pub bond: Option<&'a str>,
    pub leave_alone: bool,
}

/// Every link by name.
pub fn links<'a>(context: &'a Context<'_>) -> BTreeMap<&'a str, Link<'a>> {
    context.catalog.of("link").map(|item| (&*item.name, Link::of(item))).collect()
}

impl<'a> Link<'a> {
    pub fn of(item: &'a Item) -> Link<'a> {
        let tree = &item.tree;
        let mut allowed = BTreeMap::new();
        for (index, name) in texts(tree.get("allow")).enumerate() {
            allowed.entry(name).or_insert(index);
        }
        Link {
            item,
            allowed,
            native: tree.str_at("trunk.native"),
            // A link without the word `trunk` carries no tags.
            trunk: tree.str_at("trunk.mode").is_some_and(|mode| mode != "disabled"),
            bond: tree.str_at("bond.mode").filter(|mode| *mode != "disabled"),
            leave_alone: is_left_alone(tree),
        }
    }

    pub fn name(&self) -> &'a str {
        &self.item.name
    }

    /// The place where it allows a network.
    pub fn place_of(&self, network: &str) -> Place {
        match self.allowed.get(network) {
            Some(index) => self.item.place_of(&format!("allow.{index}")),
            None => self.item.place.clone(),
        }
    }
}

/// The texts of a list that may not be there.
pub fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_list).unwrap_or_default().iter().filter_map(Value::as_str)
}

/// True for a link or an interface that is somebody else's to configure.
pub fn is_left_alone(tree: &Value) -> bool {
    tree.get("leave-alone").and_then(Value::as_bool) == Some(true)
}

/// Names for a sentence: `a`, `b` and `c`.
pub fn named<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let mut names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.pop() {
        Some(last) if names.is_empty() => last,
        Some(last) => format!("{} and {last}", names.join(", ")),
        None => String::new(),
    }
}
