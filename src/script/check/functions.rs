//! The functions that the engine calls: they are there, and take what they are called with.

use crate::finding::{self, Finding, SCRIPT_FUNCTION};
use crate::model::task::Script;
use crate::script::evaluate::Function;
use crate::script::scripted;
use rhai::AST;

pub fn check(ast: &AST, script: &Script, subject: &str) -> Vec<Finding> {
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
    for test in ast.iter_functions().filter(|it| scripted::is_test(it.name) && it.params.len() != 1) {
        let message = format!("`{}` has {} parameters", test.name, test.params.len());
        findings.push(
            Finding::new(SCRIPT_FUNCTION, subject, message)
                .at(definition(script, test.name))
                .help(format!("write `fn {}(world)`", test.name)),
        );
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
