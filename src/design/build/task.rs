//! A task, typed, with its script.
//!
//! Owns the defaults of tasks and the lookup of scripts; scripts of containers and commands are made in
//! `program_task.rs`. Does not look into scripts: that is `rules/scripts.rs`.

use super::program_task::{self, Does};
use super::{duration, entries, parsed, texts};
use crate::design::catalog::Catalog;
use crate::design::read::Item;
use crate::finding::{Finding, SCRIPT_MISSING, WRONG_TYPE, did_you_mean};
use crate::model::path::Path;
use crate::model::task::{Param, ParamKind, Realized, Script, Task};
use crate::model::value::Value;
use std::sync::Arc;
use std::time::Duration;

/// A boot with firmware checks takes up to ten minutes; a task may need two and some work.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30 * 60);
const DEFAULT_SETTLE: Duration = Duration::from_secs(5 * 60);

/// `None` for a task that does nothing.
pub fn build(item: &Item, catalog: &Catalog, findings: &mut Vec<Finding>) -> Option<Task> {
    let tree = &item.tree;
    let params =
        entries(tree, "params").map(|(name, param)| self::param(item, name, param, findings)).collect();
    let paths = |key| texts(tree, key).map(Path::parse).collect();
    let timeout = duration(tree, "timeout").unwrap_or(DEFAULT_TIMEOUT);
    let does = program_task::does(item, catalog, findings)?;
    let script = match program_task::script(item, &does, timeout) {
        Some(made) => made,
        None => script(item, catalog, findings)?,
    };
    let (capability, image) = match does {
        Does::Script => (None, None),
        Does::Container(image) => (Some(program_task::CONTAINER), Some(image)),
        Does::Command(_) => (Some(program_task::COMMAND), None),
    };
    Some(Task {
        name: item.name.clone(),
        doc: tree.str_at("doc").unwrap_or_default().to_string(),
        script,
        realizes: realizes(tree),
        seeds: paths("seeds"),
        uses: paths("uses"),
        hazard: parsed(tree, "hazard").unwrap_or_default(),
        allow: texts(tree, "allow").chain(capability).map(Arc::from).collect(),
        timeout,
        settle: duration(tree, "settle").unwrap_or(DEFAULT_SETTLE),
        scope: parsed(tree, "scope").unwrap_or_default(),
        params,
        image,
        programs: program_task::programs(item),
        rehearsed: tree.str_at("rehearse") == Some("run"),
        place: item.place.clone(),
    })
}

fn realizes(tree: &Value) -> Vec<Realized> {
    let mut realized = Vec::new();
    for entry in tree.get("realizes").and_then(Value::as_list).unwrap_or_default() {
        let hazard = parsed(entry, "hazard");
        let when = entry.get("when").filter(|value| !value.is_null()).cloned();
        let made = |path| Realized { path: Path::parse(path), hazard, when: when.clone() };
        realized.extend(texts(entry, "paths").map(made));
    }
    realized
}

/// The places where a task's script may be: a name is looked up where its author would put it.
fn script(item: &Item, catalog: &Catalog, findings: &mut Vec<Finding>) -> Option<Script> {
    let name = item.tree.str_at("script")?;
    let standard = item.place.file.starts_with("stdlib/");
    let own = if standard { format!("stdlib/{name}") } else { format!("scripts/{name}") };
    if let Some(script) = [own.as_str(), name].iter().find_map(|file| catalog.scripts.get(*file)) {
        return Some(script.clone());
    }
    if !catalog.broken {
        let known = catalog.scripts.keys().map(|file| file.strip_prefix("scripts/").unwrap_or(file));
        let help = match did_you_mean(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write the script as `{own}`"),
        };
        let message = format!("the script `{name}` is not there");
        findings.push(
            Finding::new(SCRIPT_MISSING, item.subject(), message).at(item.place_of("script")).help(help),
        );
    }
    None
}

fn param(item: &Item, name: &Arc<str>, tree: &Value, findings: &mut Vec<Finding>) -> Param {
    let kind = kind(tree.str_at("type").unwrap_or_default());
    let default = tree.get("default").cloned().unwrap_or_default();
    if !default.is_null() && !fits(kind, &default) {
        let place = item.places.get(&Path(vec!["params".into(), name.clone(), "default".into()]));
        let message = format!("the default of `{name}` is not of type {}", word(kind));
        let finding = Finding::new(WRONG_TYPE, item.subject(), message);
        let place = place.unwrap_or(&item.place).clone();
        findings.push(
            finding.at(place).help(format!("write a value of type {}, or change the type", word(kind))),
        );
    }
    Param {
        name: name.clone(),
        kind,
        required: tree.get("required").and_then(Value::as_bool).unwrap_or_default(),
        default,
        doc: tree.str_at("doc").unwrap_or_default().to_string(),
    }
}

fn kind(word: &str) -> ParamKind {
    match word {
        "int" => ParamKind::Int,
        "float" => ParamKind::Float,
        "bool" => ParamKind::Bool,
        "list" => ParamKind::List,
        "map" => ParamKind::Map,
        _ => ParamKind::Text,
    }
}

/// The word of the language for a kind of parameter.
pub fn word(kind: ParamKind) -> &'static str {
    match kind {
        ParamKind::Text => "string",
        ParamKind::Int => "int",
        ParamKind::Float => "float",
        ParamKind::Bool => "bool",
        ParamKind::List => "list",
        ParamKind::Map => "map",
    }
}

/// Whether a value of a design may stand for a parameter of that kind.
pub fn fits(kind: ParamKind, value: &Value) -> bool {
    match kind {
        ParamKind::Text => matches!(value, Value::Text(_) | Value::Secret(_)),
        ParamKind::Int => matches!(value, Value::Int(_)),
        ParamKind::Float => matches!(value, Value::Float(_) | Value::Int(_)),
        ParamKind::Bool => matches!(value, Value::Bool(_)),
        ParamKind::List => matches!(value, Value::List(_)),
        ParamKind::Map => matches!(value, Value::Map(_)),
    }
}
