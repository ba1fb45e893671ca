//! A top-level KDL node to an `Item`: one thing of the design, typed and with the place of every value.
//!
//! Owns the item and the entry into the schema-driven walk (`walk.rs`). Looks at one file at a time: whatever
//! needs a second item is a rule.

mod expect;
mod values;
mod variables;
mod walk;

use super::kinds::KINDS;
use super::pattern::{Pattern, Variable};
use super::schema::{Shape, Type};
use super::secret;
use super::source::SourceFile;
use super::syntax::Parsed;
use crate::finding::{Finding, Place};
use crate::model::path::Path;
use crate::model::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use walk::Walk;

pub use variables::Variables;

/// One top-level thing of the design.
#[derive(Clone, Debug)]
pub struct Item {
    pub kind: &'static str,
    pub name: Arc<str>,
    /// Where its name stands.
    pub place: Place,
    pub tree: Value,
    pub places: Arc<BTreeMap<Path, Place>>,
    pub references: Vec<Reference>,
    /// Every selector in it, with the place of the value.
    pub selectors: Vec<(Arc<str>, Place)>,
    /// For `nodes`: what differs from node to node.
    pub block: Option<Block>,
    /// Something in it was wrong, so what is missing may only seem to be.
    pub faulty: bool,
}

/// A name that must be that of a thing of kind `kind`.
#[derive(Clone, Debug)]
pub struct Reference {
    pub kind: &'static str,
    pub name: Arc<str>,
    pub place: Place,
}

/// The variable part of a `nodes` block.
#[derive(Clone, Debug, Default)]
pub struct Block {
    pub variables: Vec<Variable>,
    pub templates: Vec<Template>,
}

/// A value with variables in it.
#[derive(Clone, Debug)]
pub struct Template {
    pub keys: Vec<Arc<str>>,
    pub pattern: Pattern,
    pub kind: Type,
    pub secret: bool,
    /// The value is appended to a list.
    pub append: bool,
    pub place: Place,
}

impl Item {
    /// How messages call it, such as `node "n01"`.
    pub fn subject(&self) -> String {
        format!("{} \"{}\"", self.kind, self.name)
    }

    /// The place of the value at a dotted path of plain names, or of the item.
    pub fn place_of(&self, dotted: &str) -> Place {
        self.places.get(&Path::parse(dotted)).unwrap_or(&self.place).clone()
    }
}

/// Everything that was read from one file.
#[derive(Default)]
pub struct Reading {
    pub items: Vec<Item>,
    pub findings: Vec<Finding>,
    /// Texts that may be secrets in clear: never to be shown.
    pub hidden: Vec<Place>,
    /// What variables came to.
    put_in_bytes: usize,
}

pub fn read(file: &SourceFile, parsed: &Parsed, variables: &Variables) -> Reading {
    let mut reading = Reading::default();
    for node in parsed.document.nodes() {
        hide_marked(file, parsed.base, node, &mut reading.hidden);
        match KINDS.iter().find(|kind| kind.name == node.name().value()) {
            Some(kind) => read_item(file, variables, parsed.base, node, kind, &mut reading),
            None => reading.findings.push(expect::unknown_kind(file, parsed.base, node)),
        }
    }
    reading
}

/// What is marked as a secret and is no reference is never shown, wherever it stands: also where nothing is expected.
fn hide_marked(file: &SourceFile, base: usize, node: &kdl::KdlNode, hidden: &mut Vec<Place>) {
    for entry in node.entries().iter().filter(|entry| entry.ty().is_some_and(|mark| mark.value() == "secret"))
    {
        if entry.value().as_string().is_none_or(|text| secret::of_text(text).is_err()) {
            hidden.push(walk::place_of(file, base, entry.span()));
        }
    }
    // As deep as braces may be nested.
    for child in node.children().map(|document| document.nodes()).unwrap_or_default() {
        hide_marked(file, base, child, hidden);
    }
}

fn read_item(
    file: &SourceFile,
    variables: &Variables,
    base: usize,
    node: &kdl::KdlNode,
    kind: &'static Shape,
    reading: &mut Reading,
) {
    let mut walk = Walk::new(file, variables, base, kind, node);
    walk.put_in_bytes = reading.put_in_bytes;
    walk.item(node, kind);
    reading.put_in_bytes = walk.put_in_bytes;
    reading.findings.extend_from_slice(&walk.findings);
    reading.hidden.append(&mut walk.hidden);
    reading.items.extend(walk.finish(kind));
}
