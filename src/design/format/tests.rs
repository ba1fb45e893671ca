//! Texts before and after; everything that is written in this repository; and KDL that nobody would write.
//!
//! The formatter refuses what it would change; here a refusal fails, so that it has nothing to refuse.

use super::{Refusal, format};
use crate::design::tests::{self, fixtures};
use proptest::prelude::*;
use regex::Regex;
use std::path::PathBuf;

/// Formats, and formats again.
fn formatted(text: &str) -> String {
    let name = "x.kdl".into();
    let once = match format(&name, text.as_bytes()) {
        Ok(once) => once,
        Err(why) => panic!("{why:?}: {text:?}"),
    };
    let twice = format(&name, once.as_bytes()).unwrap();
    assert_eq!(twice, once, "{text:?}");
    once
}

#[track_caller]
fn check(before: &str, after: &str) {
    assert_eq!(formatted(before), after, "{before:?}");
}

#[test]
fn white_space_follows_the_style() {
    check("", "");
    check("\n\n", "");
    check("\u{feff}a", "a\n");
    check("a  1\t\"b\"   c=2", "a 1 \"b\" c=2\n");
    check("a {\nb\n  c {\nd\n}\n}", "a {\n    b\n    c {\n        d\n    }\n}\n");
    check("\n\na\n\n\n\nb\nc\n\n", "a\n\nb\nc\n");
    check("a {\n\n\nb\n\n\nc\n\n\n}", "a {\n    b\n\n    c\n}\n");
    check("a\r\nb {\r\nc\r\n}\r\n", "a\nb {\n    c\n}\n");
    check("a ( secret ) \"x\" b = (t)1", "a (secret)\"x\" b=(t)1\n");
    check("a{b}", "a { b }\n");
    check("a{}\nb {\n}", "a { }\nb { }\n");
}

#[test]
fn values_get_quotes_and_everything_else_stays_as_it_is_spelt() {
    check("a b c=d", "a \"b\" c=\"d\"\n");
    check("\"a\" \"b\" \"c\"=\"d\" (e)f", "\"a\" \"b\" \"c\"=\"d\" (e)\"f\"\n");
    let kept = "a 0x1F 1_000 +2 -3.5e10 #true #null #inf #\"raw \"x\"\"# ##\"\"#\"## \"tab\\t\\u{41}\"\n";
    check(kept, kept);
    let lines = "a \"\"\"\n    one\n      two\n    \"\"\" 2\nb #\"\"\"\n  \"x\"\n  \"\"\"#\n";
    check(lines, lines);
}

#[test]
fn statements_on_one_line_stay_there_while_they_fit() {
    check("a;b ;c;", "a; b; c\n");
    check("x {a;b ;\n c}", "x {\n    a; b\n    c\n}\n");
    let name = "n".repeat(50);
    check(&format!("{name}; {name} {{ a }}"), &format!("{name}; {name} {{ a }}\n"));
    check(&format!("{name}; {name}; {name}"), &format!("{name}\n{name}\n{name}\n"));
    check(
        &format!("a {{ {name}; {name}; {name} }}"),
        &format!("a {{\n    {name}\n    {name}\n    {name}\n}}\n"),
    );
    check(
        &format!("a {{ b {{ {name}; {name} }}; c {name} }}"),
        &format!("a {{\n    b {{ {name}; {name} }}\n    c \"{name}\"\n}}\n"),
    );
}

#[test]
fn comments_stay_where_they_are() {
    check("// a\n\n\n   //b  \nc // d", "// a\n\n//b\nc // d\n");
    check(
        "a {   // b\n// c\nd     // e\n// f\n}  // g",
        "a {   // b\n    // c\n    d     // e\n    // f\n}  // g\n",
    );
    check(
        "/* a */ b /* c */ 1 /* d */; /* e */\n/* f */\n",
        "/* a */ b /* c */ 1 /* d */; /* e */\n/* f */\n",
    );
    check("a {\n/* b\n   c */\nd\n}", "a {\n    /* b\n   c */\n    d\n}\n");
    check("a { /* b */ }\nc { d; /* e */ }", "a { /* b */ }\nc { d; /* e */ }\n");
    check("a b=/*c*/(/*d*/e/*f*/)/*g*/h", "a b= /*c*/ ( /*d*/ e /*f*/ ) /*g*/ \"h\"\n");
    check("a /* b /* c */ */ 1", "a /* b /* c */ */ 1\n");
}

