//! What a test can say: the methods of `world`, and of an effect that it expects.
//!
//! Errors here are of two kinds. A script that fails is an error of the language, which `apply_fails` looks for and
//! `try` may catch. A test that fails is ended: nothing can catch that.

use super::expected::{self, Expected};
use super::run::{self, Ended};
use super::world::{EXPECTED_AT_MOST, Handle, World};
use crate::model::names;
use crate::model::tested::TestFailure;
use crate::model::value::Value;
use crate::model::written::in_script;
use crate::script::convert::{SecretRef, from_dynamic, to_dynamic};
use crate::script::evaluate::Function;
use crate::script::fault::ScriptFault;
use crate::script::pending::place;
use crate::script::tape::{CallPlace, EffectFailure};
use rhai::{Array, Dynamic, Engine, EvalAltResult, Map, NativeCallContext};
use std::collections::BTreeSet;
use std::sync::LazyLock;

type Said<T> = Result<T, Box<EvalAltResult>>;
type Context<'a> = NativeCallContext<'a>;

/// In the error of a script that failed: the number of its fault.
pub const FAULT: &str = "$fault";

/// The methods of tests with their numbers of arguments, the receiver left out.
static WORDS: LazyLock<BTreeSet<(String, usize)>> = LazyLock::new(|| {
    let mut engine = Engine::new_raw();
    register(&mut engine);
    let word = |info: rhai::FuncInfo| Some((info.metadata.name.to_string(), info.metadata.num_params - 1));
    engine.collect_fn_metadata(None, word, true).into_iter().collect()
});

/// Whether tests have such a method: for whoever checks scripts without running them.
pub fn has_word(name: &str, arguments: usize) -> bool {
    WORDS.contains(&(name.to_string(), arguments))
}

pub fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<World>("world")
        .register_type_with_name::<Handle>("expected effect")
        .register_get("node", |world: &mut World| world.node())
        .register_fn("spec", spec)
        .register_fn("params", params)
        .register_fn("secret", |_: World, reference: &str| SecretRef(reference.into()))
        .register_fn("expects", |context: Context, world: World, name: &str| {
            expects(&context, world, name, None)
        })
        .register_fn("expects", |context: Context, world: World, name: &str, args: Array| {
            expects(&context, world, name, Some(args))
        })
        .register_fn("gives", gives)
        .register_fn("fails", |handle: Handle, why: &str| fails(&handle, why, true))
        .register_fn("fails_for_good", |handle: Handle, why: &str| fails(&handle, why, false))
        .register_fn("equals", equals);
    for function in Function::ALL {
        let name = function.name();
        engine
            .register_fn(name, move |context: Context, world: World| runs(&context, &world, function))
            .register_fn(format!("{name}_fails"), move |context: Context, world: World, part: &str| {
                run_fails(&context, &world, function, part)
            });
    }
}

fn here(context: &Context) -> Option<CallPlace> {
    place(context, context.call_position())
}

/// Ends the test at the place of the call.
fn end(context: &Context, world: &World, message: impl Into<String>) -> Box<EvalAltResult> {
    let at = here(context).and_then(|at| world.place(&at));
    ended(context, world, TestFailure { at, ..TestFailure::new(message) })
}

fn ended(context: &Context, world: &World, failure: TestFailure) -> Box<EvalAltResult> {
    world.fail(failure);
    Box::new(EvalAltResult::ErrorTerminated(Dynamic::UNIT, context.call_position()))
}

fn value(context: &Context, world: &World, given: &Dynamic) -> Said<Value> {
    from_dynamic(given).map_err(|message| end(context, world, message))
}

fn spec(context: Context, world: World, written: Map) -> Said<()> {
    let written = value(&context, &world, &Dynamic::from_map(written))?;
    let spec = world.declared().spec(&names::from_script(&written));
    let spec = spec.map_err(|message| end(&context, &world, message))?;
    world.state().spec = spec;
    Ok(())
}

fn params(context: Context, world: World, written: Map) -> Said<()> {
    let written = value(&context, &world, &Dynamic::from_map(written))?;
    world.declared().params(&written).map_err(|message| end(&context, &world, message))?;
    world.state().params = written;
    Ok(())
}

fn expects(context: &Context, world: World, name: &str, args: Option<Array>) -> Said<Handle> {
    let effect = expected::find(name).map_err(|message| end(context, &world, message))?;
    let args = match args {
        Some(args) => {
            let given = args.iter().map(|arg| value(context, &world, arg)).collect::<Said<Vec<Value>>>()?;
            Some(expected::arguments(effect, given).map_err(|message| end(context, &world, message))?)
        }
        None => None,
    };
    let at = here(context);
    let (first, last) = {
        let mut state = world.state();
        let first = state.expected.len();
        state.expected.extend(expected::parts(effect).into_iter().map(|effect| Expected {
            at: at.clone(),
            effect,
            args: args.clone(),
            answer: Ok(Value::Null),
            is_void: false,
        }));
        (first, state.expected.len() - 1)
    };
    if last >= EXPECTED_AT_MOST {
        return Err(end(
            context,
            &world,
            format!("a test expects at most {EXPECTED_AT_MOST} effects; split it"),
        ));
    }
    Ok(Handle { world, first, last })
}

