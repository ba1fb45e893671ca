//! What a script asks for by name: templates and secrets, which its task has to declare.
//!
//! Only names that are written as plain texts are known before a script runs; the others are looked up when it does.

use super::closure;
use super::fault::place;
use crate::finding::{Finding, NOT_DECLARED, did_you_mean};
use crate::model::task::{Script, Task};
use rhai::{AST, ASTNode, Expr, FnCallExpr, Stmt};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Every name that the task's script, or what it imports, asks for and the task does not declare.
pub fn check(task: &Task, scripts: &BTreeMap<Arc<str>, Script>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (script, ast) in &closure::reach(&task.script, scripts).parsed {
        asked(ast, &mut |call, name, position| {
            if let Some(finding) = undeclared(task, call, name) {
                findings.push(finding.at(place(&script.file, &script.text, position)));
            }
        });
    }
    findings
}

/// Every call of a function of a module whose first argument is a plain text.
fn asked(ast: &AST, found: &mut dyn FnMut(&FnCallExpr, &str, rhai::Position)) {
    ast.walk(&mut |nodes: &[ASTNode]| {
        let call = match nodes.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) => call,
            _ => return true,
        };
        if let Some(Expr::StringConstant(name, position)) = call.args.first() {
            found(call, name, *position);
        }
        true
    });
}

fn undeclared(task: &Task, call: &FnCallExpr, name: &str) -> Option<Finding> {
    let module = call.namespace.path.first()?.name.as_str();
    let (declared, line): (Vec<&str>, String) = match (module, call.name.as_str()) {
        ("template", "file") => {
            let names = task.templates.iter().map(|template| &*template.name);
            (names.collect(), format!("template \"{name}\""))
        }
        ("secret", "get") => {
            let names = task.secrets.keys().map(|name| &**name);
            (names.collect(), format!("secret \"{name}\" (secret)\"env:…\""))
        }
        _ => return None,
    };
    if declared.contains(&name) {
        return None;
    }
    let help = match did_you_mean(name, declared) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("add `{line}` to the task"),
    };
    let message = format!("the script asks for the {module} `{name}`, which the task does not declare");
    Some(Finding::new(NOT_DECLARED, format!("task \"{}\"", task.name), message).help(help))
}
