//! The walk over one KDL node along its shape.
//!
//! Owns the order of things (arguments, properties, children, defaults) and what is built on the way: the value
//! tree, the places, the references. Single values are `values.rs`; what is not as expected is `expect.rs`.

use super::expect::Seen;
use super::{Block, Item, Reference, Variables};
use crate::design::schema::{Arity, Shape, Slot, Times};
use crate::design::source::SourceFile;
use crate::design::value_of;
use crate::finding::{Code, Finding, LIMIT, Place, RESERVED_NAME, cut};
use crate::model::path::Path;
use crate::model::value::Value;
use kdl::{KdlEntry, KdlNode, KdlValue};
use miette::SourceSpan;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whoever wrote this many mistakes into one thing corrects these first.
const MOST_FINDINGS: usize = 1_000;

/// Keys from the root of the item's tree.
pub type Keys = Vec<Arc<str>>;

pub struct Walk<'a> {
    pub file: &'a SourceFile,
    pub variables: &'a Variables,
    pub base: usize,
    pub subject: String,
    pub name: Option<Arc<str>>,
    pub name_place: Place,
    pub tree: Value,
    /// Lists that still grow; they join the tree at the end.
    lists: BTreeMap<Keys, Vec<Value>>,
    pub places: BTreeMap<Path, Place>,
    pub references: Vec<Reference>,
    pub selectors: Vec<(Arc<str>, Place)>,
    pub block: Option<Block>,
    pub findings: Vec<Finding>,
    pub hidden: Vec<Place>,
    /// What variables have come to in the file so far.
    pub put_in_bytes: usize,
}

