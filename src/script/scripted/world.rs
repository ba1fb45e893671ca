//! The world of one test: what it has said so far, and what went wrong.

use super::expected::Expected;
use super::{Declared, NODE};
use crate::model::tested::TestFailure;
use crate::model::value::Value;
use crate::script::convert::ScriptNode;
use crate::script::evaluate::Program;
use crate::script::fault::{ScriptFault, place_at};
use crate::script::tape::CallPlace;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most effects that one test may expect.
pub const EXPECTED_AT_MOST: usize = 500;
/// The most functions that one test may run.
pub const RUNS_AT_MOST: usize = 100;

/// A shared handle: what a script holds as `world`.
#[derive(Clone)]
pub struct World(Arc<Held>);

struct Held {
    program: Arc<Program>,
    declared: Arc<dyn Declared>,
    state: Mutex<State>,
}

pub struct State {
    pub spec: Value,
    pub params: Value,
    pub expected: Vec<Expected>,
    /// The first one that nobody has asked for yet.
    pub next: usize,
    pub runs: usize,
    /// It ran something, or compared something.
    pub has_looked: bool,
    /// What ended the test; what comes after it is of no account.
    pub failure: Option<TestFailure>,
    /// Faults of the scripts that it ran, for the errors that carry their number.
    pub faults: Vec<ScriptFault>,
}

/// An effect that a test expects; what it answers is said through this.
#[derive(Clone)]
pub struct Handle {
    pub world: World,
    /// Its parts in [`State::expected`]: one, unless it is made of several.
    pub first: usize,
    pub last: usize,
}

impl World {
    pub fn new(program: Arc<Program>, declared: Arc<dyn Declared>) -> Result<World, String> {
        let state = State {
            spec: declared.spec(&Value::empty_map())?,
            params: Value::empty_map(),
            expected: Vec::new(),
            next: 0,
            runs: 0,
            has_looked: false,
            failure: None,
            faults: Vec::new(),
        };
        Ok(World(Arc::new(Held { program, declared, state: Mutex::new(state) })))
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn program(&self) -> &Program {
        &self.0.program
    }

    pub fn declared(&self) -> &dyn Declared {
        &*self.0.declared
    }

    /// The node as the functions of the script get it.
    pub fn node(&self) -> ScriptNode {
        ScriptNode { name: NODE.into(), spec: self.state().spec.clone() }
    }

    /// Ends the test; the first reason counts.
    pub fn fail(&self, failure: TestFailure) {
        self.state().failure.get_or_insert(failure);
    }

    /// A place in one of the files, for people.
    pub fn place(&self, at: &CallPlace) -> Option<crate::finding::Place> {
        let (file, text) = self.program().closure().files.get_key_value(&at.file)?;
        Some(place_at(file, text, at.line, at.column))
    }

    /// Where a script failed and the calls that led there.
    pub fn places(&self, fault: &ScriptFault) -> Vec<crate::finding::Place> {
        fault.frames.iter().filter_map(|frame| self.place(&CallPlace::of(frame))).collect()
    }
}
