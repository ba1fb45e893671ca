//! The one place that prints. Results go to standard output, everything else to standard error;
//! colour is left out where it is not wanted (`NO_COLOR`, pipes).

use serde::Serialize;
use std::io::Write;

/// A result.
pub fn result(text: &str) {
    // A closed pipe is the reader's choice, not our fault.
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// A text as it is, without a line's end of ours.
pub fn text(text: &str) {
    let _ = write!(anstream::stdout(), "{text}");
}

/// A result as one JSON document on one line.
pub fn json<T: Serialize>(value: &T) {
    match serde_json::to_string(value) {
        Ok(text) => result(&text),
        Err(error) => note(&format!("this result cannot be written as JSON: {error}")),
    }
}

/// A result as one JSON document over several lines.
pub fn json_document<T: Serialize>(value: &T) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => result(&text),
        Err(error) => note(&format!("this result cannot be written as JSON: {error}")),
    }
}

/// Progress, prompts and notes.
pub fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// A prompt, without a line's end.
pub fn prompt(text: &str) {
    let mut stderr = anstream::stderr();
    let _ = write!(stderr, "{text}");
    let _ = stderr.flush();
}
