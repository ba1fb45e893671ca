//! The stack: the deepest expressions that parse, in the deepest calls that are allowed, on the product's own stack.

use super::{as_in_the_product, closure, said};
use crate::script::evaluate::Program;

/// The most levels of a construct that still parse.
fn most(script: &(dyn Fn(usize) -> String + Sync)) -> usize {
    let parses = |levels: &usize| Program::compile(closure(&script(*levels))).is_ok();
    as_in_the_product(|| (1..100).take_while(parses).last().unwrap_or(0))
}

/// Around a call of itself, in as many calls as there may be.
#[test]
fn the_deepest_calls_of_the_deepest_expressions_fit() {
    let constructs: &[(&str, &str)] = &[
        ("(", " + 1)"),
        ("[", "]"),
        ("#{a: ", "}"),
        ("f(", ")"),
        ("!", ""),
        ("`${", "}`"),
        ("{ ", " }"),
        ("if x > 0 { ", " }"),
        ("switch x { _ => ", " }"),
        ("try { ", " } catch { }"),
        ("for i in 0..1 { ", " }"),
        ("[x].map(|x| ", ")"),
        ("[x, x].sort(|x, y| ", ")"),
        ("[x].reduce(|x, y| ", ", 0)"),
    ];
    for (open, close) in constructs {
        let script = |levels: usize| {
            let body = format!("{}f(x + 1){}", open.repeat(levels), close.repeat(levels));
            format!("fn f(x) {{ {body} }} fn apply(node) {{ f(1) }}")
        };
        let levels = most(&script);
        assert!(levels > 1, "{open}");
        let said = as_in_the_product(|| said(&script(levels)));
        assert!(said.contains("calls are nested more than 32 deep"), "{open} {levels}: {said:.200}");
    }
}

/// What is nested as deep as may be, at the deepest place.
#[test]
fn the_deepest_values_are_walked_in_the_deepest_calls() {
    for walk in [
        "a == a",
        "a.to_string()",
        "to_debug(a)",
        "[a].contains(a)",
        "#{x: a}.to_json()",
        "`${a}`",
        "[a, a].dedup()",
    ] {
        for around in ["[a]", "#{a: a}"] {
            let script = format!(
                "fn f(n, a) {{ if n == 0 {{ {walk} }} else {{ f(n - 1, a) }} }}
                 fn apply(node) {{ let a = 1; for i in 0..60 {{ a = {around}; }} f(28, a); 7 }}"
            );
            assert_eq!(as_in_the_product(|| said(&script)), "done: 7", "{walk} {around}");
        }
    }
}
