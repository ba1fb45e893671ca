//! What a console prints: results to standard output, everything else beside it.

use super::caret;
use crate::model::console::{Notice, Said};
use serde_json::{Value as Json, json};

/// The prompt, and that of a statement that goes on.
pub fn prompt(node: &str) -> String {
    format!("{node}> ")
}

/// What somebody at a terminal reads first.
pub fn welcome(node: &str) -> String {
    format!(
        "Statements are evaluated for node {node} and act on the rack at once. `node` is the node; Tab completes, \
         Ctrl-C ends a statement, Ctrl-D the console."
    )
}

/// Before the first write of a sitting.
pub const NO_RECORD: &str =
    "This writes to the machine at once: it is in no plan, nobody approves it, and no run records it.";

pub fn notice(notice: &Notice) -> String {
    match notice {
        Notice::Calls { call, kind, .. } => format!("  {kind:<6} {call}"),
        Notice::Says { level, text } => format!("  log    {level}: {text}"),
    }
}

/// A failure with the statement's line underlined where it failed.
pub fn failed(
    message: &str,
    at: Option<&crate::finding::Place>,
    places: &[String],
    statement: &str,
) -> String {
    let mut text = format!("error: {message}");
    if !places.is_empty() {
        text += &format!(" at {}", places.join(", called from "));
    }
    if let Some(at) = at
        && let Some(line) = statement.lines().nth(at.line.saturating_sub(1) as usize)
    {
        let offset: usize = line.chars().take(at.column.saturating_sub(1) as usize).map(char::len_utf8).sum();
        text += &format!("\n{}", caret::under(line, offset, at.length as usize));
    }
    text
}

pub const INTERRUPTED: &str = "The statement is ended; its variables are as they were. An effect that was under way may have been done.";

/// One line a statement: `{value}` or `{error, at}`.
pub fn as_json(said: &Said) -> Json {
    match said {
        Said::Value(value) => json!({ "value": value }),
        Said::Failed { message, places, .. } => json!({ "error": message, "at": places }),
    }
}
