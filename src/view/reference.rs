//! The reference of tasks, blueprints and effects: for terminals, as Markdown, and for programs.
//!
//! Markdown and terminal are two renderings of the same rows, so that neither can say more than the other.

use super::words::value;
use crate::model::blueprint::{Blueprint, Step};
use crate::model::hazard::Aim;
use crate::model::reference::{EffectReference, ModuleReference, Reference, ValueReference};
use crate::model::task::{Realized, Task};
use crate::units;
use serde_json::{Value as Json, json};
use std::fmt::{Display, Write};

/// The format number of `task docs --json`.
const FORMAT: u32 = 1;

/// Headings, and rows as long.
type Table = (Vec<&'static str>, Vec<Vec<String>>);

/// What a thing is, then what is said of it, then its tables.
struct Entry {
    title: String,
    doc: String,
    facts: Vec<(&'static str, String)>,
    tables: Vec<Table>,
    example: String,
}

/// The whole reference as Markdown.
pub fn markdown(reference: &Reference) -> String {
    let mut text = String::from(INTRODUCTION);
    for (section, entries) in sections(reference) {
        let _ = write!(text, "\n## {section}\n");
        if section == "Effects" {
            text += KINDS;
        }
        for entry in entries {
            let _ = write!(text, "\n### `{}`\n\n{}\n", entry.title, entry.doc);
            if !entry.facts.is_empty() {
                text.push('\n');
                for (word, what) in &entry.facts {
                    let _ = writeln!(text, "- {word}: {what}");
                }
            }
            for (head, rows) in &entry.tables {
                let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
                let head: Vec<String> = head.iter().map(ToString::to_string).collect();
                let _ = write!(text, "\n{}|{}\n", line(&head), "---|".repeat(head.len()));
                rows.iter().for_each(|row| text += &line(row));
            }
            if !entry.example.is_empty() {
                let _ = write!(text, "\n```rhai\n{}\n```\n", entry.example);
            }
        }
    }
    text.trim_end().to_string()
}

const INTRODUCTION: &str = "# Reference

Every task, blueprint and effect, as `rackwright task docs --markdown` prints it; do not edit it by hand.
[README.md](README.md) says how to write and test a task.
";

const KINDS: &str = "
Everything that touches the world. A task calls the modules that its `allow` names. *read* is safe at any time; *ensure*
looks first and does nothing when what it wants is so; *once* must not be repeated: when nobody knows whether it happened,
the step is in doubt and a person decides; *wait* unloads the script until an event or a time. *within* is the longest that
one performance may take; a wait is bounded by its own argument besides. A value that could not be read is *unknown*,
whatever its shape.
";

/// The same for a terminal.
pub fn human(reference: &Reference) -> String {
    let mut text = String::new();
    for (section, entries) in sections(reference) {
        for entry in entries {
            let kind = section.trim_end_matches('s').to_lowercase();
            let _ = writeln!(text, "{kind} {}\n  {}", entry.title, entry.doc);
            for (word, what) in &entry.facts {
                let _ = writeln!(text, "  {word}: {}", plain(what));
            }
            for (head, rows) in &entry.tables {
                for row in rows {
                    let cells = head.iter().zip(row).skip(1).filter(|(_, cell)| !cell.is_empty());
                    let cells: Vec<String> = cells.map(|(_, cell)| plain(cell)).collect();
                    let first = row.first().map(|cell| plain(cell)).unwrap_or_default();
                    let _ = writeln!(text, "    {} {first}: {}", head[0], cells.join(", "));
                }
            }
            if !entry.example.is_empty() {
                let _ = writeln!(text, "  example: {}", entry.example);
            }
            text.push('\n');
        }
    }
    text.trim_end().to_string()
}

fn plain(text: &str) -> String {
    text.replace('`', "")
}

fn sections(reference: &Reference) -> Vec<(&'static str, Vec<Entry>)> {
    let effects =
        reference.modules.iter().flat_map(|module| module.effects.iter().map(move |it| effect(module, it)));
    let sections = vec![
        ("Tasks", reference.tasks.iter().map(|it| task(it)).collect()),
        ("Blueprints", reference.blueprints.iter().map(|it| blueprint(it)).collect()),
        ("Effects", effects.collect::<Vec<Entry>>()),
    ];
    sections.into_iter().filter(|(_, entries)| !entries.is_empty()).collect()
}

fn code(text: impl Display) -> String {
    format!("`{text}`")
}

fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(code).collect::<Vec<_>>().join(", ")
}

fn task(task: &Task) -> Entry {
    let facts = [
        ("is about", if task.aim == Aim::Site { "the site".into() } else { String::new() }),
        ("makes true", task.realizes.iter().map(realized).collect::<Vec<_>>().join(", ")),
        ("used when it is made", list(&task.seeds)),
        ("reads", list(&task.uses)),
        ("hazard", task.hazard.to_string()),
        ("scope", task.scope.to_string()),
        ("may call", list(&task.allow)),
        ("within", units::short(task.timeout)),
        ("settles within", units::short(task.settle)),
        ("script", code(&task.script.file)),
    ];
    let rows: Vec<Vec<String>> = task
        .params
        .iter()
        .map(|param| {
            let default = match (param.required, param.default.is_null()) {
                (true, _) => "required".into(),
                (false, true) => "left open".into(),
                (false, false) => code(value(&param.default)),
            };
            vec![code(&param.name), param.kind.word().into(), default, param.doc.clone()]
        })
        .collect();
    let outputs: Vec<Vec<String>> =
        task.outputs.iter().map(|output| vec![code(&output.name), output.doc.clone()]).collect();
    let tables = [(vec!["parameter", "type", "default", "is"], rows), (vec!["leaves", "is"], outputs)];
    let tables = tables.into_iter().filter(|(_, rows)| !rows.is_empty()).collect();
    let facts = facts.into_iter().filter(|(_, what)| !what.is_empty()).collect();
    Entry { title: task.name.to_string(), doc: task.doc.clone(), facts, tables, example: String::new() }
}

fn realized(realized: &Realized) -> String {
    let path = code(&realized.path);
    match (&realized.hazard, &realized.when) {
        (Some(hazard), Some(when)) => {
            format!("{path} (hazard {hazard} when it is to become {})", value(when))
        }
        (Some(hazard), None) => format!("{path} (hazard {hazard})"),
        _ => path,
    }
}

fn blueprint(blueprint: &Blueprint) -> Entry {
    let head = vec!["step", "task", "phase", "after", "tried again"];
    let rows = blueprint.steps.iter().map(step).collect();
    Entry {
        title: blueprint.name.to_string(),
        doc: blueprint.doc.clone(),
        facts: Vec::new(),
        tables: vec![(head, rows)],
        example: String::new(),
    }
}

fn step(step: &Step) -> Vec<String> {
    let again = match step.retry.count {
        0 => "never".into(),
        count => format!("{count} times, first after {}", units::short(step.retry.backoff)),
    };
    vec![code(&step.name), code(&step.task), step.phase.to_string(), list(&step.after), again]
}

fn effect(module: &ModuleReference, effect: &EffectReference) -> Entry {
    let args = effect.args.iter().filter(|arg| arg.shape != "node");
    let mut tables = Vec::new();
    let rows: Vec<Vec<String>> =
        args.flat_map(|arg| std::iter::once(named(arg)).chain(arg.fields.iter().map(named))).collect();
    if !rows.is_empty() {
        tables.push(table("argument", rows));
    }
    if !effect.returns.fields.is_empty() {
        tables.push(table("answer", effect.returns.fields.iter().map(named).collect()));
    }
    let answers = if effect.returns.shape == "()" { "nothing".into() } else { code(&effect.returns.shape) };
    let facts = [
        ("kind", effect.kind.clone()),
        ("within", units::short(effect.within)),
        ("answers", answers),
        ("made of", list(&effect.made_of)),
    ];
    Entry {
        title: call(module, effect),
        doc: effect.doc.clone(),
        facts: facts.into_iter().filter(|(_, what)| !what.is_empty()).collect(),
        tables,
        example: effect.example.clone(),
    }
}

/// Names with their shapes, and what they are where anything is said of one.
fn table(word: &'static str, mut rows: Vec<Vec<String>>) -> Table {
    let mut head = vec![word, "shape", "is"];
    if rows.iter().all(|row| row.last().is_some_and(String::is_empty)) {
        head.pop();
        rows.iter_mut().for_each(|row| drop(row.pop()));
    }
    (head, rows)
}

fn call(module: &ModuleReference, effect: &EffectReference) -> String {
    let names: Vec<String> = effect
        .args
        .iter()
        .map(|arg| format!("{}{}", arg.name, if arg.optional { "?" } else { "" }))
        .collect();
    format!("{}::{}({})", module.name, effect.name, names.join(", "))
}

fn named(value: &ValueReference) -> Vec<String> {
    let name = format!("{}{}", value.name, if value.optional { "?" } else { "" });
    vec![code(name), code(&value.shape), value.doc.clone()]
}

/// `{format, tasks, blueprints, modules}`.
pub fn as_json(reference: &Reference) -> Json {
    let tasks: Vec<Json> = reference
        .tasks
        .iter()
        .map(|task| {
            json!({
                "name": task.name,
                "doc": task.doc,
                "script": task.script.file,
                "realizes": task.realizes,
                "seeds": task.seeds,
                "uses": task.uses,
                "hazard": task.hazard,
                "scope": task.scope,
                "allow": task.allow,
                "timeout": units::short(task.timeout),
                "settle": units::short(task.settle),
                "params": task.params,
            })
        })
        .collect();
    json!({
        "format": FORMAT,
        "tasks": tasks,
        "blueprints": reference.blueprints,
        "modules": reference.modules,
    })
}
