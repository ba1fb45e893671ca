//! One document of the ancestor, read field by field, so that every field is either taken or reported.
//!
//! Owns that nothing is passed over in silence: what nobody takes is a note. Values of the wrong form go over as they
//! are, for the design's own rules to judge, wherever the language has a place for them.

use crate::import::kdl::{Element, Value};
use crate::import::report::Report;
use crate::import::source::Source;
use crate::import::yaml::Node;
use crate::model::imported::{Mark, NoteKind};
use std::sync::Arc;

const UNKNOWN: &str = "this field is not known";

/// A document with its name.
pub struct Document<'a> {
    pub source: &'a Source,
    pub report: &'a Report,
    /// Such as `drydock/Rack/v1 rack1`.
    pub subject: Arc<str>,
    pub schema: &'a str,
    pub name: &'a str,
    pub name_at: &'a Node,
    pub data: Option<&'a Node>,
}

impl<'a> Document<'a> {
    pub fn mark(&self, node: &Node) -> Mark {
        Mark { document: self.subject.clone(), place: node.place(self.source) }
    }

    /// Where the name stands.
    pub fn name_mark(&self) -> Mark {
        self.mark(self.name_at)
    }

    pub fn note(&self, kind: NoteKind, at: &Node, field: &str, why: impl Into<String>) {
        self.report.note(kind, at.place(self.source), &self.subject, field.to_string(), why.into());
    }

    pub fn fields(&'a self) -> Fields<'a> {
        match self.data {
            Some(data) => Field { document: self, path: String::new(), node: data }.fields(),
            None => Fields { document: self, path: String::new(), rest: Vec::new() },
        }
    }

    /// The value at a path of its data, without taking it.
    pub fn peek(&self, path: &[&str]) -> Option<&'a Node> {
        path.iter().try_fold(self.data?, |node, key| node.get(key)).filter(|node| !node.is_null())
    }
}

/// The fields of a map that nobody has taken yet.
pub struct Fields<'a> {
    pub document: &'a Document<'a>,
    path: String,
    rest: Vec<&'a (Node, Node)>,
}

impl<'a> Fields<'a> {
    /// Takes a field. Null says nothing.
    pub fn take(&mut self, key: &str) -> Option<Field<'a>> {
        let at = self.rest.iter().position(|(held, _)| held.text() == Some(key))?;
        let (_, node) = self.rest.remove(at);
        Some(Field { document: self.document, path: joined(&self.path, key), node })
            .filter(|field| !field.node.is_null())
    }

    /// Takes a scalar.
    pub fn scalar(&mut self, key: &str) -> Option<Field<'a>> {
        let field = self.take(key)?;
        match field.node.text() {
            Some(_) => Some(field),
            None => {
                field.dropped("a single value was expected");
                None
            }
        }
    }

    /// Takes a map's fields; none when there is no such map.
    pub fn inner(&mut self, key: &str) -> Fields<'a> {
        match self.take(key) {
            Some(field) => field.fields(),
            None => Fields { document: self.document, path: String::new(), rest: Vec::new() },
        }
    }

    pub fn list(&mut self, key: &str) -> Vec<Field<'a>> {
        self.take(key).map(|field| field.list()).unwrap_or_default()
    }

    /// Takes the entries of a map whose keys are names.
    pub fn named(&mut self, key: &str) -> Vec<(&'a str, Field<'a>)> {
        self.take(key).map(|field| field.named()).unwrap_or_default()
    }

    /// Reports what is left.
    pub fn finish(self) {
        for (key, node) in &self.rest {
            let path = joined(&self.path, key.text().unwrap_or_default());
            let at = if node.is_null() { key } else { node };
            self.document.note(NoteKind::Dropped, at, &path, UNKNOWN);
        }
    }
}

/// A value with the path to it.
#[derive(Clone)]
pub struct Field<'a> {
    pub document: &'a Document<'a>,
    pub path: String,
    pub node: &'a Node,
}

