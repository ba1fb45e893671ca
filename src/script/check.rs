//! What can be said of a task's script without running it: syntax, imports, functions, capabilities.

use super::catalogue::{self, Effect};
use super::closure::{self, Closure, ClosureError};
use super::evaluate::Function;
use super::fault::place;
use super::sandbox;
use crate::finding::{
    self, CAPABILITY, Finding, SCRIPT_FUNCTION, SCRIPT_IMPORT, SCRIPT_SYNTAX, did_you_mean,
};
use crate::model::task::{Script, Task};
use rhai::{AST, ASTNode, Expr, Stmt};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Every fault of `task`'s script and of what it imports.
pub fn check(task: &Task, scripts: &BTreeMap<Arc<str>, Script>) -> Vec<Finding> {
    let subject = format!("task `{}`", task.name);
    let mut findings = capabilities_exist(task, &subject);
    let closure = match Closure::of(&task.script, scripts) {
        Ok(closure) => closure,
        Err(error) => {
            findings.push(closure_finding(&error, &subject, task, scripts));
            return findings;
        }
    };
    let engine = sandbox::bare();
    for (file, text) in &closure.files {
        let script = Script { file: file.clone(), text: text.clone() };
        if let Ok(ast) = closure::parse(&engine, &script) {
            if *file == closure.main {
                findings.extend(functions(&ast, &script, &subject));
            }
            findings.extend(calls(&ast, &script, task, &subject));
        }
    }
    findings
}

fn capabilities_exist(task: &Task, subject: &str) -> Vec<Finding> {
    let modules = catalogue::modules();
    task.allow
        .iter()
        .filter(|name| !modules.contains(&&***name))
        .map(|name| {
            let help = match did_you_mean(name, modules.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the capabilities are {}", modules.join(", ")),
            };
            Finding::new(CAPABILITY, subject, format!("there is no capability `{name}`"))
                .at(task.place.clone())
                .help(help)
        })
        .collect()
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
    };
    let at = text.map_or_else(|| finding::Place::whole(file), |script| place(file, &script.text, position));
    Finding::new(code, subject, error.to_string()).at(at).help(help)
}

fn functions(ast: &AST, script: &Script, subject: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for function in Function::ALL {
        let wrong = ast.iter_functions().find(|signature| {
            signature.name == function.name() && !(1..=2).contains(&signature.params.len())
        });
        if let Some(signature) = wrong {
            let message = format!("`{}` has {} parameters", function.name(), signature.params.len());
            findings.push(
                Finding::new(SCRIPT_FUNCTION, subject, message)
                    .at(finding::Place::whole(&script.file))
                    .help(format!("write `fn {0}(node)` or `fn {0}(node, params)`", function.name())),
            );
        }
    }
    if !ast.iter_functions().any(|signature| signature.name == Function::Apply.name()) {
        findings.push(
            Finding::new(SCRIPT_FUNCTION, subject, format!("`{}` has no function `apply`", script.file))
                .at(finding::Place::whole(&script.file))
                .help("write `fn apply(node) { … }`"),
        );
    }
    findings
}

/// Calls into built-in modules that the task is not allowed, or that do not exist.
fn calls(ast: &AST, script: &Script, task: &Task, subject: &str) -> Vec<Finding> {
    let modules = catalogue::modules();
    let mut findings = Vec::new();
    ast.walk(&mut |nodes: &[ASTNode]| {
        let (call, position) = match nodes.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, position))) => (call, *position),
            Some(ASTNode::Stmt(Stmt::FnCall(call, position))) => (call, *position),
            _ => return true,
        };
        let Some(module) = call.namespace.path.first() else { return true };
        let module = module.name.as_str();
        if !modules.contains(&module) {
            return true;
        }
        let at = place(&script.file, &script.text, position);
        if let Some(finding) = call_finding(module, &call.name, call.args.len(), task, subject) {
            findings.push(finding.at(at));
        }
        true
    });
    findings
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
    (row.args.len() != args).then(|| {
        let wanted: Vec<&str> = row.args.iter().map(|arg| arg.name).collect();
        Finding::new(SCRIPT_FUNCTION, subject, format!("`{module}::{name}` is called with {args} arguments"))
            .help(format!("write `{module}::{name}({})`", wanted.join(", ")))
    })
}
