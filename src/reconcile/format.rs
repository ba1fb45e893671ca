//! Files of a design brought into the house style.
//!
//! Owns which files those are, and that one that cannot be formatted stays as it is and keeps no other from it.

use crate::design::{self, format::Refusal};
use crate::model::formatted::{Formatted, Outcome};
use crate::world::source::{self, Brought, Options, Place, SourceError, rewrite};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What standard input is called.
const STREAM: &str = "standard input";

/// The files that `place` stands for: itself, or the KDL files of a design folder.
pub async fn files(place: &str) -> Result<Vec<PathBuf>, SourceError> {
    // What was fetched from elsewhere is a copy: formatting it would change nothing that anybody keeps.
    let Place::Folder { path, revision: None } = Place::parse(place)? else {
        return Err(SourceError::NotAFolder(place.into()));
    };
    if path.is_file() {
        return Ok(vec![path]);
    }
    let Brought::Design(tree) = source::load(place, &Options::default()).await? else {
        return Err(SourceError::NotAFolder(place.into()));
    };
    Ok(tree.files.keys().filter(|name| design::is_design(name)).map(|name| path.join(&**name)).collect())
}

/// Formats one file; with `write` also on disk.
pub fn file(formatted: &mut Formatted, path: &Path, write: bool) {
    let name: Arc<str> = path.display().to_string().into();
    let bytes = rewrite::read(path).map_err(|error| format!("it cannot be read: {error}"));
    let (text, outcome) = text(formatted, &name, bytes);
    let outcome = match text.filter(|_| write && outcome == Outcome::Changed) {
        Some(text) => match rewrite::replace(path, &text) {
            Ok(()) => Outcome::Changed,
            Err(error) => Outcome::Failed(format!("it cannot be written: {error}")),
        },
        None => outcome,
    };
    formatted.files.push((name, outcome));
}

/// Formats a stream; the text is there unless it cannot be formatted.
pub fn stream(formatted: &mut Formatted, stream: impl Read) -> Option<String> {
    let name: Arc<str> = STREAM.into();
    let bytes = rewrite::read_from(stream).map_err(|error| format!("it cannot be read: {error}"));
    let (text, outcome) = text(formatted, &name, bytes);
    formatted.files.push((name, outcome));
    text
}

fn text(
    formatted: &mut Formatted,
    name: &Arc<str>,
    bytes: Result<Vec<u8>, String>,
) -> (Option<String>, Outcome) {
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(why) => return (None, Outcome::Failed(why)),
    };
    match design::format::format(name, &bytes) {
        Ok(text) if text.as_bytes() == bytes => (Some(text), Outcome::Tidy),
        Ok(text) => (Some(text), Outcome::Changed),
        Err(Refusal::Findings(findings)) => {
            formatted.texts.insert(name.clone(), String::from_utf8_lossy(&bytes).into());
            (None, Outcome::Findings(findings))
        }
        Err(Refusal::WouldChange) => {
            let why =
                "formatting would change what it says, which is a fault of Rackwright; it stays as it is";
            (None, Outcome::Failed(why.into()))
        }
    }
}
