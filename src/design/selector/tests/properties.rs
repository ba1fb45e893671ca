//! What holds for any text: nothing panics, errors point into the text, and the normal form means the same.

use super::super::{Selector, parse};
use super::tree;
use proptest::prelude::*;

/// Pieces of selectors, so that many of the texts made from them can be read.
const PIECES: &[&str] = &[
    "&",
    "|",
    "!",
    "(",
    ")",
    "=",
    "!=",
    "<",
    ">=",
    " ",
    "\"",
    "'",
    "é",
    "\u{0}",
    "\\",
    "[",
    "[!",
    "]",
    "{",
    "}",
    ",",
    ":",
    ".",
    "*",
    "r1",
    "rack:",
    "name:",
    "tag:",
    "label:",
    "has:",
    "label:role=",
    "labels.a.b",
    "hardware.bios.\"Boot Mode\"",
    "unit",
    "20GiB",
    "'a b'",
    "\"it's\"",
    "#true",
];

fn soup() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat())
}

/// Selectors that can be read, of any shape.
fn readable() -> impl Strategy<Value = String> {
    let test = prop::sample::select(vec![
        "r1-n01",
        "r{1,2}-[!a]*",
        "'r1'",
        "name:x:y",
        "rack:r1",
        "tag:\"a b\"",
        "label:role",
        "label:'a.b'!=\"it's\"",
        "has:labels.a.b",
        "unit>=3",
        "hardware.bios.'x y'='\"'",
        "params.x=\"\"",
    ]);
    test.prop_map(str::to_string).prop_recursive(8, 64, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| format!("!({inner})")),
            inner.clone().prop_map(|inner| format!("({inner})")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| parts.join(" & ")),
            prop::collection::vec(inner, 2..4).prop_map(|parts| parts.join("|")),
        ]
    })
}

/// Reads a text and, when it can be read, its normal form.
fn holds(text: &str) {
    match Selector::parse(text) {
        Ok(selector) => {
            let form = selector.to_string();
            assert_eq!(tree(text), tree(&form), "`{text}` and `{form}`");
            assert_eq!(Selector::parse(&form).unwrap().to_string(), form);
        }
        Err(error) => {
            let part = text.get(error.span.offset..error.span.end());
            assert!(part.is_some(), "`{text}`: {error:?} points outside");
            assert!(!error.message.is_empty() && !error.help.is_empty());
            assert!(!error.message.contains(char::is_control), "`{text}`: {error:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        holds(&text);
    }

    #[test]
    fn any_pieces_are_read_or_refused(text in soup()) {
        holds(&text);
    }

    #[test]
    fn the_normal_form_means_the_same(text in readable()) {
        prop_assert!(parse::parse(&text).is_ok(), "{}", text);
        holds(&text);
    }
}
