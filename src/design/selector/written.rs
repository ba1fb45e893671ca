//! Selectors that stand in KDL: their errors become findings at the right column of the string.

use super::text::shown;
use super::{Declared, Selector, SelectorError, Span};
use crate::finding::{Finding, NOTHING_SELECTED, Place, SELECTOR};
use crate::model::site::Node;
use std::sync::Arc;

/// A selector as it stands in a design.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// What the KDL value came to.
    pub text: &'a str,
    /// Where the value stands, quotes and all; a property's name may stand before it.
    pub place: &'a Place,
    /// The text of the file that `place` is in.
    pub source: &'a str,
    /// What it belongs to, such as `rollout "canary"`.
    pub subject: &'a str,
}

/// Reads a selector of a design.
pub fn check(written: Written<'_>) -> Result<Selector, Box<Finding>> {
    Selector::parse(written.text).map_err(|error| Box::new(written.finding(&error)))
}

/// The nodes that a selector of a design matches, in order of name, and what is to be said of that: a name that no
/// node or thing has is an error, and then nothing is chosen; choosing nothing is a warning, because a design may be ahead
/// of its machines.
pub fn chosen<'n>(
    selector: &Selector,
    nodes: impl Iterator<Item = &'n Node> + Clone,
    declared: &Declared<'_>,
    written: Written<'_>,
) -> (Vec<Arc<str>>, Option<Finding>) {
    match selector.choose(nodes, declared) {
        Err(error) => (Vec::new(), Some(written.finding(&error))),
        Ok(names) if names.is_empty() => (names, Some(written.nothing())),
        Ok(names) => (names, None),
    }
}

impl Written<'_> {
    fn finding(&self, error: &SelectorError) -> Finding {
        Finding::new(SELECTOR, self.subject, error.message.clone())
            .at(self.at(error.span))
            .help(error.help.clone())
    }

    fn nothing(&self) -> Finding {
        let message = format!("the selector `{}` matches no node", shown(self.text));
        Finding::new(NOTHING_SELECTED, self.subject, message)
            .at(self.at(Span { offset: 0, length: self.text.len() }))
            .help("`rackwright find SELECTOR` prints what a selector matches")
    }

    /// The place of a part of the selector, or of the whole value.
    fn at(&self, part: Span) -> Place {
        match self.inner() {
            Some(start) => Place::at(&self.place.file, self.source, start + part.offset, part.length),
            None => self.place.clone(),
        }
    }

    /// Where the selector's first byte stands in the file; `None` when the string has escapes, so that columns
    /// would not be those of its text.
    fn inner(&self) -> Option<usize> {
        let start = self.place.offset as usize;
        let raw = self.source.get(start..start.checked_add(self.place.length as usize)?)?;
        let bare = raw.trim_end_matches('#');
        let bare = bare.strip_suffix('"').unwrap_or(bare);
        let before = bare.strip_suffix(self.text)?;
        // Anything else before it would be a part of the string, such as the first half of an escape.
        let opens = before.is_empty() || before.ends_with(['"', '=', ')']);
        opens.then_some(start + before.len())
    }
}
