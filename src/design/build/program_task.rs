//! Tasks that are a container or a command: each is given a script of its own, so that everything else in them is as in
//! any other task.
//!
//! Owns the text of these scripts and the images and programs that they name. Performs nothing and looks into no image.

use super::{duration, entries, texts};
use crate::design::catalog::Catalog;
use crate::design::read::Item;
use crate::finding::{CONTAINER_IMAGE, Finding, TASK_ACTION, did_you_mean};
use crate::model::image::{DOCKERFILE, FOLDERS, Image};
use crate::model::task::Script;
use crate::model::value::Value;
use crate::units;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// The capability that each of the two brings.
pub const CONTAINER: &str = "container";
pub const COMMAND: &str = "command";

/// What runs for longer belongs into a service; the effects have the same bound.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Words of a task that belong to some of its kinds only.
const WORDS: &[(&str, &[&str])] = &[
    ("playbook", &[COMMAND]),
    ("args", &[CONTAINER, COMMAND]),
    ("environment", &[CONTAINER, COMMAND]),
    ("network", &[CONTAINER]),
    ("limits.cpus", &[CONTAINER]),
    ("limits.memory", &[CONTAINER]),
    ("limits.pids", &[CONTAINER]),
    ("limits.time", &[CONTAINER, COMMAND]),
    ("reveal-secrets", &[CONTAINER, COMMAND]),
    ("rehearse", &[CONTAINER, COMMAND]),
];

/// The output that takes what the program answered.
pub const RESULT: &str = "result";

/// What a task does.
pub enum Does {
    /// A script that somebody wrote, by its name.
    Script,
    Container(Image),
    Command(Arc<str>),
}

/// The one thing that the task does; `None`, with findings, when it says none, several, or one that is not there.
pub fn does(item: &Item, catalog: &Catalog, findings: &mut Vec<Finding>) -> Option<Does> {
    let said: Vec<&str> =
        ["script", CONTAINER, COMMAND].into_iter().filter(|key| item.tree.str_at(key).is_some()).collect();
    let wrong = |key: &str, message: String, help: &str| {
        Finding::new(TASK_ACTION, item.subject(), message).at(item.place_of(key)).help(help)
    };
    let [kind] = said.as_slice() else {
        let message = match said.as_slice() {
            [] => "the task does nothing".to_string(),
            several => format!("the task has {} at once", several.join(" and ")),
        };
        // What is missing may only seem to be.
        if !(said.is_empty() && item.faulty) {
            let help = "write one of script=\"NAME.rhai\", container=\"IMAGE\" and command=\"PROGRAM\"";
            findings.push(wrong(said.get(1).unwrap_or(&""), message, help));
        }
        return None;
    };
    for (word, kinds) in WORDS.iter().filter(|(word, kinds)| is_said(item, word) && !kinds.contains(kind)) {
        let of = kinds.iter().map(|kind| format!("{kind}=")).collect::<Vec<_>>().join(" and ");
        let message = format!("`{}` has no meaning for a task with {kind}=", word.replace('.', " "));
        findings.push(wrong(word, message, &format!("leave it out; it belongs to tasks with {of}")));
    }
    match *kind {
        CONTAINER => image(item, catalog, findings).map(Does::Container),
        COMMAND => {
            missing_playbook(item, catalog, findings);
            item.tree.str_at(COMMAND).map(|program| Does::Command(program.into()))
        }
        _ => Some(Does::Script),
    }
}

fn is_said(item: &Item, dotted: &str) -> bool {
    let value = dotted.split('.').try_fold(&item.tree, |tree, key| tree.get(key));
    value.is_some_and(|value| !value.is_null())
}

fn image(item: &Item, catalog: &Catalog, findings: &mut Vec<Finding>) -> Option<Image> {
    let word = item.tree.str_at(CONTAINER)?;
    let mut wrong = |message: String, help: String| {
        let finding = Finding::new(CONTAINER_IMAGE, item.subject(), message).at(item.place_of(CONTAINER));
        findings.push(finding.help(help));
    };
    if let Some(name) = word.strip_prefix(FOLDERS) {
        let path = word.trim_end_matches('/');
        if let Some((path, folder)) = catalog.folders.get_key_value(path) {
            return Some(Image::Folder { path: path.clone(), digest: folder.digest.as_str().into() });
        }
        if !catalog.broken {
            let near = did_you_mean(path, catalog.folders.keys().map(|key| &**key));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            let help = help.unwrap_or_else(|| {
                format!("write a {DOCKERFILE} into the design's folder `{FOLDERS}{name}`")
            });
            wrong(format!("there is no folder `{word}` with a {DOCKERFILE}"), help);
        }
        return None;
    }
    if word.starts_with("files/") {
        let present = catalog.payloads.as_ref();
        if present.is_some_and(|present| !present.contains(word)) {
            let near = did_you_mean(word, present.into_iter().flatten().map(|key| &**key));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            let help = help.unwrap_or_else(|| "put the archive there, as `docker save` writes it".into());
            wrong(format!("the image archive `{word}` is not there"), help);
            return None;
        }
    }
    let image = Image::of_word(word).filter(|image| !matches!(image, Image::Folder { .. }));
    if image.is_none() {
        let name = word.split('@').next().unwrap_or(word);
        wrong(
            format!("the image `{word}` is not pinned to its digest"),
            format!(
                "write it as NAME@sha256:DIGEST; `podman pull {name}` and then `podman image inspect --format '{{{{.RepoDigests}}}}' {name}` print it"
            ),
        );
    }
    image
}

