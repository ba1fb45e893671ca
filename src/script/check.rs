//! What can be said of a task's script without running it: syntax, imports, functions, capabilities.
//!
//! Finds everything in one go. Whether the capabilities that a task allows exist is a rule of the design.

use super::catalogue::{self, Effect};
use super::closure::{self, ClosureError};
use super::evaluate::Function;
use super::fault::place;
use crate::finding::{
    self, CAPABILITY, Finding, SCRIPT_FUNCTION, SCRIPT_IMPORT, SCRIPT_SYNTAX, did_you_mean,
};
use crate::model::task::{Script, Task};
use rhai::{AST, ASTNode, Expr, Stmt};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Every fault of `task`'s script and of what it imports.
pub fn check(task: &Task, scripts: &BTreeMap<Arc<str>, Script>) -> Vec<Finding> {
    let subject = format!("task \"{}\"", task.name);
    let reach = closure::reach(&task.script, scripts);
    let mut findings: Vec<Finding> =
        reach.errors.iter().map(|error| closure_finding(error, &subject, task, scripts)).collect();
    for (script, ast) in &reach.parsed {
        if script.file == task.script.file {
            findings.extend(functions(ast, script, &subject));
        }
        findings.extend(calls(ast, script, task, &subject));
    }
    findings
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

fn functions(ast: &AST, script: &Script, subject: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in Function::ALL.map(Function::name) {
        let wrong = ast
            .iter_functions()
            .find(|signature| signature.name == name && !(1..=2).contains(&signature.params.len()));
        if let Some(signature) = wrong {
            let message = format!("`{name}` has {} parameters", signature.params.len());
            findings.push(
                Finding::new(SCRIPT_FUNCTION, subject, message)
                    .at(definition(script, name))
                    .help(format!("write `fn {name}(node)` or `fn {name}(node, params)`")),
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

/// Where the text defines the function; Rhai keeps no places of signatures.
fn definition(script: &Script, name: &str) -> finding::Place {
    let text = &script.text;
    let found = text.match_indices(name).find(|(at, _)| {
        let before = &text[..*at];
        let bare = before.trim_end();
        bare.len() < before.len() && bare.ends_with("fn")
    });
    match found {
        Some((at, _)) => finding::Place::at(&script.file, text, at, name.len()),
        None => finding::Place::whole(&script.file),
    }
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
    (!(row.least_args()..=row.args.len()).contains(&args)).then(|| {
        Finding::new(SCRIPT_FUNCTION, subject, format!("`{module}::{name}` is called with {args} arguments"))
            .help(format!("write `{}`", row.call()))
    })
}
