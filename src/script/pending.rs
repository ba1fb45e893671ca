//! Answers that nobody knows yet, inside a script that is traced.
//!
//! Owns the rule that a trace never guesses: a script may hand such an answer on, look into it, and write it into a
//! text that goes straight to an effect. Whatever else it does with it could send it another way, and ends the trace
//! at that place.

use super::catalogue;
use super::convert::PendingValue;
use super::tape::{CallPlace, Tape};
use crate::model::value::pending_text;
use rhai::{AST, ASTNode, Dynamic, Engine, EvalAltResult, Expr, NativeCallContext, Position, Stmt};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How Rhai's errors name the type.
const TYPE: &str = "an answer that is not known yet";

/// Whether an error of the engine is about an answer that is not known yet: it wanted another type.
pub fn is_about(message: &str) -> bool {
    message.contains(TYPE) || message.contains(std::any::type_name::<PendingValue>()) || message == LOOP
}

/// What the engine says of a loop over something else than a list, without naming it.
const LOOP: &str = "For loop expects iterable type";

/// Operators that take two values.
const OPERATORS: &[&str] = &["==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "&", "|", "^"];

/// Functions that look at what a value is, or at the shape of anything.
const LOOKS_AT_TYPES: &[&str] = &["type_of", "is_unknown"];

type Ended = Result<Dynamic, Box<EvalAltResult>>;

pub fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<PendingValue>(TYPE)
        .register_indexer_get(|pending: &mut PendingValue, name: &str| part(pending, name))
        .register_indexer_get(|pending: &mut PendingValue, index: i64| part(pending, index))
        .register_fn("to_string", |context: NativeCallContext, pending: &mut PendingValue| {
            carried(&context, pending)
        });
    for operator in OPERATORS {
        engine
            .register_fn(*operator, |context: NativeCallContext, left: PendingValue, _: Dynamic| {
                depends(&context, &left)
            })
            .register_fn(*operator, |context: NativeCallContext, _: Dynamic, right: PendingValue| {
                depends(&context, &right)
            })
            .register_fn(*operator, |context: NativeCallContext, left: PendingValue, _: PendingValue| {
                depends(&context, &left)
            });
    }
}

fn part(pending: &PendingValue, name: impl std::fmt::Display) -> PendingValue {
    PendingValue(format!("{}.{name}", pending.0).into())
}

/// Ends the trace: what the script does next depends on the answer.
fn depends(context: &NativeCallContext, pending: &PendingValue) -> Ended {
    let position = context.call_position();
    if let Some(tape) = tape(context) {
        tape.depend(pending.0.clone(), place(context, position));
    }
    Err(Box::new(EvalAltResult::ErrorTerminated(Dynamic::UNIT, position)))
}

/// In a text that goes straight to an effect the answer is carried along; elsewhere nobody knows where the text goes.
fn carried(context: &NativeCallContext, pending: &mut PendingValue) -> String {
    let at = place(context, context.call_position());
    if let Some(tape) = tape(context)
        && !at.as_ref().is_some_and(|at| tape.carries(at))
    {
        tape.depend(pending.0.clone(), at);
    }
    pending_text(&pending.0)
}

fn tape(context: &NativeCallContext) -> Option<Tape> {
    context.tag()?.clone().try_cast::<Tape>()
}

pub fn place(context: &NativeCallContext, position: Position) -> Option<CallPlace> {
    of(context.call_source()?, position)
}

fn of(file: &str, position: Position) -> Option<CallPlace> {
    Some(CallPlace { file: file.into(), line: position.line()?, column: position.position().unwrap_or(1) })
}

/// What can be said of a script's text before it is traced.
#[derive(Debug, Default)]
pub struct Reading {
    /// The parts of texts that are written right into the arguments of an effect.
    pub carried: Arc<BTreeSet<CallPlace>>,
    /// It decides by what a value is without comparing it: there a trace would go on in one of two ways, silently.
    pub is_uncertain: bool,
}

impl Reading {
    pub fn of<'a>(parsed: impl IntoIterator<Item = (&'a str, &'a AST)>) -> Reading {
        let modules = catalogue::modules();
        let (mut carried, mut is_uncertain) = (BTreeSet::new(), false);
        for (file, ast) in parsed {
            ast.walk(&mut |nodes: &[ASTNode]| {
                let call = match nodes.last() {
                    Some(ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) => call,
                    Some(ASTNode::Expr(Expr::MethodCall(call, _))) => call,
                    Some(ASTNode::Stmt(Stmt::Switch(..))) => {
                        is_uncertain = true;
                        return true;
                    }
                    _ => return true,
                };
                is_uncertain |= LOOKS_AT_TYPES.contains(&call.name.as_str());
                let module = call.namespace.path.first().map(|name| name.name.as_str());
                if module.is_some_and(|module| modules.contains(&module)) {
                    carried.extend(call.args.iter().flat_map(|arg| parts(file, arg)));
                }
                true
            });
        }
        Reading { carried: Arc::new(carried), is_uncertain }
    }
}

/// The places of what stands between `${` and `}` of a text.
fn parts(file: &str, argument: &Expr) -> Vec<CallPlace> {
    match argument {
        Expr::InterpolatedString(parts, _) => {
            parts.iter().filter_map(|part| of(file, part.position())).collect()
        }
        _ => Vec::new(),
    }
}