impl<'a> Field<'a> {
    pub fn text(&self) -> &'a str {
        self.node.text().unwrap_or_default()
    }

    pub fn mark(&self) -> Mark {
        self.document.mark(self.node)
    }

    pub fn dropped(&self, why: impl Into<String>) {
        self.document.note(NoteKind::Dropped, self.node, &self.path, why);
    }

    pub fn changed(&self, why: impl Into<String>) {
        self.document.note(NoteKind::Changed, self.node, &self.path, why);
    }

    pub fn fields(self) -> Fields<'a> {
        let rest = match self.node.map() {
            Some(entries) => entries.iter().collect(),
            None => {
                self.dropped("a map was expected");
                Vec::new()
            }
        };
        Fields { document: self.document, path: self.path, rest }
    }

    pub fn list(self) -> Vec<Field<'a>> {
        let Some(items) = self.node.list() else {
            self.dropped("a list was expected");
            return Vec::new();
        };
        let numbered = items.iter().enumerate();
        numbered
            .map(|(index, node)| Field { path: format!("{}.{index}", self.path), node, ..self.clone() })
            .collect()
    }

    /// The scalars of a list, or of a text with commas.
    pub fn texts(self) -> Vec<Field<'a>> {
        let items = if self.node.text().is_some() { vec![self] } else { self.list() };
        let (scalars, others): (Vec<_>, Vec<_>) =
            items.into_iter().partition(|item| item.node.text().is_some());
        others.iter().for_each(|item| item.dropped("a text was expected"));
        scalars
    }

    pub fn named(self) -> Vec<(&'a str, Field<'a>)> {
        let Some(entries) = self.node.map() else {
            self.dropped("a map was expected");
            return Vec::new();
        };
        let field = |key: &'a str, node| Field { path: joined(&self.path, key), node, ..self.clone() };
        entries.iter().filter_map(|(key, node)| Some((key.text()?, field(key.text()?, node)))).collect()
    }

    /// A number where it is one, in quotes or not.
    pub fn number(&self) -> Value {
        self.text().parse().map_or_else(|_| self.text().into(), Value::Int)
    }

    /// A truth where it is one.
    pub fn truth(&self) -> Value {
        self.node.truth().map_or_else(|| self.text().into(), Value::Bool)
    }

    /// A truth or a number where it is one and has no quotes.
    pub fn scalar(&self) -> Value {
        let number = || self.node.number().map(Value::Int);
        self.node.truth().map(Value::Bool).or_else(number).unwrap_or_else(|| self.text().into())
    }

    /// The KDL node `name VALUE`.
    pub fn element(&self, name: &str, value: impl Into<Value>) -> Element {
        Element::new(name).at(self.mark()).arg(value)
    }
}

/// `name TEXT`, if the field is there.
pub fn text(into: &mut Element, field: Option<Field<'_>>, name: &str) {
    if let Some(field) = field {
        into.add(field.element(name, field.text()));
    }
}

/// `name NUMBER`, if the field is there.
pub fn number(into: &mut Element, field: Option<Field<'_>>, name: &str) {
    if let Some(field) = field {
        into.add(field.element(name, field.number()));
    }
}

/// `name "a" "b"`, if there are any.
pub fn list(into: &mut Element, fields: &[Field<'_>], name: &str) {
    if let Some(first) = fields.first() {
        let element = Element::new(name).at(first.mark());
        into.add(fields.iter().fold(element, |it, field| it.arg(field.text()).from(field.mark())));
    }
}

/// `name "KEY" "VALUE"` for each entry. What the ancestor removes from a parent, with null or `!`, is removed.
pub fn keyed(into: &mut Element, entries: Vec<(&str, Field<'_>)>, name: &str) {
    for (key, field) in entries {
        let removed = key.starts_with('!') || field.node.is_null();
        let element = Element::new(name).at(field.mark()).arg(key.trim_start_matches('!'));
        match (removed, field.node.text()) {
            (true, _) => into.add(element.arg(Value::Null)),
            (false, Some(text)) => into.add(element.arg(text)),
            (false, None) => field.dropped("a single value was expected"),
        }
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_string() } else { format!("{path}.{key}") }
}
