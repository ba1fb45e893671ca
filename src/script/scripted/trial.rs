//! All tests of one script: each is run in a world of its own and judged.

use super::Declared;
use super::budget::Budget;
use super::vocabulary::{self, fault_of};
use super::world::World;
use crate::model::tested::TestFailure;
use crate::script::closure::{Closure, ClosureError};
use crate::script::evaluate::Program;
use crate::script::fault::ScriptFault;
use crate::script::tape::CallPlace;
use rhai::{Dynamic, EvalAltResult};
use std::sync::Arc;

/// A script with its tests, compiled once.
pub struct Trials {
    program: Arc<Program>,
    declared: Arc<dyn Declared>,
    budget: Budget,
}

impl Trials {
    pub fn compile(closure: Closure, declared: Arc<dyn Declared>) -> Result<Trials, ClosureError> {
        let budget = Budget::default();
        let program = Program::compile_for_tests(closure, |engine| {
            vocabulary::register(engine);
            budget.govern(engine);
        })?;
        Ok(Trials { program: Arc::new(program), declared, budget })
    }

    /// The names of the tests, in the order in which they stand in the file.
    pub fn names(&self) -> Vec<String> {
        self.program.tests()
    }

    /// What ends a test that computes for too long.
    pub fn budget(&self) -> Budget {
        self.budget.clone()
    }

    /// Runs one test; `None` when it passed.
    pub fn run(&self, name: &str) -> Option<TestFailure> {
        self.budget.renew();
        let world = match World::new(self.program.clone(), self.declared.clone()) {
            Ok(world) => world,
            Err(message) => return Some(TestFailure::new(message)),
        };
        let outcome = self.program.call(name, Dynamic::from(world.clone()));
        let is_endless =
            |error: &EvalAltResult| matches!(error.unwrap_inner(), EvalAltResult::ErrorTooManyOperations(_));
        if self.budget.is_spent() || outcome.as_ref().is_err_and(|error| is_endless(error)) {
            return Some(TestFailure::new("the test computes for too long"));
        }
        if let Some(failure) = world.state().failure.take() {
            return Some(failure);
        }
        match outcome {
            Err(error) => Some(self.failed(&world, &error)),
            Ok(_) => left_over(&world),
        }
    }

    /// An error that nobody caught.
    fn failed(&self, world: &World, error: &EvalAltResult) -> TestFailure {
        let main = &self.program.closure().main;
        let inside = ScriptFault::from_rhai(error, main, "test");
        let fault = fault_of(world, error);
        let at = inside.frames.last().and_then(|frame| world.place(&CallPlace::of(frame)));
        let script = world.places(&fault).into_iter().filter(|place| Some(place) != at.as_ref()).collect();
        TestFailure { at, script, ..TestFailure::new(fault.message) }
    }
}

/// What the test expected and nobody asked for; and a test that looks at nothing.
fn left_over(world: &World) -> Option<TestFailure> {
    let state = world.state();
    if let Some(expected) = state.expected.iter().skip(state.next).find(|expected| !expected.is_void) {
        let at = expected.at.as_ref().and_then(|at| world.place(at));
        let mut failure = TestFailure::new("the test expects an effect that nobody asked for");
        (failure.at, failure.expected) = (at, Some(expected.written()));
        failure.came = Some("no further effect".into());
        return Some(failure);
    }
    (!state.has_looked).then(|| TestFailure::new("the test runs nothing and compares nothing"))
}
