//! The reference, from the catalogue of effects and from the tasks and blueprints of a design.

use crate::design::compile;
use crate::model::reference::{EffectReference, ModuleReference, Reference, ValueReference};
use crate::model::revision::{Revision, SourceTree};
use crate::model::site::Site;
use crate::script::catalogue::{self, Effect, Field, Shape};
use crate::script::stdlib;
use std::collections::BTreeMap;

/// Tasks, blueprints and every effect; those of the design itself before those of the library.
pub fn of(site: &Site) -> Reference {
    let is_standard = |file: &str| file.starts_with("stdlib/");
    let mut tasks: Vec<_> = site.tasks.values().cloned().collect();
    tasks.sort_by_key(|task| (is_standard(&task.place.file), task.name.clone()));
    let mut blueprints: Vec<_> = site.blueprints.values().cloned().collect();
    blueprints.sort_by_key(|blueprint| (is_standard(&blueprint.place.file), blueprint.name.clone()));
    Reference { tasks, blueprints, modules: modules() }
}

/// That of the standard library alone, which needs no design.
pub fn standard() -> Reference {
    let revision = Revision { source: "stdlib".into(), revision: String::new(), digest: String::new() };
    let design: &[u8] = b"site \"standard\" { }";
    let files = BTreeMap::from([("site.kdl".into(), design.into())]);
    let tree = SourceTree { revision, files, payloads: None, root: None };
    compile(&tree, &stdlib::tree())
        .site
        .map_or_else(|| Reference { modules: modules(), ..Reference::default() }, |site| of(&site))
}

/// Every effect that there is.
pub fn modules() -> Vec<ModuleReference> {
    let of = |name: &str| catalogue::rows().filter(|row| row.module == name).map(effect).collect();
    catalogue::modules()
        .into_iter()
        .map(|name| ModuleReference { name: name.into(), effects: of(name) })
        .collect()
}

fn effect(row: &Effect) -> EffectReference {
    EffectReference {
        name: row.name.into(),
        kind: row.kind.word().into(),
        doc: row.doc.into(),
        args: row.args.iter().map(|arg| value(arg.name, &arg.shape, arg.optional, "")).collect(),
        returns: value("", &row.returns, false, ""),
        within: row.deadline,
        example: row.example.into(),
        made_of: row.made_of.iter().map(|name| name.replace('.', "::")).collect(),
    }
}

fn value(name: &str, shape: &Shape, optional: bool, doc: &str) -> ValueReference {
    let mut parts = Vec::new();
    fields("", shape, &mut parts);
    ValueReference {
        name: name.into(),
        shape: shape.written(),
        script_type: script_type(shape).into(),
        optional,
        doc: doc.into(),
        fields: parts,
    }
}

/// Every name that the effect knows, at any depth.
fn fields(path: &str, shape: &Shape, found: &mut Vec<ValueReference>) {
    match shape {
        Shape::Record(names) => names.iter().for_each(|field| add_field(path, field, found)),
        Shape::Maybe(inner) | Shape::List(inner) | Shape::Map(inner) => fields(path, inner, found),
        _ => {}
    }
}

fn add_field(path: &str, field: &Field, found: &mut Vec<ValueReference>) {
    let name = if path.is_empty() { field.name.to_string() } else { format!("{path}.{}", field.name) };
    let is_deep = matches!(field.shape, Shape::Record(_));
    found.push(ValueReference {
        name: name.clone(),
        shape: if is_deep { "#{…}".into() } else { field.shape.written() },
        script_type: script_type(&field.shape).into(),
        optional: field.optional,
        doc: field.doc.into(),
        fields: Vec::new(),
    });
    fields(&name, &field.shape, found);
}

/// The type of the language that comes nearest.
fn script_type(shape: &Shape) -> &'static str {
    match shape {
        Shape::Nothing => "()",
        Shape::Node => "node",
        Shape::Bool => "bool",
        Shape::Int => "int",
        Shape::Text | Shape::Duration | Shape::Word(_) => "String",
        Shape::Secret | Shape::Any | Shape::Maybe(_) => "?",
        Shape::List(_) => "Array",
        Shape::Map(_) | Shape::Record(_) => "Map",
    }
}
