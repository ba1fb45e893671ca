//! What the schema did not expect: unknown names, surplus, repeated and missing parts.
//!
//! Owns these findings and their suggestions, all derived from the shape at hand.

use super::walk::{Keys, Walk, place_of};
use crate::design::kinds::KINDS;
use crate::design::schema::{Shape, Slot, Type};
use crate::design::source::SourceFile;
use crate::finding::{
    Finding, MISSING_VALUE, Place, REPEATED, UNEXPECTED_ARGUMENT, UNKNOWN_NODE, UNKNOWN_PROPERTY, WRONG_TYPE,
    did_you_mean,
};
use kdl::{KdlEntry, KdlNode};
use std::collections::HashMap;

/// What stood in a KDL node already, and where.
#[derive(Default)]
pub struct Seen {
    first: HashMap<String, Place>,
}

impl Seen {
    /// The earlier place of the same name, if any.
    pub fn insert(&mut self, name: &str, place: Place) -> Option<Place> {
        if let Some(first) = self.first.get(name) {
            return Some(first.clone());
        }
        self.first.insert(name.to_string(), place);
        None
    }

    pub fn has(&self, name: &str) -> bool {
        self.first.contains_key(name)
    }
}

pub fn unknown_kind(file: &SourceFile, base: usize, node: &KdlNode) -> Finding {
    let name = node.name().value();
    let help = match did_you_mean(name, KINDS.iter().map(|kind| kind.name)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the kinds are {}", listed(KINDS.iter().map(|kind| kind.name))),
    };
    Finding::new(
        UNKNOWN_NODE,
        format!("file `{}`", file.name),
        format!("`{name}` is not a kind of the language"),
    )
    .at(place_of(file, base, node.name().span()))
    .help(help)
}

impl Walk<'_> {
    pub fn unknown_child(&mut self, child: &KdlNode, parent: &KdlNode, shape: &Shape) {
        let (name, parent) = (child.name().value(), parent.name().value());
        let place = self.place(child.name().span());
        let children: Vec<&str> = shape.each_child().map(|inner| inner.name).collect();
        let help = if shape.property(name).is_some() {
            format!("write it as a property: {parent} … {name}=…")
        } else if let Some(near) = did_you_mean(name, children.iter().copied()) {
            format!("did you mean `{near}`?")
        } else if children.is_empty() {
            format!("`{parent}` has nothing in braces")
        } else {
            format!("`{parent}` may hold {}", listed(children))
        };
        self.find(UNKNOWN_NODE, format!("`{name}` has no meaning in `{parent}`"), place, help);
    }

    pub fn unknown_property(&mut self, entry: &KdlEntry, name: &str, place: Place, shape: &Shape) {
        let near = did_you_mean(name, shape.properties.iter().map(|slot| slot.name));
        // A misspelt password is still a password.
        if near.and_then(|near| shape.property(near)).is_some_and(|slot| slot.kind == Type::Secret) {
            self.hidden.push(self.place(entry.span()));
        }
        let help = if shape.child(name).is_some() {
            format!("write it in braces: {{ {name} … }}")
        } else if let Some(near) = near {
            format!("did you mean `{near}`?")
        } else if shape.pattern {
            format!("a variable stands in the block's name as well, as {{{name}}}")
        } else if shape.properties.is_empty() {
            format!("`{}` has no properties", shape.name)
        } else {
            format!(
                "the properties of `{}` are {}",
                shape.name,
                listed(shape.properties.iter().map(|slot| slot.name))
            )
        };
        self.find(UNKNOWN_PROPERTY, format!("`{name}` is not a property of `{}`", shape.name), place, help);
    }

    pub fn surplus(&mut self, node: &KdlNode, entry: &KdlEntry, shape: &Shape) {
        let name = node.name().value();
        let count = shape.arguments.len();
        let message = match count {
            0 => format!("`{name}` takes no value here"),
            1 => format!("`{name}` takes one value"),
            _ => format!("`{name}` takes {count} values"),
        };
        self.find(UNEXPECTED_ARGUMENT, message, self.place(entry.span()), "remove this value");
    }

    pub fn datum_body(&mut self, node: &KdlNode, slots: &[Slot], keys: &Keys) {
        let name = node.name().value();
        self.no_annotation(node);
        let mut values = node.entries().iter();
        match values.next() {
            Some(entry) if entry.name().is_none() => self.entry(entry, &slots[0], keys),
            Some(entry) => {
                let place = self.place(entry.span());
                self.find(
                    UNKNOWN_PROPERTY,
                    format!("`{name}` has no properties"),
                    place,
                    "write its value alone",
                );
            }
            None => self.missing_argument(node, &slots[0]),
        }
        for entry in values {
            let place = self.place(entry.span());
            self.find(UNEXPECTED_ARGUMENT, format!("`{name}` takes one value"), place, "remove this value");
        }
        for child in node.children().map(|document| document.nodes()).unwrap_or_default() {
            let place = self.place(child.name().span());
            self.find(UNKNOWN_NODE, format!("`{name}` takes one value and nothing else"), place, "remove it");
        }
    }

    pub fn no_annotation(&mut self, node: &KdlNode) {
        if let Some(annotation) = node.ty() {
            let place = self.place(annotation.span());
            let message =
                format!("`({})` before `{}` has no meaning", annotation.value(), node.name().value());
            self.find(WRONG_TYPE, message, place, "remove it");
        }
    }

    pub fn repeated(&mut self, name: &str, place: Place, first: &Place) {
        let message = format!("`{name}` stands here again; the first is at {first}");
        self.find(REPEATED, message, place, "keep one of the two");
    }

    pub fn missing_argument(&mut self, node: &KdlNode, slot: &Slot) {
        let name = node.name().value();
        let message = format!("`{name}` lacks its value `{}`", slot.name);
        self.find(MISSING_VALUE, message, self.place(node.name().span()), format!("write {name} \"…\""));
    }

    pub fn missing_property(&mut self, node: &KdlNode, slot: &Slot) {
        let message = format!("`{}` lacks the property `{}`", node.name().value(), slot.name);
        self.find(MISSING_VALUE, message, self.place(node.name().span()), format!("write {}=…", slot.name));
    }

    pub fn missing_child(&mut self, node: &KdlNode, shape: &Shape) {
        let message = format!("`{}` lacks `{}`", node.name().value(), shape.name);
        self.find(
            MISSING_VALUE,
            message,
            self.place(node.name().span()),
            format!("write {{ {} … }}", shape.name),
        );
    }
}

/// `a`, `b`, `c` in backticks.
fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