/// What the whole answers is what its last part does.
fn gives(context: Context, handle: Handle, answer: Dynamic) -> Said<()> {
    let answer = value(&context, &handle.world, &answer)?;
    let misfit = {
        let mut state = handle.world.state();
        let expected = &mut state.expected[handle.last];
        expected.answer = Ok(answer);
        expected.misfit()
    };
    match misfit {
        Some(misfit) => Err(end(&context, &handle.world, misfit)),
        None => Ok(()),
    }
}

/// What the whole fails at is its first part; nobody will ask for the others.
fn fails(handle: &Handle, why: &str, transient: bool) {
    let mut state = handle.world.state();
    state.expected[handle.first].answer = Err(EffectFailure { message: why.into(), transient });
    for part in &mut state.expected[handle.first + 1..=handle.last] {
        part.is_void = true;
    }
}

fn runs(context: &Context, world: &World, function: Function) -> Said<Dynamic> {
    match run::run(world, function, here(context).as_ref()) {
        Ok(found) => Ok(to_dynamic(&found)),
        Err(Ended::Test(failure)) => Err(ended(context, world, *failure)),
        Err(Ended::Fault(fault)) => Err(thrown(context, world, fault)),
    }
}

/// The error of a script that failed, as one of the language.
fn thrown(context: &Context, world: &World, fault: ScriptFault) -> Box<EvalAltResult> {
    let mut state = world.state();
    let number = state.faults.len() as i64;
    let error = Map::from([
        (FAULT.into(), number.into()),
        ("message".into(), fault.message.clone().into()),
        ("transient".into(), fault.transient.into()),
    ]);
    state.faults.push(fault);
    Box::new(EvalAltResult::ErrorRuntime(error.into(), context.call_position()))
}

fn equals(context: Context, world: World, came: Dynamic, wanted: Dynamic) -> Said<()> {
    let (came, wanted) = (value(&context, &world, &came)?, value(&context, &world, &wanted)?);
    world.state().has_looked = true;
    if came == wanted {
        return Ok(());
    }
    let at = here(&context).and_then(|at| world.place(&at));
    let differences = differences(&came, &wanted);
    let failure = TestFailure { at, differences, ..TestFailure::new("what came is not what the test wants") };
    Err(ended(&context, &world, failure))
}

/// Leaf by leaf, in order of the path.
fn differences(came: &Value, wanted: &Value) -> Vec<String> {
    let (came, wanted) = (came.leaves(), wanted.leaves());
    let paths: BTreeSet<_> = came.iter().chain(&wanted).map(|(path, _)| path.clone()).collect();
    let of = |leaves: &[(crate::model::path::Path, &Value)], path| {
        let found = leaves.iter().find(|(own, _)| own == path);
        found.map_or_else(|| "nothing".to_string(), |(_, value)| in_script(value))
    };
    paths
        .iter()
        .map(|path| (path, of(&wanted, path), of(&came, path)))
        .filter(|(_, wanted, came)| wanted != came)
        .map(|(path, wanted, came)| match path.0.is_empty() {
            true => format!("expected {wanted}, came {came}"),
            false => format!("{path}: expected {wanted}, came {came}"),
        })
        .collect()
}

/// Runs a function that must fail with `part` in its message; gives the failure back.
fn run_fails(context: &Context, world: &World, function: Function, part: &str) -> Said<Map> {
    let mut failure = TestFailure {
        at: here(context).and_then(|at| world.place(&at)),
        expected: Some(format!("a failure with \"{part}\"")),
        ..TestFailure::default()
    };
    let fault = match run::run(world, function, here(context).as_ref()) {
        Err(Ended::Fault(fault)) => fault,
        Err(Ended::Test(failure)) => return Err(ended(context, world, *failure)),
        Ok(found) => {
            failure.message = format!("`{}` does not fail", function.name());
            failure.came = Some(in_script(&found));
            return Err(ended(context, world, failure));
        }
    };
    if !fault.message.contains(part) {
        failure.message = format!("`{}` fails in another way", function.name());
        failure.script = world.places(&fault);
        failure.came = Some(format!("\"{}\"", fault.message));
        return Err(ended(context, world, failure));
    }
    Ok(Map::from([("message".into(), fault.message.into()), ("transient".into(), fault.transient.into())]))
}

/// The fault that an error of a test tells of: of the script that it ran, or of the test's own text.
pub fn fault_of(world: &World, error: &EvalAltResult) -> ScriptFault {
    if let EvalAltResult::ErrorRuntime(value, _) = error.unwrap_inner()
        && let Some(number) = value.as_map_ref().ok().and_then(|map| map.get(FAULT)?.as_int().ok())
        && let Some(fault) =
            usize::try_from(number).ok().and_then(|number| world.state().faults.get(number).cloned())
    {
        return fault;
    }
    ScriptFault::from_rhai(error, &world.program().closure().main, "test")
}
