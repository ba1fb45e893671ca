//! The documents of a site, by kind and name, and what a profile or node has from its parents.
//!
//! Owns the sorting of YAML documents into the ancestor's, and inheritance as far as the importer itself must know it;
//! what is written keeps the parents.

use super::document::Document;
use crate::finding::{Finding, IMPORT_DOCUMENT};
use crate::import::report::Report;
use crate::import::source::Source;
use crate::import::yaml::{Node, shortened};
use crate::model::imported::NoteKind;
use std::collections::BTreeMap;
use std::sync::Arc;

/// More parents than this are a circle, which the design's own rules report.
const DEEPEST: usize = 64;

/// What the ancestor keeps of every document for itself.
const KEPT: &[&str] = &["schema", "storagePolicy", "labels"];

pub const KINDS: &[&str] = &[
    "Region",
    "NetworkLink",
    "Rack",
    "Network",
    "HostProfile",
    "HardwareProfile",
    "BaremetalNode",
    "BootAction",
];

#[derive(Default)]
pub struct Documents<'a> {
    all: Vec<Document<'a>>,
    by_name: BTreeMap<(&'a str, &'a str), usize>,
}

impl<'a> Documents<'a> {
    /// Takes the documents of one file.
    pub fn take(&mut self, source: &'a Source, roots: &'a [Node], report: &'a Report) {
        let before = self.all.len();
        for root in roots.iter().filter(|root| !root.is_null()) {
            if let Some(document) = self::document(source, root, report) {
                let key = (kind_of(document.schema), document.name);
                self.by_name.entry(key).or_insert(self.all.len());
                self.all.push(document);
            }
        }
        let count = self.all.len() - before;
        if count > 0 {
            let subject: Arc<str> = format!("{} ({count} documents)", source.name).into();
            let fields = KEPT.iter().map(|field| format!("metadata.{field}")).collect::<Vec<_>>().join(", ");
            let why = "how Deckhand keeps its documents; a design is kept in git";
            report.note(NoteKind::Dropped, source.place(0, 0), &subject, fields, why.into());
        }
    }

    pub fn get(&self, kind: &str, name: &str) -> Option<&Document<'a>> {
        self.by_name.get(&(kind, name)).map(|at| &self.all[*at])
    }

    /// Those of one kind, in the order in which they are written.
    pub fn of(&self, kind: &'static str) -> impl Iterator<Item = &Document<'a>> {
        self.all.iter().filter(move |document| kind_of(document.schema) == kind)
    }

    pub fn hosts(&self) -> impl Iterator<Item = &Document<'a>> {
        self.of("HostProfile").chain(self.of("BaremetalNode"))
    }

    pub fn all(&self) -> impl Iterator<Item = &Document<'a>> {
        self.all.iter()
    }

    /// The nearest value at a path, in a profile or node or its parents.
    pub fn inherited(&self, host: &Document<'a>, path: &[&str]) -> Option<&'a Node> {
        self.inherited_from(host, path).map(|(_, node)| node)
    }

    /// The same with the document that says it.
    pub fn inherited_from<'s>(
        &'s self,
        host: &'s Document<'a>,
        path: &[&str],
    ) -> Option<(&'s Document<'a>, &'a Node)> {
        let mut here = host;
        for _ in 0..DEEPEST {
            if let Some(node) = here.peek(path) {
                return Some((here, node));
            }
            let parent = here.peek(&["host_profile"])?.text()?;
            here = self.get("HostProfile", parent)?;
        }
        None
    }
}

/// `drydock/Rack/v1` is a Rack.
pub fn kind_of(schema: &str) -> &str {
    schema.split('/').nth(1).unwrap_or_default()
}

fn document<'a>(source: &'a Source, root: &'a Node, report: &'a Report) -> Option<Document<'a>> {
    let refuse = |at: &Node, message: String, help: &str| {
        let finding = Finding::new(IMPORT_DOCUMENT, format!("file `{}`", source.name), message);
        report.find(finding.at(at.place(source)).help(help));
        None
    };
    const FORM: &str = "write `schema: drydock/KIND/v1`, `metadata: {name: …}` and `data:`";
    if root.map().is_none() {
        return refuse(root, "this is no document of a site: it is no map".into(), FORM);
    }
    let Some(schema) = root.get("schema").and_then(Node::text) else {
        return refuse(root, "this document has no schema".into(), FORM);
    };
    let name_at = root.get("metadata").and_then(|metadata| metadata.get("name"));
    let name = name_at.and_then(Node::text).filter(|name| !name.is_empty());
    let known = schema.starts_with("drydock/") && schema.ends_with("/v1") && KINDS.contains(&kind_of(schema));
    let subject: Arc<str> =
        format!("{} {}", shortened(schema), shortened(name.unwrap_or("(no name)"))).into();
    if !known {
        let why = "a design has no place for documents of this schema";
        report.note(NoteKind::Dropped, root.place(source), &subject, "schema".into(), why.into());
        return None;
    }
    let Some((name_at, name)) = name_at.zip(name) else {
        return refuse(
            root,
            format!("this document of schema `{schema}` has no name"),
            "write `metadata: {name: …}`",
        );
    };
    let data = root.get("data").filter(|data| !data.is_null());
    let document = Document { source, report, subject, schema, name, name_at, data };
    match is_abstract(root) {
        true => {
            let why = "an abstract layer: import the documents that Deckhand renders from it";
            document.note(NoteKind::Dropped, name_at, "metadata.layeringDefinition.abstract", why);
            None
        }
        false => {
            rest(&document, root);
            Some(document)
        }
    }
}

fn is_abstract(root: &Node) -> bool {
    let flag = |metadata: &Node| metadata.get("layeringDefinition")?.get("abstract")?.truth();
    root.get("metadata").and_then(flag) == Some(true)
}

/// What stands beside name and data.
fn rest(document: &Document<'_>, root: &Node) {
    let beside = root.map().unwrap_or_default().iter();
    for (key, value) in
        beside.filter(|(key, _)| !["schema", "metadata", "data"].contains(&key.text().unwrap_or("")))
    {
        document.note(NoteKind::Dropped, value, key.text().unwrap_or_default(), "this field is not known");
    }
    let metadata = root.get("metadata").and_then(Node::map).unwrap_or_default();
    for (key, value) in metadata {
        let key = key.text().unwrap_or_default();
        let why = match key {
            "name" => continue,
            key if KEPT.contains(&key) => continue,
            "layeringDefinition" | "substitutions" => {
                "Deckhand renders it: what it would put in is not in the design unless the documents are rendered"
            }
            _ => "this field is not known",
        };
        document.note(NoteKind::Dropped, value, &format!("metadata.{key}"), why);
    }
}
