//! What can be said of a task's script without running it: syntax, imports, functions, names, capabilities, and which
//! parts of the spec it reads.
//!
//! Finds everything in one go. Whether the capabilities that a task allows exist, and whether the parts of the spec do,
//! are rules of the design. A doubtful case is no finding: a script that runs must never be refused.

mod effects;
mod facts;
mod functions;
mod graph;
mod names;

use super::catalogue;
use super::closure::{self, ClosureError};
use super::fault::place;
use crate::finding::{self, Finding, Place, SCRIPT_IMPORT, SCRIPT_SYNTAX};
use crate::model::task::{Script, Task};
use facts::Facts;
use graph::{File, Files};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a script says of itself.
#[derive(Debug, Default)]
pub struct Reading {
    pub findings: Vec<Finding>,
    /// The parts of the node's spec that the script reads by their names, as it writes them: `hardware.boot_mode`.
    pub spec: Vec<SpecRead>,
    /// Capabilities that the task allows and no script of it uses; none where a script could not be read.
    pub unused: Vec<Arc<str>>,
}

/// One part of the spec that is read, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpecRead {
    pub keys: Vec<String>,
    pub place: Place,
}

/// Every fault of `task`'s script and of what it imports.
pub fn check(task: &Task, scripts: &BTreeMap<Arc<str>, Script>) -> Vec<Finding> {
    read(task, scripts).findings
}

/// The same, with what the rules of the design judge.
pub fn read(task: &Task, scripts: &BTreeMap<Arc<str>, Script>) -> Reading {
    let subject = format!("task \"{}\"", task.name);
    let reach = closure::reach(&task.script, scripts);
    let mut findings: Vec<Finding> =
        reach.errors.iter().map(|error| closure_finding(error, &subject, task, scripts)).collect();
    if let Some((script, ast)) = reach.parsed.iter().find(|(script, _)| script.file == task.script.file) {
        findings.extend(functions::check(ast, script, &subject));
    }
    let is_whole = reach.errors.is_empty();
    let files =
        reach.parsed.into_iter().map(|(script, ast)| File { facts: Facts::of(&ast), script }).collect();
    let files = Files { files, main: task.script.file.clone() };
    findings.extend(effects::check(&files, task, &subject));
    findings.extend(names::check(&files, &subject));
    let unused = if is_whole { unused(&files, task) } else { Vec::new() };
    Reading { findings, spec: files.spec_reads(), unused }
}

/// Variables that a script uses and nobody declares, each once: what an example takes from elsewhere.
#[cfg(test)]
pub fn unknown_variables(file: &Arc<str>, text: &str) -> BTreeSet<String> {
    let script = Script { file: file.clone(), text: text.into() };
    let parsed = closure::reach(&script, &BTreeMap::new()).parsed;
    let facts = parsed.iter().map(|(_, ast)| Facts::of(ast));
    facts
        .flat_map(|facts| facts.functions)
        .flat_map(|function| function.unknown)
        .map(|(name, _)| name)
        .collect()
}

fn unused(files: &Files, task: &Task) -> Vec<Arc<str>> {
    let used: BTreeSet<&str> =
        files.calls().filter_map(|(_, call)| Some(call.namespace.first()?.as_str())).collect();
    let known = catalogue::modules();
    let is_idle = |name: &&Arc<str>| known.contains(&&***name) && !used.contains(&***name);
    task.allow.iter().filter(is_idle).cloned().collect()
}

fn closure_finding(
    error: &ClosureError,
    subject: &str,
    task: &Task,
    scripts: &BTreeMap<Arc<str>, Script>,
) -> Finding {
    let (file, position) = error.place();
    let text = if *file == task.script.file { Some(&task.script) } else { scripts.get(file) };
    let (code, help) = match error {
        ClosureError::Syntax { .. } => (SCRIPT_SYNTAX, "correct the script; the language is Rhai"),
        ClosureError::Missing { .. } => (
            SCRIPT_IMPORT,
            "`import \"x\"` is `scripts/x.rhai` of the design, `import \"std/x\"` is the standard library's",
        ),
        ClosureError::Computed { .. } => (SCRIPT_IMPORT, "write the path of an import as plain text"),
        ClosureError::TooMany { .. } => (SCRIPT_IMPORT, "split the task"),
        ClosureError::Circle { .. } => {
            (SCRIPT_IMPORT, "move what both need into a file that imports neither")
        }
        ClosureError::TooLong { .. } => (SCRIPT_SYNTAX, "split the file; scripts import one another"),
        ClosureError::Refused { refusal, .. } => (SCRIPT_SYNTAX, refusal.help),
    };
    let at = text.map_or_else(|| finding::Place::whole(file), |script| place(file, &script.text, position));
    Finding::new(code, subject, error.to_string()).at(at).help(help)
}
