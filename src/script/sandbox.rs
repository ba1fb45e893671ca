//! The engine that scripts run in: chosen packages, written limits, and the catalogue as modules.
//!
//! No clock, no randomness, no files, no network, no `eval`, no `print`. Imports resolve only to
//! the closure that the engine was made for.

use super::catalogue::{self, Effect, Shape};
use super::closure::{self, Closure};
use super::convert::{ScriptNode, SecretRef, UnknownValue, from_dynamic, to_dynamic};
use super::fault::FAILED_EFFECT;
use super::limits::{
    CALL_LEVELS, EXPRESSION_DEPTH, FUNCTION_EXPRESSION_DEPTH, FUNCTIONS, LIST_ITEMS, MAP_ENTRIES, MODULES,
    TEXT_BYTES, VARIABLES,
};
use super::meter;
use super::natives;
use super::pending::{self, place};
use super::tape::{CallPlace, Tape};
use crate::model::value::Value;
use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage,
    BasicMathPackage, BasicStringPackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{Dynamic, Engine, EvalAltResult, FuncRegistration, Module, NativeCallContext, Position};
use std::sync::{Arc, LazyLock};

/// Words of the language that reach outside or around the sandbox; a script that uses one does not parse.
/// `curry` and `this` keep or hand on values where nothing counts them.
const FORBIDDEN: &[&str] = &["eval", "print", "debug", "curry", "this"];

/// An engine for one closure.
pub fn engine(closure: &Arc<Closure>) -> Engine {
    let mut engine = bare();
    engine.set_module_resolver(closure::Resolver(closure.clone()));
    engine
}

/// The engine that parses: one for all scripts, because making one costs more than parsing does.
pub fn parser() -> &'static Engine {
    static PARSER: LazyLock<Engine> = LazyLock::new(bare);
    &PARSER
}

/// An engine that resolves no imports.
fn bare() -> Engine {
    let mut engine = Engine::new_raw();
    ArithmeticPackage::new().register_into_engine(&mut engine);
    LogicPackage::new().register_into_engine(&mut engine);
    BasicMathPackage::new().register_into_engine(&mut engine);
    BasicArrayPackage::new().register_into_engine(&mut engine);
    BasicMapPackage::new().register_into_engine(&mut engine);
    BasicIteratorPackage::new().register_into_engine(&mut engine);
    BasicFnPackage::new().register_into_engine(&mut engine);
    BasicStringPackage::new().register_into_engine(&mut engine);
    MoreStringPackage::new().register_into_engine(&mut engine);
    for word in FORBIDDEN {
        engine.disable_symbol(*word);
    }
    engine
        .set_max_call_levels(CALL_LEVELS)
        .set_max_expr_depths(EXPRESSION_DEPTH, FUNCTION_EXPRESSION_DEPTH)
        .set_max_string_size(TEXT_BYTES)
        .set_max_array_size(LIST_ITEMS)
        .set_max_map_size(MAP_ENTRIES)
        .set_max_modules(MODULES)
        .set_max_functions(FUNCTIONS)
        .set_max_variables(VARIABLES)
        .set_fail_on_invalid_map_property(true);
    meter(&mut engine);
    natives::register(&mut engine);
    types(&mut engine);
    pending::register(&mut engine);
    modules(&mut engine);
    engine
}

/// Looks at the account of the evaluation at each step, and charges for each value that a variable is used for.
fn meter(engine: &mut Engine) {
    engine.on_progress(|_| meter::charge(1).map(Dynamic::from));
    #[expect(deprecated, reason = "it is marked so because it may change, not because it will go")]
    engine.on_var(|name, _, context| match context.scope().get(name).and_then(meter::charge_for) {
        Some(limit) => Err(Box::new(EvalAltResult::ErrorTerminated(Dynamic::from(limit), Position::NONE))),
        None => Ok(None),
    });
}

type RhaiResult = Result<Dynamic, Box<EvalAltResult>>;

fn types(engine: &mut Engine) {
    engine
        .register_type_with_name::<ScriptNode>("node")
        .register_get("name", |node: &mut ScriptNode| node.name.to_string())
        .register_get("spec", |node: &mut ScriptNode| to_dynamic(&node.spec));
    engine.register_type_with_name::<SecretRef>("secret");
    engine
        .register_type_with_name::<UnknownValue>("unknown")
        .register_fn("unknown", |why: &str| UnknownValue(why.replace(char::is_control, " ").into()))
        .register_fn("is_unknown", |value: Dynamic| value.is::<UnknownValue>());
}

