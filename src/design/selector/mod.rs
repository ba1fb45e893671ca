//! Node selectors: one small language that says which nodes are meant, the same everywhere.
//!
//! The way through: `lex` cuts the text into tokens, `parse` makes an `Expr` with byte spans, `compile` checks it
//! against the spec and compiles its globs, `eval` asks it of nodes. `written` turns errors into findings for
//! selectors that stand in KDL. Pure, and knows no node but those that it is asked about.
//!
//! Nothing may widen by accident: an empty selector, an unknown path, a group in place of a value, or the name of
//! a node, rack, profile or another thing that is not there is an error, and what is unset or secret never answers a comparison.

mod ast;
mod compile;
mod eval;
mod lex;
mod literal;
mod parse;
mod term;
mod text;
mod written;

#[cfg(test)]
mod tests;

pub use written::{Written, check, chosen};

use crate::finding::did_you_mean;
use crate::model::site::{Node, Site};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// The longest selector: a few thousand names put together by a program.
pub const MOST_BYTES: usize = 64 << 10;
/// How deep parentheses and `!` may stand in each other.
pub const DEEPEST: usize = 32;
/// How many tests a selector may hold besides plain names, which cost next to nothing.
pub const MOST_TESTS: usize = 256;

/// The names that a design declares, by kind.
pub type Declared<'a> = dyn Fn(&'static str) -> Vec<&'a str> + 'a;

/// What a site declares.
pub fn declared<'s>(site: &'s Site) -> impl Fn(&'static str) -> Vec<&'s str> + 's {
    |kind| site.things.get(kind).into_iter().flat_map(|things| things.keys()).map(|name| &**name).collect()
}

/// A part of a selector's text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    pub offset: usize,
    pub length: usize,
}

impl Span {
    pub fn end(self) -> usize {
        self.offset + self.length
    }

    /// From the beginning of `self` to the end of `last`.
    fn to(self, last: Span) -> Span {
        Span { offset: self.offset, length: last.end().saturating_sub(self.offset) }
    }
}

/// Why a selector cannot be understood, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SelectorError {
    pub message: String,
    pub span: Span,
    pub help: String,
}

impl SelectorError {
    fn new(span: Span, message: impl Into<String>, help: impl Into<String>) -> SelectorError {
        SelectorError { message: message.into(), span, help: help.into() }
    }
}

/// A selector that was understood, ready to be asked of any number of nodes.
#[derive(Clone, Debug)]
pub struct Selector {
    expr: ast::Expr,
    matcher: eval::Matcher,
}

impl Selector {
    pub fn parse(text: &str) -> Result<Selector, SelectorError> {
        let expr = parse::parse(text)?;
        let matcher = compile::compile(&expr)?;
        Ok(Selector { expr, matcher })
    }

    pub fn matches(&self, node: &Node) -> bool {
        self.matcher.matches(node)
    }

    /// The names of the nodes that it matches, in their order; there may be none. A plain name that no node has is
    /// an error, and so is a rack, profile or another thing that is not declared: a slip of the pen under `!` would
    /// choose everything. `declared` gives the names of a kind.
    pub fn choose<'n>(
        &self,
        nodes: impl Iterator<Item = &'n Node> + Clone,
        declared: &Declared<'_>,
    ) -> Result<Vec<Arc<str>>, SelectorError> {
        let mut missing = self.expr.plain_names();
        if !missing.is_empty() {
            let mut wanted: HashSet<&str> = missing.iter().map(|(name, _)| *name).collect();
            nodes
                .clone()
                .take_while(|node| !(wanted.remove(&*node.name) && wanted.is_empty()))
                .for_each(drop);
            missing.retain(|(name, _)| wanted.contains(name));
        }
        if let Some((name, span)) = missing.first().copied() {
            let help = match did_you_mean(name, nodes.map(|node| &*node.name)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write the name of a node, or a glob such as `r1-*`".to_string(),
            };
            return Err(SelectorError::new(span, format!("there is no node `{}`", text::shown(name)), help));
        }
        self.check_things(declared)?;
        Ok(nodes.filter(|node| self.matches(node)).map(|node| node.name.clone()).collect())
    }
}

impl Selector {
    fn check_things(&self, declared: &Declared<'_>) -> Result<(), SelectorError> {
        for (kind, word) in self.expr.things() {
            let known = declared(kind);
            // Racks are free names until the first is declared.
            let free = kind == "rack" && known.is_empty();
            if free || known.iter().any(|name| *name == word.text) {
                continue;
            }
            let help = match did_you_mean(&word.text, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write the name of a {kind} of the design, or a glob such as `{kind}:a*`"),
            };
            let message = format!("there is no {kind} `{}`", text::shown(&word.text));
            return Err(SelectorError::new(word.span, message, help));
        }
        Ok(())
    }
}

impl fmt::Display for Selector {
    /// The selector in its normal form; it parses to the same selector.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)
    }
}
