//! Every way out of the sandbox that Rhai offers, tried from a script; each fails cleanly.
//!
//! Tables of scripts and of what each must come to. A script runs on a thread with the stack of the product's own; a panic
//! or an overflow ends the test. What the worst of them take in memory is measured in `tests/script_memory.rs`.

mod effects;
mod growth;
mod language;
mod leaving;
mod names;
mod outside;
mod stack;

use super::closure::Closure;
use super::convert::ScriptNode;
use super::evaluate::{Function, Program, Turn};
use super::tape::{Call, Recorded};
use crate::model::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What tokio gives its blocking threads, on which scripts run.
const STACK_BYTES: usize = 2 << 20;

/// What a script must come to.
#[derive(Clone, Copy, Debug)]
enum Ends {
    /// It is refused before it runs, with these words.
    Refused(&'static str),
    /// It fails, with these words; what begins with `at ` is the end.
    Failed(&'static str),
    /// It returns this value, as JSON.
    Done(&'static str),
    /// It asks for this effect first.
    Wants(&'static str),
}

/// A script in files: the task's own, then others behind lines of `==== NAME`.
fn closure(text: &str) -> Closure {
    let main: Arc<str> = "scripts/t.rhai".into();
    let mut parts = text.split("==== ");
    let own = parts.next().unwrap();
    let own = if own.contains("fn apply") { own.into() } else { format!("fn apply(node) {{ {own} }}") };
    let mut files = BTreeMap::from([(main.clone(), own.into())]);
    files.extend(
        parts.map(|part| part.split_once('\n').unwrap()).map(|(name, text)| (name.into(), text.into())),
    );
    Closure { main, files, templates: Default::default() }
}

fn node() -> ScriptNode {
    ScriptNode { name: "n1".into(), spec: Value::map([("power", Value::text("on"))]) }
}

fn program(text: &str) -> Program {
    Program::compile(closure(text)).unwrap()
}

fn turn(text: &str, recorded: Vec<Recorded>) -> Turn {
    program(text).evaluate(Function::Apply, &node(), &Value::empty_map(), recorded)
}

fn answered(call: &Call, answer: Value) -> Recorded {
    Recorded {
        effect: call.effect.full_name().into(),
        args_digest: call.args_value().digest().into(),
        answer: Ok(answer),
    }
}

/// What a script comes to, in words.
fn said(text: &str) -> String {
    match Program::compile(closure(text)) {
        Err(error) => format!("refused: {error}"),
        Ok(program) => match program.evaluate(Function::Apply, &node(), &Value::empty_map(), Vec::new()) {
            Turn::Done(value) => format!("done: {value}"),
            Turn::Failed(fault) => format!("failed: {fault}"),
            Turn::Wants(call) => format!("wants: {}", call.effect.full_name()),
            other => format!("{other:?}"),
        },
    }
}

/// Does something on a thread like the product's.
fn as_in_the_product<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        thread.unwrap().join().unwrap()
    })
}

#[track_caller]
fn all_end(table: &[(&str, Ends)]) {
    let mut complaints = Vec::new();
    for (script, ends) in table {
        let said = as_in_the_product(|| said(script));
        let fits = match ends {
            Ends::Refused(words) => said.starts_with("refused: ") && said.contains(words),
            Ends::Failed(words) if words.starts_with("at ") => {
                said.starts_with("failed: ") && said.ends_with(words)
            }
            Ends::Failed(words) => said.starts_with("failed: ") && said.contains(words),
            Ends::Done(json) => said == format!("done: {json}"),
            Ends::Wants(effect) => said == format!("wants: {effect}"),
        };
        if !fits {
            complaints.push(format!("{script}\n   must be {ends:?}\n   but {said}"));
        }
        let names_its_place = said.contains("scripts/") || !said.starts_with("failed: ");
        if !names_its_place {
            complaints.push(format!("{script}\n   fails at no place: {said}"));
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