fn modules(engine: &mut Engine) {
    for name in catalogue::modules() {
        let mut module = Module::new();
        for row in catalogue::rows().filter(|row| row.module == name) {
            register(&mut module, row);
        }
        engine.register_static_module(name, module.into());
    }
}

/// One function for each number of arguments that a call may have.
fn register(module: &mut Module, row: &'static Effect) {
    for count in row.least_args()..=row.args.len() {
        let registration = FuncRegistration::new(row.name).with_volatility(true);
        type Context<'a> = NativeCallContext<'a>;
        match count {
            0 => registration.set_into_module(module, move |context: Context| emit(&context, row, &[])),
            1 => registration
                .set_into_module(module, move |context: Context, a: Dynamic| emit(&context, row, &[a])),
            2 => registration.set_into_module(module, move |context: Context, a: Dynamic, b: Dynamic| {
                emit(&context, row, &[a, b])
            }),
            3 => registration
                .set_into_module(module, move |context: Context, a: Dynamic, b: Dynamic, c: Dynamic| {
                    emit(&context, row, &[a, b, c])
                }),
            _ => registration.set_into_module(
                module,
                move |context: Context, a: Dynamic, b: Dynamic, c: Dynamic, d: Dynamic| {
                    emit(&context, row, &[a, b, c, d])
                },
            ),
        };
    }
}

/// Answers an effect from the tape, or ends the evaluation where the tape ends.
fn emit(context: &NativeCallContext, row: &'static Effect, args: &[Dynamic]) -> RhaiResult {
    let position = context.call_position();
    let tape = context
        .tag()
        .and_then(|tag| tag.clone().try_cast::<Tape>())
        .ok_or_else(|| runtime(format!("{} cannot be called here", row.full_name()), position))?;
    let args = arguments(row, args).map_err(|message| runtime(message, position))?;
    let at = place(context, position);
    if row.made_of.is_empty() {
        return answer(&tape, row, args, at, position);
    }
    let mut last = Dynamic::UNIT;
    for part in row.made_of.iter().filter_map(|name| catalogue::find(name)) {
        last = answer(&tape, part, args.clone(), at.clone(), position)?;
    }
    Ok(last)
}

fn answer(
    tape: &Tape,
    row: &'static Effect,
    args: Vec<Value>,
    at: Option<CallPlace>,
    position: Position,
) -> RhaiResult {
    match tape.next(row, args, at) {
        None => Err(Box::new(EvalAltResult::ErrorTerminated(Dynamic::UNIT, position))),
        Some(Ok(value)) => Ok(to_dynamic(&value)),
        Some(Err(failure)) => {
            let error = rhai::Map::from([
                (FAILED_EFFECT.into(), Dynamic::from(row.full_name())),
                ("message".into(), failure.message.into()),
                ("transient".into(), failure.transient.into()),
            ]);
            Err(Box::new(EvalAltResult::ErrorRuntime(error.into(), position)))
        }
    }
}

fn runtime(message: String, position: Position) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorRuntime(message.into(), position))
}

/// The arguments as values, each of its shape; one that was left out is `()`.
fn arguments(row: &Effect, args: &[Dynamic]) -> Result<Vec<Value>, String> {
    let mut values = Vec::with_capacity(row.args.len());
    for (index, declared) in row.args.iter().enumerate() {
        let Some(given) = args.get(index) else {
            values.push(Value::Null);
            continue;
        };
        let named = |why: &dyn std::fmt::Display| {
            format!("{}: the argument `{}`: {why}", row.full_name(), declared.name)
        };
        // A node is opaque, so that no script can act on another by its name.
        if matches!(declared.shape, Shape::Node) && !given.is::<ScriptNode>() {
            return Err(named(&format!("must be the node, not {}", given.type_name())));
        }
        let value = from_dynamic(given).map_err(|message| format!("{}: {message}", row.full_name()))?;
        declared.shape.fits(&value).map_err(|misfit| named(&misfit))?;
        values.push(value);
    }
    Ok(values)
}