#[test]
fn what_is_switched_off_stays_switched_off() {
    check("/-  a 1 {\nb\n}\nc", "/-a 1 {\n    b\n}\nc\n");
    check("a /- 1 /-b=2 /- { c } { d } /-{ e }", "a /-1 /-b=2 /-{ c } { d } /-{ e }\n");
    check("/- kdl-version 2\na", "/-kdl-version 2\na\n");
    check("/- // why\na 1", "/- // why\n    a 1\n");
    check("a /- /* why */ 1", "a /- /* why */ 1\n");
}

#[test]
fn continued_lines_stay_continued() {
    check("a 1 \\\n2 \\  // b\n  c=3", "a 1 \\\n    2 \\ // b\n    c=3\n");
    check("a \\\n{ b }", "a { b }\n");
    check("a \\\n\nb", "a\nb\n");
    check("a \\ // b\n\nc", "a // b\nc\n");
    check("a \\ // b\n; c", "a // b\nc\n");
    check("a \\ // b\n \\ // c\n// d\ne", "a // b\n// c\n// d\ne\n");
}

/// What guards against a fault of the layout sees every kind of loss.
#[test]
fn texts_that_say_something_else_are_told_apart() {
    let same = |before: &str, after: &str| {
        let [old, new] = [before, after].map(|text| kdl::KdlDocument::parse_v2(text).unwrap());
        super::same::same((before, &old), (after, &new))
    };
    let text = "a 1 b=x { c; d /-2 } // e\n/-f";
    assert!(same(text, "a 1 b=\"x\" {\n    c\n    d /-2\n} // e\n/-f\n"));
    for (from, to) in
        [("1", "2"), ("b=", "z="), ("x", "y"), ("c; d", "d; c"), ("/-2", ""), ("// e", ""), ("f", "g")]
    {
        assert!(!same(text, &text.replacen(from, to, 1)), "{from} → {to}");
    }
    assert!(!same("a { }", "a") && !same("a 1", "a 1.0") && !same("a (t)1", "a 1"));
}

#[test]
fn what_is_no_kdl_has_findings() {
    let refused = |bytes: &[u8]| match format(&"x.kdl".into(), bytes) {
        Err(Refusal::Findings(findings)) => findings[0].code.number,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(b"a {"), 1);
    assert_eq!(refused(b"a \xff"), 2);
    assert_eq!(refused("{".repeat(30).as_bytes()), 16);
}

/// What a design comes to, without the places in its text.
fn meaning(files: &[(&str, &[u8])]) -> String {
    let compiled = tests::compiled(files);
    let text = format!("{:?}\n{:#?}", compiled.site, compiled.findings);
    let places = Regex::new(r"(?s)Place \{.*?\}|\.kdl:\d+(:\d+)?").unwrap();
    places.replace_all(&text, "").into_owned()
}

/// The meaning is the same when every file that is KDL has been formatted; true when that made a difference.
fn means_the_same(what: &str, files: &[(&str, &[u8])]) -> bool {
    let tidy: Vec<(&str, Vec<u8>)> = files
        .iter()
        .map(|(name, bytes)| match format(&(*name).into(), bytes) {
            Ok(text) if name.ends_with(".kdl") => (*name, formatted(&text).into_bytes()),
            Err(Refusal::WouldChange) => panic!("{what}: {name}"),
            _ => (*name, bytes.to_vec()),
        })
        .collect();
    let tidy: Vec<(&str, &[u8])> = tidy.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    assert_eq!(meaning(&tidy), meaning(files), "{what}");
    tidy != files
}

#[test]
fn no_fixture_changes_its_meaning() {
    let changed = fixtures::all().into_iter().filter(|(name, text)| {
        let (files, _) = fixtures::parts(text);
        means_the_same(name, &files)
    });
    assert!(changed.count() > 10, "the fixtures are formatted already and prove nothing");
}

