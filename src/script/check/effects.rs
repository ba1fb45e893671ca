//! Calls of effects: the task is allowed them, they exist and take such arguments, and what only looks writes nothing.

use super::facts::Called;
use super::graph::Files;
use crate::finding::{CAPABILITY, Finding, READ_ONLY, SCRIPT_FUNCTION, did_you_mean};
use crate::model::task::Task;
use crate::script::catalogue::{self, Effect, Kind};
use crate::script::evaluate::Function;

pub fn check(files: &Files, task: &Task, subject: &str) -> Vec<Finding> {
    let modules = catalogue::modules();
    let mut findings = Vec::new();
    for (file, call) in files.calls() {
        let [module] = call.namespace.as_slice() else { continue };
        if !modules.contains(&module.as_str()) {
            continue;
        }
        if let Some(finding) = call_finding(module, &call.name, call.args.len(), task, subject) {
            findings.push(finding.at(files.place(file, call.at)));
        }
    }
    for function in [Function::Observe, Function::Check] {
        findings.extend(writes(files, function, subject));
    }
    findings
}

/// What a function that may only look writes or waits for, itself or through others.
fn writes(files: &Files, function: Function, subject: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for id in files.reached(files.root(function.name())) {
        for call in &files.function(id).calls {
            let Some(effect) = effect(call).filter(|effect| effect.kind != Kind::Read) else { continue };
            let does = if effect.kind.writes() { "writes" } else { "waits" };
            let message = format!(
                "`{}` calls `{}::{}`, which {does}; it may only read",
                function.name(),
                effect.module,
                effect.name
            );
            let finding = Finding::new(READ_ONLY, subject, message).at(files.place(id.0, call.at));
            findings.push(finding.help("call it in `apply` or `remove`"));
        }
    }
    findings
}

fn effect(call: &Called) -> Option<&'static Effect> {
    let [module] = call.namespace.as_slice() else { return None };
    catalogue::rows().find(|row| row.module == *module && row.name == call.name)
}

fn call_finding(module: &str, name: &str, args: usize, task: &Task, subject: &str) -> Option<Finding> {
    if !task.allow.contains(module) {
        let message = format!("the script calls `{module}::{name}`, which the task is not allowed");
        return Some(
            Finding::new(CAPABILITY, subject, message).help(format!("add `allow \"{module}\"` to the task")),
        );
    }
    let named: Vec<&Effect> = catalogue::rows().filter(|row| row.module == module).collect();
    let Some(row) = named.iter().find(|row| row.name == name) else {
        let help = match did_you_mean(name, named.iter().map(|row| row.name)) {
            Some(near) => format!("did you mean `{module}::{near}`?"),
            None => {
                format!("`{module}` has {}", named.iter().map(|row| row.name).collect::<Vec<_>>().join(", "))
            }
        };
        return Some(
            Finding::new(SCRIPT_FUNCTION, subject, format!("there is no `{module}::{name}`")).help(help),
        );
    };
    (!(row.least_args()..=row.args.len()).contains(&args)).then(|| {
        Finding::new(SCRIPT_FUNCTION, subject, format!("`{module}::{name}` is called with {args} arguments"))
            .help(format!("write `{}`", row.call()))
    })
}
