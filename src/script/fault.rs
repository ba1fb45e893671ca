//! What went wrong in a script, with the file, line and column and the calls that led there.

use super::convert::from_dynamic;
use super::limits::{CALL_LEVELS, LIST_ITEMS, Limit, MAP_ENTRIES, MODULES, TEXT_BYTES, VARIABLES};
use crate::finding::Place;
use crate::model::value::Value;
use rhai::{Dynamic, EvalAltResult, Position};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A script ended in an error. The first frame is where it happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub struct ScriptFault {
    pub message: String,
    pub frames: Vec<Frame>,
    /// True when an effect failed in a way that may pass.
    pub transient: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    pub function: String,
    pub file: String,
    pub line: usize,
    pub column: usize,
}

impl fmt::Display for ScriptFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for (index, frame) in self.frames.iter().enumerate() {
            let word = if index == 0 { " at " } else { ", called from " };
            write!(f, "{word}{}:{}:{}", frame.file, frame.line, frame.column)?;
        }
        Ok(())
    }
}

/// Marks the error value of an effect that failed, so that its class survives the script.
pub const FAILED_EFFECT: &str = "$failed";

impl ScriptFault {
    pub fn plain(message: impl Into<String>) -> ScriptFault {
        ScriptFault { message: message.into(), frames: Vec::new(), transient: false }
    }

    /// Unwinds Rhai's nested error into a message and the places of the calls, innermost first.
    pub fn from_rhai(error: &EvalAltResult, file: &str, function: &str) -> ScriptFault {
        let mut frames = Vec::new();
        let (mut message, transient) = unwind(error, file, function, &mut frames);
        if frames.is_empty() {
            // Limits of the engine are passed at no place in particular.
            message = format!("{message} in `{function}` of {file}");
        }
        ScriptFault { message, frames, transient }
    }
}

fn unwind(error: &EvalAltResult, file: &str, function: &str, frames: &mut Vec<Frame>) -> (String, bool) {
    let (inner_result, position) = match error {
        EvalAltResult::ErrorInFunctionCall(name, source, inner, position) => {
            let inner_file = if source.is_empty() { file } else { source };
            (unwind(inner, inner_file, name, frames), *position)
        }
        EvalAltResult::ErrorInModule(name, inner, position) => {
            (unwind(inner, name, function, frames), *position)
        }
        EvalAltResult::ErrorRuntime(value, position) => (runtime(value), *position),
        other => {
            let message = limit(other).unwrap_or_else(|| without_position(other));
            ((message, false), other.position())
        }
    };
    if let (Some(line), column) = (position.line(), position.position().unwrap_or(1)) {
        let frame = Frame { function: function.into(), file: file.into(), line, column };
        if frames.last() != Some(&frame) {
            frames.push(frame);
        }
    }
    inner_result
}

/// What an effect that fails throws, and a script that says the same of itself: `#{ message, transient }`.
fn runtime(value: &Dynamic) -> (String, bool) {
    if let Ok(map) = value.as_map_ref()
        && let Some(transient) = map.get("transient").and_then(|flag| flag.as_bool().ok())
        && let Some(message) = map.get("message").filter(|text| text.is_string())
    {
        return (shortened(message.to_string()), transient);
    }
    let thrown = match from_dynamic(value) {
        Ok(Value::Text(text)) => text.to_string(),
        Ok(other) => other.redacted().to_string(),
        Err(why) => format!("the script threw something that is no value: {why}"),
    };
    (shortened(thrown), false)
}

/// As much of a message as anybody reads; a script can throw anything.
const MESSAGE_CHARACTERS: usize = 1_000;

fn shortened(message: String) -> String {
    match message.char_indices().nth(MESSAGE_CHARACTERS) {
        Some((end, _)) => format!("{}… ({} bytes in all)", &message[..end], message.len()),
        None => message,
    }
}

/// Where a limit ended the script: which, and the way out.
fn limit(error: &EvalAltResult) -> Option<String> {
    Some(match error {
        EvalAltResult::ErrorTerminated(token, _) => token.read_lock::<Limit>()?.to_string(),
        EvalAltResult::ErrorDataTooLarge(what, _) if what.contains("string") => format!(
            "a text has more than {} KiB; hand it to an effect in parts, or keep it out of the script",
            TEXT_BYTES >> 10
        ),
        EvalAltResult::ErrorDataTooLarge(what, _) if what.contains("map") => {
            format!(
                "a map has more than {MAP_ENTRIES} entries, with those of maps in it; keep less of what it is made from"
            )
        }
        EvalAltResult::ErrorDataTooLarge(..) => {
            format!(
                "a list has more than {LIST_ITEMS} items, with those of lists in it; keep less of what it is made from"
            )
        }
        EvalAltResult::ErrorStackOverflow(_) => format!(
            "calls are nested more than {CALL_LEVELS} deep; look for a function that calls itself without end"
        ),
        EvalAltResult::ErrorTooManyVariables(_) => {
            format!("a function has more than {VARIABLES} variables at once; split it")
        }
        EvalAltResult::ErrorTooManyModules(_) => {
            format!("a file imports more than {MODULES} times; split it")
        }
        _ => return None,
    })
}

/// Rhai's own words without the place: the frames tell it.
fn without_position(error: &EvalAltResult) -> String {
    let text = error.to_string();
    let position = error.position();
    let suffix = if position.is_none() { String::new() } else { format!(" ({})", describe(position)) };
    text.strip_suffix(&suffix).unwrap_or(&text).to_string()
}

fn describe(position: Position) -> String {
    match (position.line(), position.position()) {
        (Some(line), Some(column)) => format!("line {line}, position {column}"),
        (Some(line), None) => format!("line {line}"),
        _ => String::new(),
    }
}

/// The place of a Rhai position in a script's text: the name or the quoted text that begins there.
pub fn place(file: &Arc<str>, text: &str, position: Position) -> Place {
    match position.line() {
        Some(line) => place_at(file, text, line, position.position().unwrap_or(1)),
        None => Place::whole(file),
    }
}

/// The same for a line and a column that count from 1.
pub fn place_at(file: &Arc<str>, text: &str, line: usize, column: usize) -> Place {
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let in_line: usize = text[start..].chars().take(column.saturating_sub(1)).map(char::len_utf8).sum();
    let offset = start + in_line;
    let length = match text[offset..].strip_prefix('"') {
        Some(literal) => literal.find(['"', '\n']).map_or(1, |end| end + 2),
        None => {
            text[offset..].bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
        }
    };
    // At least one whole character.
    let least = text[offset..].chars().next().map_or(1, char::len_utf8);
    Place::at(file, text, offset, length.max(least))
}