fn missing_playbook(item: &Item, catalog: &Catalog, findings: &mut Vec<Finding>) {
    let (Some(playbook), Some(present)) = (item.tree.str_at("playbook"), &catalog.payloads) else { return };
    if !present.contains(playbook) {
        let near = did_you_mean(playbook, present.iter().map(|key| &**key));
        let help = near.map(|near| format!("did you mean `{near}`?"));
        let help = help.unwrap_or_else(|| "write it as `files/NAME.yml`, and put it there".into());
        let finding =
            Finding::new(TASK_ACTION, item.subject(), format!("the playbook `{playbook}` is not there"));
        findings.push(finding.at(item.place_of("playbook")).help(help));
    }
}

/// The programs that the task may run.
pub fn programs(item: &Item) -> BTreeSet<Arc<str>> {
    texts(&item.tree, "programs").chain(item.tree.str_at(COMMAND)).map(Arc::from).collect()
}

/// The script that does what the task says.
pub fn script(item: &Item, does: &Does, timeout: Duration) -> Option<Script> {
    let tree = &item.tree;
    let args: Vec<String> = texts(tree, "args").map(str::to_string).collect();
    let call = match does {
        Does::Script => return None,
        Does::Container(image) => {
            let mut options = vec![("image", quoted(&image.word()))];
            if !args.is_empty() {
                options.push(("args", list(&args)));
            }
            options.extend(common(tree, timeout));
            options.extend(tree.str_at("network").map(|word| ("network", quoted(word))));
            options.extend(tree.str_at("limits.memory").map(|word| ("memory", quoted(word))));
            options.extend(["cpus", "pids"].into_iter().filter_map(|name| {
                let number = tree.get("limits")?.get(name)?.as_int()?;
                Some((name, number.to_string()))
            }));
            format!("container::run(node, {})", map(&options))
        }
        Does::Command(program) => {
            let args = list(&[playbook_args(tree), args].concat());
            format!("command::run(node, {}, {args}, {})", quoted(program), map(&common(tree, timeout)))
        }
    };
    let file: Arc<str> = format!("made/{}.rhai", item.name).into();
    let text = format!(
        "// What `{}` says, as a script.\nfn apply(node, params) {{\n    output::set(\"{RESULT}\", {call}.result);\n}}\n",
        item.place.file
    );
    Some(Script { file, text: text.into() })
}

/// What Ansible is told besides what the task says: the node, its parameters as extra variables, and the playbook.
fn playbook_args(tree: &Value) -> Vec<String> {
    let Some(playbook) = tree.str_at("playbook") else { return Vec::new() };
    let own = ["--inventory", "{inventory}", "--limit", "{node}", "--extra-vars", "@{extra_vars}"];
    own.into_iter().map(str::to_string).chain([format!("{{design}}/{playbook}")]).collect()
}

fn common(tree: &Value, timeout: Duration) -> Vec<(&'static str, String)> {
    let time = duration(tree, "limits.time").unwrap_or(timeout).min(timeout).min(LONGEST);
    let mut options = vec![("params", "params".to_string()), ("time", quoted(&units::short(time)))];
    let env: Vec<(&str, String)> = entries(tree, "environment")
        .filter_map(|(name, value)| Some((&**name, quoted(value.as_str()?))))
        .collect();
    if !env.is_empty() {
        options.push(("env", map(&env)));
    }
    if tree.get("reveal-secrets").and_then(Value::as_bool) == Some(true) {
        options.push(("secrets", "true".into()));
    }
    options.extend(tree.str_at("rehearse").map(|word| ("rehearse", quoted(word))));
    options
}

fn list(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
}

fn map(entries: &[(&str, String)]) -> String {
    let entries = entries.iter().map(|(name, value)| format!("{}: {value}", quoted(name)));
    format!("#{{ {} }}", entries.collect::<Vec<_>>().join(", "))
}

/// A text as Rhai writes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for one in text.chars() {
        match one {
            '"' | '\\' => quoted.extend(['\\', one]),
            one if one.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(one));
            }
            one => quoted.push(one),
        }
    }
    quoted.push('"');
    quoted
}
