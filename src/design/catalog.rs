//! Everything that was read, by kind and name.
//!
//! Owns the lookup of items and the rule that a user's task or blueprint takes the place of the standard
//! library's. Of two with one name the first stands; the rule `duplicate_names` reports the other.

use super::read::Item;
use super::source::SourceFile;
use crate::finding::{Finding, Place};
use crate::model::image::Folder;
use crate::model::task::Script;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Kind and name; for what may stand several times under one name, the position as well.
type Key = (&'static str, Arc<str>, usize);

/// Kinds whose name is no name: the pattern of a block, which makes other nodes with other values, and a path.
const NAMELESS: &[&str] = &["nodes", "include"];

#[derive(Default)]
pub struct Catalog {
    items: Vec<Item>,
    /// Positions in `items`.
    by_name: BTreeMap<Key, usize>,
    pub duplicates: Vec<(usize, usize)>,
    pub scripts: BTreeMap<Arc<str>, Script>,
    /// Files of `templates/`, and of the standard library what is neither design nor script.
    pub templates: BTreeMap<Arc<str>, Arc<[u8]>>,
    /// The folders that images of containers are built from, by their path in the design.
    pub folders: BTreeMap<Arc<str>, Arc<Folder>>,
    /// Tables of `inventory/`.
    pub tables: BTreeMap<Arc<str>, SourceFile>,
    /// A file could not be read: what seems to be missing may stand there.
    pub broken: bool,
    pub findings: Vec<Finding>,
    pub hidden: Vec<Place>,
    pub texts: BTreeMap<Arc<str>, Arc<str>>,
    /// The names of every file of the revision that is no payload.
    pub files: BTreeSet<Arc<str>>,
    /// The names of the payloads, `files/…`; `None` when nobody has looked.
    pub payloads: Option<BTreeSet<Arc<str>>>,
}

impl Catalog {
    pub fn new(payloads: Option<BTreeSet<Arc<str>>>) -> Catalog {
        Catalog { payloads, ..Catalog::default() }
    }

    /// Adds the items of the standard library; they come first.
    pub fn add_standard(&mut self, items: Vec<Item>) {
        self.add(items);
    }

    /// Adds the user's items, which take the places of the standard library's.
    pub fn add_own(&mut self, items: Vec<Item>) {
        for item in &items {
            self.by_name.remove(&(item.kind, item.name.clone(), 0));
        }
        self.add(items);
    }

    fn add(&mut self, items: Vec<Item>) {
        for item in items {
            let position = self.items.len();
            let turn = if NAMELESS.contains(&item.kind) { position } else { 0 };
            let key = (item.kind, item.name.clone(), turn);
            match self.by_name.get(&key) {
                Some(first) => self.duplicates.push((*first, position)),
                None => {
                    self.by_name.insert(key, position);
                }
            }
            self.items.push(item);
        }
    }

    pub fn item(&self, position: usize) -> &Item {
        &self.items[position]
    }

    pub fn get(&self, kind: &'static str, name: &str) -> Option<&Item> {
        self.by_name.get(&(kind, Arc::from(name), 0)).map(|position| &self.items[*position])
    }

    /// Those of one kind, in order of name; each name once.
    pub fn of(&self, kind: &'static str) -> impl Iterator<Item = &Item> {
        let from = (kind, Arc::from(""), 0);
        self.by_name
            .range(from..)
            .take_while(move |((here, ..), _)| *here == kind)
            .map(|(_, at)| &self.items[*at])
    }

    /// Every item that counts.
    pub fn all(&self) -> impl Iterator<Item = &Item> {
        self.by_name.values().map(|position| &self.items[*position])
    }

    /// True when there is one of the kind.
    pub fn has(&self, kind: &'static str) -> bool {
        self.of(kind).next().is_some()
    }

    /// True when the name stands for something. Racks are free names until the first of them is declared, so
    /// that a small design need not list its only one.
    pub fn knows(&self, kind: &'static str, name: &str) -> bool {
        self.get(kind, name).is_some() || (kind == "rack" && !self.has(kind))
    }

    pub fn names(&self, kind: &'static str) -> impl Iterator<Item = &str> {
        self.of(kind).map(|item| &*item.name)
    }
}
