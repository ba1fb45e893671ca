//! Images of container tasks, for people and as JSON.

use super::words;
use crate::model::image::{ImageRow, ImageState};
use serde_json::{Value, json};

/// Tasks that are named.
const TASKS: usize = 5;

pub fn human(rows: &[ImageRow]) -> String {
    if rows.is_empty() {
        return "The design has no container tasks.".into();
    }
    rows.iter().map(row).collect::<Vec<_>>().join("\n")
}

fn row(row: &ImageRow) -> String {
    let tasks = words::names(&row.tasks, TASKS);
    format!("{}  (of {tasks})\n  {}", row.image.shown(), state(&row.state))
}

/// The state, in a line, with its log below where it has one.
pub fn state(state: &ImageState) -> String {
    let with_log = |what: &str, log: &str| {
        let lines: String = log.lines().map(|line| format!("\n    {line}")).collect();
        format!("{what}{lines}")
    };
    match state {
        ImageState::Ready => "ready".into(),
        ImageState::Missing => {
            "missing: `apply` makes it before it touches a node, `image --make` at once".into()
        }
        ImageState::Building { log } => with_log("building", log),
        ImageState::Failed { log } => with_log("failed", log),
        ImageState::Unseen { why } => format!("unknown: {why}"),
    }
}

pub fn json(rows: &[ImageRow]) -> Value {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            let mut shown = state_json(&row.state);
            shown["image"] = json!(row.image.shown());
            shown["tasks"] = json!(row.tasks);
            shown
        })
        .collect();
    json!({"format": 1, "images": rows})
}

/// `{state, log?, why?}`.
pub fn state_json(state: &ImageState) -> Value {
    match state {
        ImageState::Ready => json!({"state": "ready"}),
        ImageState::Missing => json!({"state": "missing"}),
        ImageState::Building { log } => json!({"state": "building", "log": log}),
        ImageState::Failed { log } => json!({"state": "failed", "log": log}),
        ImageState::Unseen { why } => json!({"state": "unknown", "why": why}),
    }
}