/// Every KDL file below a folder of this repository.
fn on_disk(folder: &str) -> Vec<(String, String)> {
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|ending| ending == "kdl") => {
                    files.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
                }
                false => {}
            }
        }
    }
    files
}

#[test]
fn the_designs_are_formatted() {
    let files = on_disk("designs");
    assert!(files.len() > 2);
    for (name, text) in files {
        assert_eq!(formatted(&text), text, "{name}: run `rackwright fmt`");
    }
}

fn one_of(texts: &'static [&'static str]) -> BoxedStrategy<String> {
    prop::sample::select(texts).prop_map(String::from).boxed()
}

/// White space inside of a KDL node, comments included.
const GAPS: &[&str] =
    &[" ", " ", " ", "  ", "\t", " /* a\n b */ ", "/*c*/ ", " \\\n ", " \\ // d\n\t", " \\\r\n", "\u{a0}"];
const VALUES: &[&str] = &[
    "1",
    "0x1F",
    "-2.50",
    "1_0e+3",
    "#true",
    "#null",
    "#nan",
    "bare",
    "-",
    "a-b.c",
    "\"\"",
    "\"q\\n\"",
    "#\"r\"aw\"#",
    "\"\"\"\n  m\n    n\n  \"\"\"",
    "#\"\"\"\n\\\n\"\"\"#",
    "\"a\\  \n  b\"",
    "\"// no\"",
    "\"{;}\"",
    "(t)5",
    "( t )x",
    "\u{e9}",
    "\"\"\"\r\n  m\r\n  \"\"\"",
];
const OFF: &[&str] = &["", "", "", "", "", "", "/-", "/- // off\n"];
const KEYS: &[&str] = &["", "", "", "k=", "\"k\"= "];
const STARTS: &[&str] = &["", "", "", "  ", "/-", "/- ", "// h\n", "/* i */", "/* j */ \n", "/-\n", "\\\n"];
const NAMES: &[&str] = &["n", "\"n\"", "(t)n", "a-long-name-so-that-lines-are-full-at-some-time"];
const ENDS: &[&str] = &[
    "\n",
    "\n\n",
    "\n\n\n",
    ";",
    " ; ",
    ";\n",
    " // e\n",
    "\t// f\n\n",
    " /* g */\n",
    "\r\n",
    " \\\n\n",
    " \\ // l\n\n",
];
const OPEN: &[&str] = &["{", " { ", "{\n", " {// k\n", "/-{", " \\\n{"];
const CLOSE: &[&str] = &["}", " }", "\n}"];

/// A KDL node without its block and its end.
fn head() -> BoxedStrategy<String> {
    let entry = (one_of(GAPS), one_of(OFF), one_of(KEYS), one_of(VALUES));
    let entry = entry.prop_map(|(gap, off, key, value)| [gap, off, key, value].concat());
    (one_of(STARTS), one_of(NAMES), prop::collection::vec(entry, 0..4))
        .prop_map(|(start, name, entries)| [start, name, entries.concat()].concat())
        .boxed()
}

/// Lines of KDL nodes, comments between them, blocks inside of them.
fn document() -> impl Strategy<Value = String> {
    let flat = (head(), one_of(ENDS)).prop_map(|(head, end)| [head, end].concat());
    let lines = prop::collection::vec(flat, 0..4).prop_map(|lines| lines.concat());
    lines.prop_recursive(3, 24, 4, |inner| {
        let nested = (head(), one_of(OPEN), inner, one_of(CLOSE), one_of(ENDS))
            .prop_map(|(head, open, inner, close, end)| [head, open, inner, close, end].concat());
        prop::collection::vec(nested, 1..4).prop_map(|nodes| nodes.concat())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, max_global_rejects: 5_000, ..ProptestConfig::default() })]

    #[test]
    fn anything_that_is_kdl_can_be_formatted(text in document()) {
        let is_kdl = !matches!(format(&"x.kdl".into(), text.as_bytes()), Err(Refusal::Findings(_)));
        prop_assume!(is_kdl);
        formatted(&text);
    }
}
