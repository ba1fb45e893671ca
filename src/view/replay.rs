//! Replayed attempts: an effect a line with its answer, and what the script comes to.

use super::words::{count, value};
use crate::model::replay::{ReplayEnd, Replayed, ReplayedEffect, ScriptNow};
use serde_json::{Value, json};
use std::fmt::Write;

/// Said when the design cannot be read: the run has all that it needs with it.
pub const NO_DESIGN: &str = "The design cannot be read, so nobody can say whether scripts have changed since. The run is replayed with its own.";

/// What is said when nothing was chosen.
pub fn nothing(run: &str) -> String {
    format!("run {run} has no attempt of that node and step")
}

pub fn human(run: &str, replayed: &[Replayed]) -> String {
    let mut text = format!("Run {run}, from its journal; no device is asked.");
    for one in replayed {
        let _ = write!(text, "\n\n{} {}, attempt {}", one.node, one.step, one.attempt);
        if one.script == ScriptNow::Changed {
            text += "   (its script has changed since)";
        }
        for effect in &one.effects {
            write_effect(&mut text, effect);
        }
        let _ = write!(text, "\n  {}", end(&one.end));
        let then = one.error.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        match one.agrees {
            true if matches!(one.end, ReplayEnd::Failed { .. }) => text += "\n  as it did then",
            true => drop(write!(text, "\n  the attempt {}{then}", one.state)),
            false => drop(write!(text, "\n  OTHERWISE THAN THEN: the attempt {}{then}", one.state)),
        }
    }
    let others = replayed.iter().filter(|one| !one.agrees).count();
    let _ = write!(text, "\n\n{} replayed, ", count(replayed.len(), "attempt"));
    match others {
        0 => text += "all as they were.",
        others => drop(write!(text, "{others} otherwise than then.")),
    }
    text
}

fn write_effect(text: &mut String, effect: &ReplayedEffect) {
    let args: Vec<String> = effect.args.as_list().unwrap_or_default().iter().map(value).collect();
    let at = effect.at.as_ref().map(|at| format!("   {at}")).unwrap_or_default();
    let wrote = if effect.wrote { ", and wrote" } else { "" };
    let _ = write!(
        text,
        "\n  {:>3} {:<6} {}({}){at}",
        effect.sequence,
        effect.kind,
        effect.effect,
        args.join(", ")
    );
    match (&effect.answer, &effect.failure) {
        (_, Some(why)) => drop(write!(text, "\n        failed{wrote}: {why}")),
        (Some(answer), None) if answer.is_null() => drop(write!(text, "\n        done{wrote}")),
        (Some(answer), None) => drop(write!(text, "\n        answered{wrote}: {}", value(answer))),
        (None, None) => *text += "\n        has no answer",
    }
}

fn end(end: &ReplayEnd) -> String {
    match end {
        ReplayEnd::NotCalled => "the script was not called".into(),
        ReplayEnd::Returned => "the script returns".into(),
        ReplayEnd::Failed { why } => format!("the script fails: {why}"),
        ReplayEnd::Unanswered { effect, at } => {
            let at = at.as_ref().map(|at| format!(" ({at})")).unwrap_or_default();
            format!("the script stands at {effect}{at}, which has no answer")
        }
        ReplayEnd::Diverged { why } => format!("the script goes another way than its journal: {why}"),
        ReplayEnd::Unreadable { why } => format!("the script cannot be evaluated: {why}"),
    }
}

/// `replay --json`.
pub fn as_json(run: &str, replayed: &[Replayed]) -> Value {
    json!({ "format": 1, "run": run, "attempts": replayed })
}
