//! Tests of selectors: what they are read as, what is refused and where, what they match, and what holds for any
//! text at all.

mod matching;
mod properties;
mod refusals;
mod trees;
mod written;

use super::ast::{Expr, Kind, SpecPath, Test, Word};
use super::{Selector, Span, parse};

/// The tree without places, for comparing what two texts mean.
pub fn tree(text: &str) -> Expr {
    let mut expr = parse::parse(text).unwrap_or_else(|error| panic!("`{text}`: {error}"));
    forget(&mut expr);
    expr
}

fn forget(expr: &mut Expr) {
    expr.span = Span::default();
    match &mut expr.kind {
        Kind::Or(parts) | Kind::And(parts) => parts.iter_mut().for_each(forget),
        Kind::Not(inner) => forget(inner),
        Kind::Test(test) => forget_test(test),
    }
}

fn forget_test(test: &mut Test) {
    let word = |word: &mut Word| word.span = Span::default();
    let path = |path: &mut SpecPath| path.span = Span::default();
    match test {
        Test::Field(_, text) | Test::Label(text, None) => word(text),
        Test::Label(name, Some((_, value))) => {
            word(name);
            word(value);
        }
        Test::Has(at) => path(at),
        Test::Compare(at, _, value) => {
            path(at);
            word(value);
        }
    }
}

pub fn selector(text: &str) -> Selector {
    Selector::parse(text).unwrap_or_else(|error| panic!("`{text}`: {error}"))
}
