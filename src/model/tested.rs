//! What came of the tests of tasks: plain data for people and programs.

use crate::finding::Place;
use std::sync::Arc;

/// One `test_…` function of a task's script, run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// The first task, by name, whose script it is.
    pub task: Arc<str>,
    /// The script: `scripts/x.rhai` or `stdlib/x.rhai`.
    pub file: Arc<str>,
    pub name: String,
    /// `None` when it passed.
    pub failure: Option<TestFailure>,
}

/// Why a test failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TestFailure {
    pub message: String,
    /// The place in the test.
    pub at: Option<Place>,
    /// Where its script asked for an effect or failed, and the calls that led there; innermost first.
    pub script: Vec<Place>,
    pub expected: Option<String>,
    pub came: Option<String>,
    /// Leaf by leaf: what is not as the test wants it.
    pub differences: Vec<String>,
}

impl TestFailure {
    pub fn new(message: impl Into<String>) -> TestFailure {
        TestFailure { message: message.into(), ..TestFailure::default() }
    }
}
