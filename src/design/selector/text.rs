//! A text or a glob that other texts are held against.
//!
//! Globs are those of `globset`: `*`, `?`, `[ab]`, `[!ab]`, `{a,b}`, and `\` before a character that is meant
//! itself. `*` also goes over `/`, because none of these texts is a file's path.

use super::SelectorError;
use super::ast::Word;
use globset::{GlobBuilder, GlobSet};

#[derive(Clone, Debug)]
pub enum Text {
    Exact(Box<str>),
    /// A set of one: the set knows short cuts for plain prefixes and suffixes.
    Glob(Box<GlobSet>),
}

impl Text {
    pub fn new(word: &Word) -> Result<Text, SelectorError> {
        if !word.is_glob() {
            return Ok(Text::Exact(word.text.as_str().into()));
        }
        let glob = GlobBuilder::new(&word.text)
            .literal_separator(false)
            .backslash_escape(true)
            .case_insensitive(is_of_mac(&word.text))
            .build();
        glob.and_then(|glob| GlobSet::new([glob])).map(|set| Text::Glob(Box::new(set))).map_err(|error| {
            let message = format!("the glob `{}` is wrong: {}", shown(&word.text), error.kind());
            SelectorError::new(word.span, message, "put a text that is no glob into quotes")
        })
    }

    pub fn matches(&self, text: &str) -> bool {
        match self {
            Text::Exact(exact) => **exact == *text,
            Text::Glob(glob) => glob.is_match(text),
        }
    }
}

/// True for a glob such as `52:54:00:AB:*`: MACs have no case.
fn is_of_mac(glob: &str) -> bool {
    glob.contains(':') && glob.chars().all(|c| c.is_ascii_hexdigit() || ":*?[]{},".contains(c))
}

/// A text of the user's for a message: on one line, and not too long.
pub fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let line: String = text.chars().take(LONGEST).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() { line + "…" } else { line }
}