impl<'a> Walk<'a> {
    pub fn new(
        file: &'a SourceFile,
        variables: &'a Variables,
        base: usize,
        kind: &'static Shape,
        node: &KdlNode,
    ) -> Walk<'a> {
        let name = arguments(node).next().and_then(|entry| entry.value().as_string());
        Walk {
            file,
            variables,
            base,
            subject: cut(name.map_or(kind.name.to_string(), |name| format!("{} \"{name}\"", kind.name))),
            name: name.filter(|name| !name.is_empty()).map(Arc::from),
            name_place: place_of(
                file,
                base,
                arguments(node).next().map_or(node.name().span(), KdlEntry::span),
            ),
            tree: Value::empty_map(),
            lists: BTreeMap::new(),
            places: BTreeMap::new(),
            references: Vec::new(),
            selectors: Vec::new(),
            block: None,
            findings: Vec::new(),
            hidden: Vec::new(),
            put_in_bytes: 0,
        }
    }

    /// The whole top-level node. Its name is its first argument.
    pub fn item(&mut self, node: &KdlNode, kind: &'static Shape) {
        if kind.pattern {
            self.block = Some(self.variables(node));
        }
        self.places.insert(Path::default(), self.name_place.clone());
        self.body(node, kind, &Keys::new(), 0);
        self.join_lists();
    }

    fn join_lists(&mut self) {
        for (keys, items) in std::mem::take(&mut self.lists) {
            self.tree.put(&keys, Value::list(items));
        }
    }

    pub fn finish(self, kind: &'static Shape) -> Option<Item> {
        let fatal = |finding: &Finding| finding.code != RESERVED_NAME;
        Some(Item {
            kind: kind.name,
            name: self.name?,
            place: self.name_place,
            tree: self.tree,
            places: Arc::new(self.places),
            references: self.references,
            selectors: self.selectors,
            block: self.block,
            faulty: self.findings.iter().any(fatal),
        })
    }

    /// Everything in a KDL node; the first `skip` arguments have been read.
    pub fn body(&mut self, node: &KdlNode, shape: &Shape, keys: &Keys, skip: usize) {
        self.no_annotation(node);
        self.arguments(node, shape, keys, skip);
        self.properties(node, shape, keys);
        self.children(node, shape, keys);
    }

    fn arguments(&mut self, node: &KdlNode, shape: &Shape, keys: &Keys, skip: usize) {
        let mut entries = arguments(node).skip(skip).peekable();
        for slot in shape.arguments.iter().skip(skip) {
            match entries.next() {
                Some(entry) => self.entry(entry, slot, keys),
                None if slot.required => self.missing_argument(node, slot),
                None => {}
            }
            while slot.arity == Arity::Rest && entries.peek().is_some() {
                if let Some(entry) = entries.next() {
                    self.entry(entry, slot, keys);
                }
            }
        }
        for surplus in entries {
            self.surplus(node, surplus, shape);
        }
    }

    fn properties(&mut self, node: &KdlNode, shape: &Shape, keys: &Keys) {
        let mut seen = Seen::default();
        for entry in node.entries() {
            let Some(name) = entry.name() else { continue };
            let place = self.place(name.span());
            if let Some(first) = seen.insert(name.value(), place.clone()) {
                self.repeated(name.value(), place, &first);
            } else if shape.property(name.value()).is_none() && !self.is_variable(shape, name.value()) {
                self.unknown_property(entry, name.value(), place, shape);
            }
        }
        // In the order of the schema, so that a version finds its secret.
        for slot in shape.properties {
            match node
                .entries()
                .iter()
                .find(|entry| entry.name().is_some_and(|name| name.value() == slot.name))
            {
                Some(entry) => self.entry(entry, slot, keys),
                None if slot.required => self.missing_property(node, slot),
                None => self.default(node, slot, keys),
            }
        }
    }

    fn default(&mut self, node: &KdlNode, slot: &Slot, keys: &Keys) {
        if let Some(default) = slot.default {
            let place = self.place(node.name().span());
            // A default is of the schema, so that it is of its type.
            let value = value_of::of_text(slot.kind, default).unwrap_or_else(|_| Value::text(default));
            self.put(&below(keys, slot.key), value, place);
        }
    }

    fn children(&mut self, node: &KdlNode, shape: &Shape, keys: &Keys) {
        let mut seen = Seen::default();
        for child in node.children().map(|document| document.nodes()).unwrap_or_default() {
            match (shape.data, shape.child(child.name().value())) {
                (Some(kind), _) => self.datum(child, kind, keys, &mut seen),
                (None, Some(inner)) => self.child(child, inner, keys, &mut seen),
                (None, None) => self.unknown_child(child, node, shape),
            }
        }
        for inner in shape.each_child().filter(|inner| inner.required && !seen.has(inner.name)) {
            self.missing_child(node, inner);
        }
    }

    fn child(&mut self, node: &KdlNode, shape: &'static Shape, keys: &Keys, seen: &mut Seen) {
        let keys = below(keys, shape.base);
        let place = self.place(node.name().span());
        match shape.times {
            Times::Once => match seen.insert(shape.name, place.clone()) {
                Some(first) => self.repeated(shape.name, place, &first),
                None => self.group(node, shape, &keys, place),
            },
            Times::Many => {
                seen.insert(shape.name, place);
                self.body(node, shape, &keys, 0);
            }
            Times::Listed => self.listed(node, shape, &keys, place),
            Times::Keyed => self.keyed(node, shape, &keys, seen),
        }
    }

    fn group(&mut self, node: &KdlNode, shape: &Shape, keys: &Keys, place: Place) {
        if !shape.base.is_empty() {
            self.put(keys, Value::empty_map(), place);
        }
        self.body(node, shape, keys, 0);
    }

    /// Reads an entry of a list as a tree of its own, then appends it.
    fn listed(&mut self, node: &KdlNode, shape: &Shape, keys: &Keys, place: Place) {
        let outer = std::mem::replace(&mut self.tree, Value::empty_map());
        let outer_places = std::mem::take(&mut self.places);
        let outer_lists = std::mem::take(&mut self.lists);
        self.body(node, shape, &Keys::new(), 0);
        self.join_lists();
        self.lists = outer_lists;
        let entry = std::mem::replace(&mut self.tree, outer);
        let entry_places = std::mem::replace(&mut self.places, outer_places);
        let index = self.append(keys, entry, place);
        for (path, place) in entry_places {
            let mut full = below(keys, &index.to_string());
            full.extend(path.0);
            self.places.insert(Path(full), place);
        }
    }

    fn keyed(&mut self, node: &KdlNode, shape: &'static Shape, keys: &Keys, seen: &mut Seen) {
        let Some((entry, slot)) = arguments(node).next().zip(shape.arguments.first()) else {
            self.missing_argument(node, &shape.arguments[0]);
            return;
        };
        let Some(key) = self.key(entry, slot) else { return };
        let place = self.place(entry.span());
        if let Some(first) = seen.insert(&format!("{} \"{key}\"", shape.name), place.clone()) {
            return self.repeated(&format!("{} \"{key}\"", shape.name), place, &first);
        }
        let mut keys = keys.clone();
        keys.push(key);
        if arguments(node).nth(1).is_some_and(|entry| entry.value() == &KdlValue::Null) {
            return self.put(&keys, Value::Null, place);
        }
        self.places.insert(Path(keys.clone()), place);
        if shape.arguments.iter().all(|slot| !slot.key.is_empty()) {
            self.put(&keys, Value::empty_map(), self.place(entry.span()));
        }
        self.body(node, shape, &keys, 1);
    }

    pub fn find(&mut self, code: Code, message: impl Into<String>, place: Place, help: impl Into<String>) {
        let finding = match self.findings.len() {
            0..MOST_FINDINGS => Finding::new(code, self.subject.clone(), message).help(help),
            MOST_FINDINGS => {
                let message = format!(
                    "there are more than {MOST_FINDINGS} mistakes in this; here they are no longer listed"
                );
                Finding::new(LIMIT, self.subject.clone(), message).help("correct those before it first")
            }
            _ => return,
        };
        self.findings.push(finding.at(place));
    }

    pub fn place(&self, span: SourceSpan) -> Place {
        place_of(self.file, self.base, span)
    }

    pub fn put(&mut self, keys: &Keys, value: Value, place: Place) {
        self.tree.put(keys, value);
        self.places.insert(Path(keys.clone()), place);
    }

    /// Appends to the list at `keys` and gives the entry's index.
    pub fn append(&mut self, keys: &Keys, value: Value, place: Place) -> usize {
        let items = self.lists.entry(keys.clone()).or_default();
        items.push(value);
        let index = items.len() - 1;
        self.places.entry(Path(keys.clone())).or_insert_with(|| place.clone());
        self.places.insert(Path(below(keys, &index.to_string())), place);
        index
    }
}

/// The arguments of a KDL node, without its properties.
pub fn arguments(node: &KdlNode) -> impl Iterator<Item = &KdlEntry> {
    node.entries().iter().filter(|entry| entry.name().is_none())
}

/// `keys` and the parts of a dotted path.
pub fn below(keys: &Keys, dotted: &str) -> Keys {
    let parts = dotted.split('.').filter(|part| !part.is_empty()).map(Arc::from);
    keys.iter().cloned().chain(parts).collect()
}

pub fn place_of(file: &SourceFile, base: usize, span: SourceSpan) -> Place {
    file.place(base + span.offset(), span.len())
}
