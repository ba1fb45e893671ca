//! KDL text to the same KDL text in the house style.
//!
//! Owns the style. Comments, their order, switched-off parts, raw texts and the spelling of numbers stay as they are;
//! what changes is white space, and that bare values get quotes. Pure: text in, text out. Works on tokens of its own
//! and not on the parser's tree, which has no place for what stands in comments and after `/-`.

mod layout;
mod same;
#[cfg(test)]
mod tests;
mod token;
mod tree;

use super::source::{LARGEST_TEXT_BYTES, SourceFile};
use super::syntax;
use crate::finding::Finding;
use std::sync::Arc;

/// Why a text was not formatted.
#[derive(Debug)]
pub enum Refusal {
    /// It is no KDL.
    Findings(Vec<Finding>),
    /// The result would have said something else: a fault of the formatter.
    WouldChange,
}

/// The text in the house style. A second time changes nothing.
pub fn format(name: &Arc<str>, bytes: &[u8]) -> Result<String, Refusal> {
    let file = SourceFile::decode(name, bytes, LARGEST_TEXT_BYTES)
        .map_err(|finding| Refusal::Findings(vec![*finding]))?;
    let before = syntax::parse(&file).map_err(Refusal::Findings)?;
    let (text, _) = file.body();
    let tokens = token::tokens(text);
    let tree = tree::read(text, &tokens).map_err(|tree::Strange| Refusal::WouldChange)?;
    let written = layout::write(&tree);
    let file =
        SourceFile::decode(name, written.as_bytes(), LARGEST_TEXT_BYTES).map_err(|_| Refusal::WouldChange)?;
    let after = syntax::parse(&file).map_err(|_| Refusal::WouldChange)?;
    match same::same((text, &before.document), (&written, &after.document)) {
        true => Ok(written),
        false => Err(Refusal::WouldChange),
    }
}
