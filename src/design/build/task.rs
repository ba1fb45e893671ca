//! A task, typed, with its script.
//!
//! Owns the defaults of tasks and the lookup of scripts; scripts of containers and commands are made in
//! `program_task.rs`. Does not look into scripts: that is `rules/scripts.rs`.

use super::program_task::{self, Does};
use super::{duration, entries, param, parsed, texts};
use crate::design::catalog::Catalog;
use crate::design::load::TEMPLATES;
use crate::design::read::Item;
use crate::finding::{Finding, SCRIPT_MISSING, TEMPLATE, did_you_mean};
use crate::model::path::Path;
use crate::model::task::{Output, Realized, Script, Task, Template};
use crate::model::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A boot with firmware checks takes up to ten minutes; a task may need two and some work.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30 * 60);
const DEFAULT_SETTLE: Duration = Duration::from_secs(5 * 60);

/// What the reference says of the output that every container and command task has.
const RESULT_DOC: &str = "what the program answered";

/// `None` for a task that does nothing.
pub fn build(item: &Item, catalog: &Catalog, findings: &mut Vec<Finding>) -> Option<Task> {
    let tree = &item.tree;
    let params = param::all(item, findings);
    let declared = entries(tree, "outputs").map(|(name, tree)| Output {
        name: name.clone(),
        doc: tree.str_at("doc").unwrap_or_default().to_string(),
    });
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
    // What a container or a command answers is there for later steps.
    let result = capability.map(|_| Output { name: program_task::RESULT.into(), doc: RESULT_DOC.into() });
    let outputs: Vec<Output> = declared.chain(result).collect();
    let implied = capability.into_iter().chain(capability.map(|_| "output"));
    Some(Task {
        name: item.name.clone(),
        doc: tree.str_at("doc").unwrap_or_default().to_string(),
        aim: parsed(tree, "target").unwrap_or_default(),
        script,
        realizes: realizes(tree),
        seeds: paths("seeds"),
        uses: paths("uses"),
        hazard: parsed(tree, "hazard").unwrap_or_default(),
        allow: texts(tree, "allow").chain(implied).map(Arc::from).collect(),
        timeout,
        settle: duration(tree, "settle").unwrap_or(DEFAULT_SETTLE),
        scope: parsed(tree, "scope").unwrap_or_default(),
        params,
        outputs,
        templates: templates(item, catalog, findings),
        secrets: secrets(tree),
        image,
        programs: program_task::programs(item),
        rehearsed: tree.str_at("rehearse") == Some("run"),
        place: item.place.clone(),
    })
}

fn secrets(tree: &Value) -> BTreeMap<Arc<str>, Arc<str>> {
    let reference = |value: &Value| match value {
        Value::Secret(reference) => Some(reference.clone()),
        _ => None,
    };
    entries(tree, "secrets").filter_map(|(name, value)| Some((name.clone(), reference(value)?))).collect()
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

/// The templates that a task names, as texts that can be read as templates.
fn templates(item: &Item, catalog: &Catalog, findings: &mut Vec<Finding>) -> Vec<Template> {
    let folder = if item.place.file.starts_with("stdlib/") { "stdlib/" } else { TEMPLATES };
    let mut read = Vec::new();
    for (index, name) in texts(&item.tree, "templates").enumerate() {
        match template(name, folder, catalog) {
            Ok(template) => read.push(template),
            Err((message, help)) => {
                let place = item.place_of(&format!("templates.{index}"));
                findings.push(Finding::new(TEMPLATE, item.subject(), message).at(place).help(help));
            }
        }
    }
    read
}

/// What is wrong, and the way out.
fn template(name: &str, folder: &str, catalog: &Catalog) -> Result<Template, (String, String)> {
    let file = format!("{folder}{name}");
    let Some((file, bytes)) = catalog.templates.get_key_value(file.as_str()) else {
        let known = catalog.templates.keys().filter_map(|known| known.strip_prefix(folder));
        let help = match did_you_mean(name, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write the template as `{file}`"),
        };
        return Err((format!("the template `{file}` is not there"), help));
    };
    let unusable = |why: String| (why, format!("correct `{file}`; the language is Jinja"));
    let text = std::str::from_utf8(bytes).map_err(|_| unusable(format!("`{file}` is no UTF-8 text")))?;
    crate::template::check(name, text).map_err(|error| unusable(error.to_string()))?;
    Ok(Template { name: name.into(), file: file.clone(), text: text.into() })
}
