//! What selectors are read as: their normal form, and the places of their parts.

use super::super::ast::{Kind, Test};
use super::super::{Span, parse};
use super::{selector, tree};

/// A selector, and its normal form with parentheses where the tree has a branch.
const FORMS: &[(&str, &str)] = &[
    ("r1-n01", "r1-n01"),
    ("  r1-*  ", "r1-*"),
    ("r{1,2}-n[!0-3]?", "r{1,2}-n[!0-3]?"),
    ("name:r1-n01", "r1-n01"),
    ("'r1-n01'", "\"r1-n01\""),
    ("a|b|c", "a | b | c"),
    ("a&b&c", "a & b & c"),
    ("a&b|c&!d", "a & b | c & !d"),
    ("a|b&c", "a | b & c"),
    ("(a|b)&c", "(a | b) & c"),
    ("((a))", "a"),
    ("(a|b)|c", "(a | b) | c"),
    ("a&(b&c)", "a & (b & c)"),
    ("!a&b", "!a & b"),
    ("!(a&b)", "!(a & b)"),
    ("! !a", "!!a"),
    ("!rack:r3", "!rack:r3"),
    ("rack:r1 & tag:k8s & !label:role=db", "rack:r1 & tag:k8s & !label:role=db"),
    ("profile:base|hardware:r650|image:debian-*", "profile:base | hardware:r650 | image:debian-*"),
    ("label:role", "label:role"),
    ("label:role != db", "label:role!=db"),
    ("label:example.net/role='a b'", "label:example.net/role=\"a b\""),
    ("label:'a b'=c", "label:\"a b\"=c"),
    ("tag:a:b", "tag:a:b"),
    ("tag:'it is \"x\"'", "tag:'it is \"x\"'"),
    ("has:bmc.system", "has:bmc.system"),
    ("has:labels.example.net/role", "has:labels.\"example.net/role\""),
    ("hardware.boot-mode = uefi", "hardware.boot-mode=uefi"),
    ("unit>=3&unit<=7&unit<6&unit>1&unit!=4", "unit>=3 & unit<=7 & unit<6 & unit>1 & unit!=4"),
    ("boot-mac=52:54:00:12:34:01", "boot-mac=52:54:00:12:34:01"),
    ("bmc.address=https://10.17.1.1:443/x?y", "bmc.address=https://10.17.1.1:443/x?y"),
    ("hardware.bios.'Boot Mode'=Uefi", "hardware.bios.\"Boot Mode\"=Uefi"),
    ("hardware.bios.Boot.Mode=Uefi", "hardware.bios.\"Boot.Mode\"=Uefi"),
    ("hardware.firmware.bios.version=1.*", "hardware.firmware.bios.version=1.*"),
    ("params.note=\"\"", "params.note=\"\""),
    ("kernel-params.console=ttyS0,115200", "kernel-params.console=ttyS0,115200"),
];

#[test]
fn selectors_have_a_normal_form_that_means_the_same() {
    for (text, form) in FORMS {
        assert_eq!(selector(text).to_string(), *form, "{text}");
        assert_eq!(tree(text), tree(form), "{text}");
    }
}

#[test]
fn parts_know_where_they_stand() {
    let text = "a1 & !( rack:r1 | labels.x = 'y z' )";
    let expr = parse::parse(text).unwrap();
    let part = |span: Span| &text[span.offset..span.end()];
    assert_eq!(part(expr.span), text);
    let Kind::And(parts) = &expr.kind else { panic!("{expr:?}") };
    assert_eq!((part(parts[0].span), part(parts[1].span)), ("a1", "!( rack:r1 | labels.x = 'y z' )"));
    let Kind::Not(inner) = &parts[1].kind else { panic!("{expr:?}") };
    assert_eq!(part(inner.span), "( rack:r1 | labels.x = 'y z' )");
    let Kind::Or(parts) = &inner.kind else { panic!("{expr:?}") };
    let Kind::Test(Test::Compare(path, _, value)) = &parts[1].kind else { panic!("{expr:?}") };
    assert_eq!(part(parts[1].span), "labels.x = 'y z'");
    assert_eq!((part(path.span), part(value.span)), ("labels.x", "'y z'"));
    let Kind::Test(Test::Field(_, glob)) = &parts[0].kind else { panic!("{expr:?}") };
    assert_eq!(part(glob.span), "r1");
}
