//! A profile and its ancestors, parents before children.
//!
//! Owns the order of several parents: each ancestor counts once, where it comes first; a later parent is
//! nearer. Ends on cycles, on parents that are not there and at its limit; reporting them is the rules' business.

use crate::design::catalog::Catalog;
use crate::design::read::Item;
use std::collections::BTreeSet;

/// The most profiles that one has with all its ancestors. People lose their way after five; each is a layer of every
/// node, and is looked through for every value.
pub const MOST_PROFILES: usize = 100;

enum Visit<'a> {
    Enter(&'a Item),
    Leave(&'a Item),
}

pub fn of<'a>(catalog: &'a Catalog, name: &str) -> Vec<&'a Item> {
    let mut order = Vec::new();
    let mut seen = BTreeSet::new();
    let mut open: Vec<Visit> = catalog.get("profile", name).map(Visit::Enter).into_iter().collect();
    while let Some(visit) = open.pop() {
        match visit {
            Visit::Leave(item) => order.push(item),
            Visit::Enter(item) => {
                // One more than the limit, so that it shows.
                if seen.len() <= MOST_PROFILES && seen.insert(&*item.name) {
                    open.push(Visit::Leave(item));
                    let parents: Vec<&str> = parents(item).collect();
                    open.extend(
                        parents
                            .iter()
                            .rev()
                            .filter_map(|name| catalog.get("profile", name))
                            .map(Visit::Enter),
                    );
                }
            }
        }
    }
    order
}

/// The names of a profile's parents as they are written.
pub fn parents(item: &Item) -> impl Iterator<Item = &str> {
    item.tree
        .get("extends")
        .and_then(|list| list.as_list())
        .unwrap_or_default()
        .iter()
        .filter_map(|name| name.as_str())
}

/// True when a parent of one of them is not there, or they are too many to count.
pub fn is_broken(catalog: &Catalog, profiles: &[&Item]) -> bool {
    profiles.len() > MOST_PROFILES
        || profiles.iter().flat_map(|item| parents(item)).any(|name| catalog.get("profile", name).is_none())
}
