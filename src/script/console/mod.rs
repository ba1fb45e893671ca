//! Statements typed one after the other for one node: what each comes to, and what stays between them.
//!
//! A statement never performs an effect, as no script does: it is evaluated against the answers so far, and once more
//! after the next one. So variables are those of its beginning each time, and what it changed counts only when it is
//! done. Values that closures share are parted between statements; otherwise evaluating one again would change them twice.

mod complete;
mod open;

pub use complete::Names;
pub use open::is_open;

use super::closure::{self, Closure};
use super::convert::{ScriptNode, from_dynamic};
use super::fault::ScriptFault;
use super::sandbox;
use super::tape::{Call, EFFECTS_AT_MOST, Recorded, Stop, Tape};
use crate::model::task::Script;
use crate::model::written::in_script;
use rhai::{AST, Dynamic, Engine, Expr, FnPtr, Scope, Stmt};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How errors name the place of what was typed.
pub const FILE: &str = "console";

pub struct Console {
    engine: Engine,
    node: ScriptNode,
    scope: Scope<'static>,
    /// Functions that were defined, closures included, and what was imported.
    kept: AST,
}

/// What a statement comes to.
#[derive(Debug)]
pub enum Spoken {
    /// It is done; its value as scripts write it, nothing for `()`.
    Done(Option<String>),
    Wants(Call),
    Failed(ScriptFault),
}

impl Console {
    /// For `node`; `import` finds every script of the design and the library.
    pub fn new(scripts: &BTreeMap<Arc<str>, Script>, node: ScriptNode) -> Console {
        let files = scripts.iter().map(|(name, script)| (name.clone(), script.text.clone())).collect();
        let engine =
            sandbox::engine(&Arc::new(Closure { main: FILE.into(), files, templates: Default::default() }));
        let scope = with_node(&node, []);
        Console { engine, node, scope, kept: AST::empty() }
    }

    /// Evaluates `statement` against the answers so far. Whatever it changes is kept only when it is done.
    pub fn evaluate(&mut self, statement: &str, recorded: Vec<Recorded>) -> Spoken {
        let script = Script { file: FILE.into(), text: statement.into() };
        let typed = match closure::parse(&self.engine, &script) {
            Ok(typed) => typed,
            Err(error) => return Spoken::Failed(unparsed(&error)),
        };
        let tape = Tape::new(recorded, Arc::default());
        self.engine.set_default_tag(Dynamic::from(tape.clone()));
        let mut program = self.kept.merge(&typed);
        program.set_source(FILE);
        let mut scope = self.parted();
        let result = self.engine.eval_ast_with_scope::<Dynamic>(&mut scope, &program);
        match (tape.take_stop(), result) {
            (Some(Stop::Wants(call)), _) => Spoken::Wants(call),
            (Some(Stop::TooMany), _) => {
                let why = format!("one statement made {EFFECTS_AT_MOST} effects; split it");
                Spoken::Failed(ScriptFault::plain(why))
            }
            (Some(Stop::Diverged { .. } | Stop::Depends { .. }), _) => Spoken::Failed(ScriptFault::plain(
                "the statement takes another way each time it is evaluated",
            )),
            (None, Err(error)) => Spoken::Failed(ScriptFault::from_rhai(&error, FILE, "statement")),
            (None, Ok(value)) => {
                self.keep(&typed, &scope);
                Spoken::Done(written(&value))
            }
        }
    }

    /// What can be named now.
    pub fn names(&self) -> Names {
        let variables = self.scope.iter_raw().map(|(name, ..)| name.to_string());
        let functions = self.kept.iter_functions().map(|function| function.name.to_string());
        let own = variables.chain(functions.filter(|name| !name.contains('$'))).collect();
        Names::new(own, self.node.spec.clone())
    }

    /// The variables as they are, sharing nothing with those that are kept.
    fn parted(&self) -> Scope<'static> {
        with_node(&self.node, latest(&self.scope))
    }

    fn keep(&mut self, typed: &AST, scope: &Scope<'_>) {
        self.scope = with_node(&self.node, latest(scope));
        let imports: String = typed.statements().iter().filter_map(import).collect();
        if let Ok(imports) = self.engine.compile(imports) {
            self.kept = self.kept.merge(&imports);
        }
        if typed.iter_functions().next().is_some() {
            self.kept = self.kept.merge(&typed.clone_functions_only());
        }
    }
}

/// What holds the node.
const NODE: &str = "node";

fn with_node(
    node: &ScriptNode,
    variables: impl IntoIterator<Item = (String, (bool, Dynamic))>,
) -> Scope<'static> {
    let mut scope = Scope::new();
    scope.push_constant_dynamic(NODE, Dynamic::from(node.clone()));
    for (name, (is_constant, value)) in variables {
        match is_constant {
            true => scope.push_constant_dynamic(name, value),
            false => scope.push_dynamic(name, value),
        };
    }
    scope
}

/// Each variable once, and whether it is a constant: a later one of the same name hides the earlier ones, and comes first.
fn latest(scope: &Scope<'_>) -> BTreeMap<String, (bool, Dynamic)> {
    let mut latest = BTreeMap::new();
    for (name, is_constant, value) in scope.iter_raw().filter(|(name, ..)| *name != NODE) {
        latest.entry(name.to_string()).or_insert_with(|| (is_constant, parted(value)));
    }
    latest
}

/// A literal import stays for the statements after it.
fn import(statement: &Stmt) -> Option<String> {
    match statement {
        Stmt::Import(import, _) => match &import.0 {
            Expr::StringConstant(path, _) => Some(format!("import {path:?} as {};", import.1.name)),
            _ => None,
        },
        _ => None,
    }
}

/// The value by itself: nothing in it is shared with another variable.
fn parted(value: &Dynamic) -> Dynamic {
    let value = value.flatten_clone();
    if let Ok(items) = value.as_array_ref() {
        return Dynamic::from_array(items.iter().map(parted).collect());
    }
    if let Ok(map) = value.as_map_ref() {
        return Dynamic::from_map(map.iter().map(|(name, value)| (name.clone(), parted(value))).collect());
    }
    match value.read_lock::<FnPtr>().map(|pointer| pointer.clone()) {
        Some(mut pointer) => {
            // What it captured it may change, and finds so when it is called again.
            let own = |captured: &Dynamic| match captured.is_shared() {
                true => parted(captured).into_shared(),
                false => parted(captured),
            };
            let captured: Vec<Dynamic> = pointer.iter_curry().map(own).collect();
            pointer.set_curry(captured);
            pointer.into()
        }
        None => value,
    }
}

fn written(value: &Dynamic) -> Option<String> {
    match from_dynamic(value) {
        Ok(value) if value.is_null() => None,
        Ok(value) => Some(in_script(&value)),
        Err(_) => Some(format!("({})", value.type_name())),
    }
}

/// A text that cannot be parsed, with its place.
fn unparsed(error: &closure::ClosureError) -> ScriptFault {
    let closure::ClosureError::Syntax { message, position, .. } = error else {
        return ScriptFault::plain(error.to_string());
    };
    let frame = position.line().map(|line| super::fault::Frame {
        function: "statement".into(),
        file: FILE.into(),
        line,
        column: position.position().unwrap_or(1),
    });
    ScriptFault { frames: frame.into_iter().collect(), ..ScriptFault::plain(message.clone()) }
}

#[cfg(test)]
mod tests;
