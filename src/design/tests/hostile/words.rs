//! The words of the language, all of them, in any order; marks and patterns anywhere; selectors of any letters.

use super::{BASE, SECRET, cases, judged};
use crate::design::kinds::KINDS;
use crate::design::schema::{Shape, Slot};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Every name of a KDL node and of a property that the language has.
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut names = BTreeSet::new();
    let mut open: Vec<&'static Shape> = KINDS.iter().collect();
    while let Some(shape) = open.pop() {
        if names.insert(shape.name) {
            open.extend(shape.each_child());
        }
        names.extend(shape.properties.iter().map(|slot: &Slot| slot.name));
    }
    names.into_iter().collect()
});

const MARKS: &[&str] = &["", "", "", "(ref)", "(var)", "(text)", "(secret)", "(other)"];

const VALUES: &[&str] = &[
    "a",
    "n01",
    "base",
    "pxe",
    "env:X",
    "{a}",
    "{{a",
    "{a:02x}",
    "}",
    "{",
    "{}",
    "{a:99}",
    "1..3",
    "3..1",
    "1..99999999",
    "a,b",
    "hardware.cpuset.x",
    "node:n01",
    "hardware.bios.Cores",
    "10.20.0.11",
    "10.20.0.0/21",
    "300.1.1.1",
    "0.0.0.0/0",
    "10.20.0.1/33",
    "52:54:00:12:34:01",
    "auto",
    "dhcp",
    "20GiB",
    ">1TiB",
    "<40%",
    "100%",
    "101%",
    "18446744073709551615GiB",
    "1h",
    "99999999999999h",
    "1e9d",
    "0-3,5",
    "3-0",
    "0-99999999",
    "2M",
    "0644",
    "0999",
    "https://u:p@h/",
    "https://",
    "files/k",
    "../x",
    "/abs",
    "a/../../b",
    "tag:a & !rack:*",
    "((",
    "label:",
    "has:bmc.password",
    "!",
    "*",
    "",
    " ",
    "é\u{301}",
    "[!a-",
    "sha256:00",
    "802.3ad",
    "swap",
    "std/bios",
    "std/install",
    "redfish",
    "ipmi",
    "(",
    "==== x",
];

/// One statement: a node's name, values with marks, properties, and perhaps statements in braces.
fn statement() -> impl Strategy<Value = String> {
    let name = || prop::sample::select(NAMES.as_slice());
    let text = prop_oneof![
        prop::sample::select(VALUES).prop_map(|text| format!("{text:?}")),
        prop::sample::select(&["#null", "#true", "1", "-7", "1.5", "#nan", "99999999999999999999"][..])
            .prop_map(str::to_string),
    ];
    let value = (prop::sample::select(MARKS), text).prop_map(|(mark, text)| format!("{mark}{text}"));
    let property = (name(), value.clone()).prop_map(|(name, value)| format!("{name}={value}"));
    let entry = prop_oneof![value, property];
    let line = (name(), prop::collection::vec(entry, 0..4))
        .prop_map(|(name, entries)| format!("{name} {}", entries.join(" ")));
    line.prop_recursive(4, 24, 6, move |inner| {
        let name = prop::sample::select(NAMES.as_slice());
        let value = prop::sample::select(VALUES);
        (name, value, prop::collection::vec(inner, 0..6))
            .prop_map(|(name, value, inner)| format!("{name} {value:?} {{\n{}\n}}", inner.join("\n")))
    })
}

/// A selector in a KDL text, letter by letter as an escape or as it is.
fn escaped(text: &str, escapes: &[bool]) -> String {
    let mut written = String::new();
    for (index, letter) in text.chars().enumerate() {
        match escapes.get(index % escapes.len().max(1)) {
            Some(true) => written += &format!("\\u{{{:x}}}", letter as u32),
            _ if matches!(letter, '"' | '\\') || letter.is_control() => {
                written += &format!("\\u{{{:x}}}", letter as u32)
            }
            _ => written.push(letter),
        }
    }
    written
}

fn with_base(text: String) -> Vec<(String, Vec<u8>)> {
    vec![("base.kdl".into(), BASE.into()), ("x.kdl".into(), text.into_bytes())]
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn statements_of_the_language_never_panic(statements in prop::collection::vec(statement(), 1..6)) {
        judged(&with_base(statements.join("\n")));
    }

    #[test]
    fn a_selector_with_escapes_is_underlined_inside_its_text(
        text in "(tag:|rack:|label:|has:|name:|profile=|[a-z.-]{1,4}[!<>=]{0,2}|[&|!()\\[\\]{},*?'\"\\\\ é\u{1F600}]|[0-9]{1,3}(GiB)?){0,12}",
        escapes in prop::collection::vec(any::<bool>(), 1..5),
    ) {
        judged(&with_base(format!("boot-action \"a\" {{ on \"{}\" }}", escaped(&text, &escapes))));
    }

    #[test]
    fn a_planted_secret_is_in_no_finding(
        name in prop::sample::select(&["password", "passwrod", "token", "user", "pasword"][..]),
        mark in prop::sample::select(&["", "(secret)", "(scret)", "(secret)", "(text)"][..]),
        kind in prop::sample::select(&["bmc \"redfish\"", "bmc", "bmc \"ipmi\" address=\"x\""][..]),
        block in any::<bool>(),
    ) {
        let holder = if block { "nodes \"m{a}\" a=\"1..2\"" } else { "profile \"p\"" };
        // A user's name is no secret: only under a mark is it one.
        prop_assume!(name != "user" || mark == "(secret)");
        let compiled = judged(&with_base(format!("{holder} {{ {kind} {name}={mark}\"{SECRET}\" }}")));
        if name.starts_with("pass") || mark == "(secret)" {
            prop_assert!(!compiled.texts["x.kdl"].contains(SECRET));
        }
    }
}
