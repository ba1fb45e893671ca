//! `import`: what was written, what was not carried over and why, and what the result is worth.

use super::{findings, words};
use crate::finding::Finding;
use crate::model::imported::{Imported, Note, NoteKind};
use serde_json::{Value, json};
use std::fmt::Write;

/// The format number of `import --json`.
const FORMAT: u32 = 1;

/// The files, and the two lists.
pub fn human(imported: &Imported, folder: &str, written: &[String]) -> String {
    let mut text = format!("{} written to {folder}:\n", words::count(written.len(), "file"));
    for name in written {
        let _ = writeln!(text, "  {name}");
    }
    text.push('\n');
    text.push_str(&notes(&imported.notes));
    text
}

/// The two lists.
pub fn notes(notes: &[Note]) -> String {
    let mut text = String::new();
    list(&mut text, notes, NoteKind::Changed, "Carried over in another way, or added");
    list(&mut text, notes, NoteKind::Dropped, "\nNot carried over");
    text
}

/// How many there are, for commands that have something else to say.
pub fn counted(notes: &[Note]) -> String {
    let things = words::count(notes.len(), "thing");
    format!("{things} of the imported documents did not go over unchanged; `rackwright validate` lists them.")
}

fn list(text: &mut String, notes: &[Note], kind: NoteKind, title: &str) {
    let notes: Vec<&Note> = notes.iter().filter(|note| note.kind == kind).collect();
    let _ = writeln!(text, "{title}: {}.", words::count(notes.len(), "thing"));
    for Note { place, document, field, why, .. } in notes {
        let field = if field.is_empty() { String::new() } else { format!(", {field}") };
        // What speaks of a whole file is called as the file is.
        let document = document.strip_prefix(&*place.file).unwrap_or(document).trim_start();
        let subject = format!("{document}{field}");
        let subject = subject.trim_start_matches(", ");
        let _ = writeln!(text, "  {}:{}: {subject}: {why}", place.file, place.line);
    }
}

/// `{format, folder, written, notes, findings, summary}`.
pub fn as_json(imported: &Imported, folder: &str, written: &[String], found: &[Finding]) -> Value {
    let notes: Vec<Value> = imported
        .notes
        .iter()
        .map(|Note { kind, place, document, field, why }| {
            json!({"kind": kind.word(), "file": &*place.file, "line": place.line, "column": place.column,
                   "document": &**document, "field": field, "why": why})
        })
        .collect();
    let judged = findings::as_json(found);
    json!({"format": FORMAT, "folder": folder, "written": written, "notes": notes,
           "findings": judged["findings"], "summary": judged["summary"]})
}
