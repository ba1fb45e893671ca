//! Selectors in KDL: findings stand at the right column of the string, however it is written.

use super::super::{Written, check, chosen, declared};
use crate::design::tests::{BASE, shown, site};
use crate::finding::Place;
use kdl::{KdlDocument, KdlEntry};

/// The finding of the first value of the first node of a KDL text.
fn finding(source: &str) -> String {
    let document: KdlDocument = source.parse().unwrap();
    let entry: &KdlEntry = document.nodes()[0].entries().last().unwrap();
    let (span, text) = (entry.span(), entry.value().as_string().unwrap());
    let place = Place::at(&"x.kdl".into(), source, span.offset(), span.len());
    let written = Written { text, place: &place, source, subject: "rollout \"x\"" };
    match check(written) {
        Ok(_) => "good".into(),
        Err(finding) => shown(&finding),
    }
}

#[test]
fn the_wrong_part_of_a_string_is_underlined() {
    let at = |source: &str| finding(source).split(' ').nth(1).unwrap().to_string();
    assert_eq!(finding("on \"rack:r1\""), "good");
    assert_eq!(
        finding("on \"rack:r1 & tga:x\""),
        "RW0070 x.kdl:1:15+3 rollout \"x\": selectors know no `tga:`\n    did you mean `tag:`?\n"
    );
    assert_eq!(at("\n  é on=\"rack:r1 & tga:x\""), "x.kdl:2:19+3");
    assert_eq!(at("on #\"tag:\"a b\" & tga:x\"#"), "x.kdl:1:18+3");
    assert_eq!(at("on rakc:r1"), "x.kdl:1:4+4");
    assert_eq!(at("on (selector)\"a & é & tga:x\""), "x.kdl:1:23+3");
    assert_eq!(at("on \"a &\""), "x.kdl:1:7+1");
}

#[test]
fn with_escapes_the_whole_value_is_underlined() {
    let at = |source: &str| finding(source).split(' ').nth(1).unwrap().to_string();
    assert_eq!(at("on \"tag:\\\"a b\\\" & tga:x\""), "x.kdl:1:4+21");
    assert_eq!(at("on \"\\\\\""), "x.kdl:1:4+4");
    assert_eq!(at("on \"\"\"\n  tga:x\n  \"\"\""), "x.kdl:1:4+17");
}

#[test]
fn choosing_nothing_is_a_warning_and_a_missing_node_an_error() {
    let site = site(&[("base.kdl", BASE)]);
    let source = "on \"n01 & !n1\"";
    let outcome = |text: &str| {
        let source = source.replace("n01 & !n1", text);
        let place = Place::at(&"x.kdl".into(), &source, 3, source.len() - 3);
        let written = Written { text, place: &place, source: &source, subject: "s" };
        let selector = check(written).unwrap();
        let (names, finding) = chosen(&selector, site.nodes.iter(), &declared(&site), written);
        (names.join(" "), finding.as_ref().map(shown).unwrap_or_default())
    };
    assert_eq!(outcome("n01"), ("n01".into(), String::new()));
    let (names, warning) = outcome("rack:r1");
    assert_eq!(names, "");
    assert!(warning.starts_with("RW0071 x.kdl:1:5+7 s: the selector `rack:r1` matches no node"), "{warning}");
    let (names, error) = outcome("n01 & !n1");
    assert_eq!(names, "");
    assert!(error.starts_with("RW0070 x.kdl:1:12+2 s: there is no node `n1`"), "{error}");
}
