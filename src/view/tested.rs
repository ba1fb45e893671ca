//! Tests of tasks: for people a line a test, and of one that failed its places with the source; for programs JSON.

use super::caret;
use super::words::count;
use crate::finding::Place;
use crate::model::task::Script;
use crate::model::tested::{TestFailure, Tested};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

type Scripts = BTreeMap<Arc<str>, Script>;

/// The format number of `task test --json`.
const FORMAT: u32 = 1;

/// Tests under their scripts, then a line that counts them.
pub fn human(tested: &[Tested], scripts: &Scripts) -> String {
    let mut text = String::new();
    let mut file = None;
    for test in tested {
        if file != Some(&test.file) {
            let _ = writeln!(text, "{} ({})", test.file, test.task);
            file = Some(&test.file);
        }
        match &test.failure {
            None => drop(writeln!(text, "  ok      {}", test.name)),
            Some(failure) => drop(writeln!(text, "  FAILED  {}{}", test.name, why(failure, scripts))),
        }
    }
    text += &summary(tested);
    text
}

fn why(failure: &TestFailure, scripts: &Scripts) -> String {
    let mut text = format!("\n    {}", failure.message);
    for (word, what) in [("expected", &failure.expected), ("came    ", &failure.came)] {
        if let Some(what) = what {
            let _ = write!(text, "\n      {word} {what}");
        }
    }
    for difference in &failure.differences {
        let _ = write!(text, "\n      {difference}");
    }
    if let Some(at) = &failure.at {
        let _ = write!(text, "\n    in the test: {at}{}", source(at, scripts));
    }
    for (index, at) in failure.script.iter().enumerate() {
        let word = if index == 0 { "in the script" } else { "called from" };
        let _ = write!(text, "\n    {word}: {at}{}", source(at, scripts));
    }
    text
}

/// The line with the place underlined.
fn source(place: &Place, scripts: &Scripts) -> String {
    let line = scripts.get(&place.file).and_then(|script| script.text.lines().nth(place.line as usize - 1));
    let Some(line) = line else { return String::new() };
    let column = place.column.saturating_sub(1) as usize;
    let offset: usize = line.chars().take(column).map(char::len_utf8).sum();
    format!("\n{}", caret::under(line, offset, place.length as usize))
}

fn counts(tested: &[Tested]) -> (usize, usize) {
    let failed = tested.iter().filter(|test| test.failure.is_some()).count();
    (tested.len() - failed, failed)
}

fn summary(tested: &[Tested]) -> String {
    let (passed, failed) = counts(tested);
    match (passed, failed) {
        (0, 0) => "There are no tests; write `fn test_…(world)` in a task's script.".into(),
        (passed, 0) => format!("{} passed.", count(passed, "test")),
        (passed, failed) => format!("{} failed, {passed} passed.", count(failed, "test")),
    }
}

/// `{format, tests, summary}`.
pub fn as_json(tested: &[Tested]) -> Json {
    let (passed, failed) = counts(tested);
    let tests: Vec<Json> = tested.iter().map(test).collect();
    json!({ "format": FORMAT, "tests": tests, "summary": { "passed": passed, "failed": failed } })
}

fn test(test: &Tested) -> Json {
    let mut json = json!({
        "task": test.task,
        "file": test.file,
        "name": test.name,
        "passed": test.failure.is_none(),
    });
    if let Some(failure) = &test.failure {
        let places: Vec<String> = failure.script.iter().map(Place::to_string).collect();
        json["failure"] = json!({
            "message": failure.message,
            "at": failure.at.as_ref().map(Place::to_string),
            "script": places,
            "expected": failure.expected,
            "came": failure.came,
            "differences": failure.differences,
        });
    }
    json
}
