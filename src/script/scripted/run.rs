//! Running one function of the script under test against what the test expects.

use super::expected::{self, Expected};
use super::world::{RUNS_AT_MOST, World};
use crate::model::tested::TestFailure;
use crate::model::value::Value;
use crate::script::catalogue::Kind;
use crate::script::evaluate::{Function, Turn};
use crate::script::fault::ScriptFault;
use crate::script::tape::{Call, CallPlace, Recorded};

/// Why a function gave nothing back.
pub enum Ended {
    /// The script failed, which a test may want.
    Fault(ScriptFault),
    /// The test has failed.
    Test(Box<TestFailure>),
}

/// `at` is where the test runs it.
pub fn run(world: &World, function: Function, at: Option<&CallPlace>) -> Result<Value, Ended> {
    let here = |message: String| {
        Ended::Test(Box::new(TestFailure {
            at: at.and_then(|at| world.place(at)),
            ..TestFailure::new(message)
        }))
    };
    if !world.program().has(function) {
        return Err(here(format!("the script has no function `{}`", function.name())));
    }
    let params = {
        let mut state = world.state();
        state.has_looked = true;
        state.runs += 1;
        if state.runs > RUNS_AT_MOST {
            return Err(here(format!("a test runs at most {RUNS_AT_MOST} functions; split it")));
        }
        state.params.clone()
    };
    let params = world.declared().params(&params).map_err(here)?;
    let node = world.node();
    let mut recorded: Vec<Recorded> = Vec::new();
    loop {
        match world.program().evaluate(function, &node, &params, recorded.clone()) {
            Turn::Done(value) => return Ok(value),
            Turn::Failed(fault) => return Err(Ended::Fault(fault)),
            Turn::Diverged(why) => return Err(here(why)),
            Turn::Depends { on, .. } => return Err(here(format!("the answer of {on} is not known"))),
            Turn::Wants(call) => {
                let answer = answered(world, function, &call, at).map_err(Ended::Test)?;
                recorded.push(answer);
            }
        }
    }
}

/// The answer that the test gives to the next effect; or why this effect is not the next one.
fn answered(
    world: &World,
    function: Function,
    call: &Call,
    at: Option<&CallPlace>,
) -> Result<Recorded, Box<TestFailure>> {
    let given = expected::given(call.effect, &call.args);
    let mut failure = TestFailure {
        at: at.and_then(|at| world.place(at)),
        script: call.at.iter().filter_map(|at| world.place(at)).collect(),
        came: Some(expected::call(call.effect, Some(&given))),
        ..TestFailure::default()
    };
    if matches!(function, Function::Observe | Function::Check) && call.effect.kind != Kind::Read {
        failure.message = format!(
            "`{}` calls {}, which is no read; only `apply` and `remove` may write or wait",
            function.name(),
            call.effect.full_name()
        );
        return Err(Box::new(failure));
    }
    let next = next(world);
    let Some(wanted) = next else {
        failure.message = "the script asks for an effect that the test does not expect".into();
        failure.expected = Some("no further effect".into());
        return Err(Box::new(failure));
    };
    let is_the_effect = wanted.effect.full_name() == call.effect.full_name();
    let has_the_args = wanted.args.as_ref().is_none_or(|args| args.iter().eq(given.iter().copied()));
    failure.expected = Some(wanted.written());
    if let Some(at) = wanted.at.as_ref().and_then(|at| world.place(at)) {
        failure.at = Some(at);
    }
    if !is_the_effect || !has_the_args {
        failure.message = match is_the_effect {
            true => "the script asks for the effect with other arguments".into(),
            false => "the script asks for another effect than the test expects".into(),
        };
        return Err(Box::new(failure));
    }
    if let Some(misfit) = wanted.misfit() {
        return Err(Box::new(TestFailure { expected: None, came: None, message: misfit, ..failure }));
    }
    Ok(Recorded {
        effect: call.effect.full_name().into(),
        args_digest: call.args_value().digest().into(),
        answer: wanted.answer,
    })
}

/// The next effect that the test expects; it is used up.
fn next(world: &World) -> Option<Expected> {
    let mut state = world.state();
    while let Some(wanted) = state.expected.get(state.next).cloned() {
        state.next += 1;
        if !wanted.is_void {
            return Some(wanted);
        }
    }
    None
}
