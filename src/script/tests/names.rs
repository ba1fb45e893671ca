//! Names: operators, built-ins and modules in whose place a script puts its own, and values that it keeps.

use super::Ends::{Done, Failed, Refused, Wants};
use super::all_end;

#[test]
fn operators_and_keywords_keep_their_meaning() {
    all_end(&[
        ("fn ==(a, b) { true } fn apply(node) { 1 }", Refused("Expecting function name")),
        ("fn +(a, b) { 1 } fn apply(node) { 1 }", Refused("Expecting function name")),
        ("fn if(a) { 1 } fn apply(node) { 1 }", Refused("")),
        ("fn call(a) { 1 } fn apply(node) { 1 }", Refused("reserved")),
        ("fn Fn(a) { 1 } fn apply(node) { 1 }", Refused("reserved")),
        ("fn this(a) { 1 } fn apply(node) { 1 }", Refused("")),
        ("let bmc = 5; bmc + 1", Done("6")),
        ("let bmc = 5; bmc::power(node)", Wants("bmc.power")),
        ("var x = 1;", Refused("reserved")),
        ("let x = 1 ??? 2", Refused("")),
    ]);
}

#[test]
fn built_in_names_are_not_taken() {
    for name in [
        "len",
        "map",
        "filter",
        "sort",
        "replace",
        "split",
        "pad",
        "to_string",
        "is_unknown",
        "unknown",
        "type_of",
    ] {
        let script = format!("fn {name}(x) {{ 1 }} fn apply(node) {{ 1 }}");
        let said = super::said(&script);
        assert!(said.starts_with("refused: ") && said.contains(name), "{script}: {said}");
    }
    all_end(&[
        (
            "import \"a\" as bmc; fn apply(node) { bmc::power_on(node) }\n==== scripts/a.rhai\nfn power_on(n) { 1 }",
            Refused("an import takes the name `bmc`, which is built in"),
        ),
        ("import \"a\" as global; 1\n==== scripts/a.rhai\n", Refused("")),
        ("import \"a\" as log; 1\n==== scripts/a.rhai\n", Refused("`log`, which is built in")),
        // A task's own functions have names that stand for something; a method would be one of them.
        (
            "fn remove(node) { bmc::power_off(node) } fn apply(node) { let m = #{a: 1}; m.remove(\"a\"); m }",
            Refused("`remove` is called as a method"),
        ),
        ("fn power_on(node) { 7 } fn apply(node) { power_on(node) }", Done("7")),
        ("import \"a\" as x; x::bmc::power_on(node)\n==== scripts/a.rhai\n", Failed("x::bmc")),
        ("node.bmc::power_on()", Refused("")),
        ("let f = bmc::power_on; 1", Failed("power_on")),
        ("Fn(\"bmc::power_on\").call(node)", Failed("bmc::power_on")),
        ("Fn(\"power_on\").call(node)", Failed("power_on")),
        ("call(\"x\", node)", Failed("expecting Fn")),
    ]);
}

#[test]
fn the_top_of_a_file_does_nothing() {
    let refused = "a statement stands outside of every function";
    all_end(&[
        ("log::info(\"x\"); fn apply(node) { 1 }", Refused(refused)),
        ("let x = 5; fn apply(node) { 1 }", Refused(refused)),
        ("loop { } fn apply(node) { 1 }", Refused(refused)),
        ("const X = bmc::power(); fn apply(node) { 1 }", Refused(refused)),
        ("fn f() { 1 } const X = f(); fn apply(node) { 1 }", Refused(refused)),
        (
            "import \"a\" as a; 1\n==== scripts/a.rhai\nlog::info(\"x\");",
            Refused("`scripts/a.rhai`: a statement stands outside"),
        ),
        (
            "const X = 6 * 7; const Y = #{a: [1, \"b\"]}; fn apply(node) { [global::X, global::Y.a] }",
            Done("[42,[1,\"b\"]]"),
        ),
        ("const X = 1; fn apply(node) { global::X = 2; }", Failed("Cannot modify constant X")),
        ("const X = [1]; fn apply(node) { global::X.push(2); global::X }", Failed("")),
        ("import \"a\" as a; a::Y\n==== scripts/a.rhai\nexport const Y = 3;", Done("3")),
    ]);
}

#[test]
fn closures_are_used_and_not_kept() {
    let kept = "a closure that uses variables from around it is kept";
    all_end(&[
        ("let y = 2; [3, 1].map(|x| x + y)", Done("[5,3]")),
        ("let y = 2; map([3, 1], |x| x + y)", Done("[5,3]")),
        ("let y = 2; [3, 1].map(|x| [1].map(|z| x + y + z))", Done("[[6],[4]]")),
        ("let sum = 0; [3, 1].for_each(|x| sum += x); sum", Done("4")),
        ("let y = 1; [3, 1, 2].reduce(|sum, x| sum + x * y, 0)", Done("6")),
        ("let f = |x| x + 1; f.call(1)", Done("2")),
        ("let y = 2; let f = |x| x + y; f.call(1)", Refused(kept)),
        ("let y = 2; let a = [|x| x + y];", Refused(kept)),
        ("let y = 2; let a = [1]; a.push(|x| x + y);", Refused(kept)),
        ("let y = 2; #{ f: || y }", Refused(kept)),
        ("let y = 2; || y", Refused(kept)),
        ("let y = 2; return || y;", Refused(kept)),
        ("let y = 2; throw || y;", Refused(kept)),
        ("fn f(g) { g } fn apply(node) { let y = 2; f(|| y) }", Refused(kept)),
        ("let y = 2; [1].reduce(|a, b| a, || y)", Refused(kept)),
        ("let y = 2; [1].contains(|| y)", Refused(kept)),
        ("let y = 2; [1].map({ let z = || y; z })", Refused(kept)),
        ("let y = 2; [1].map(if true { || y } else { || 1 })", Done("[2]")),
        ("let y = 2; (|| y).call()", Refused(kept)),
        ("let a = #{}; let f = || a; a.f = f;", Refused(kept)),
        ("fn f() { 1 } fn apply(node) { Fn(\"f\").curry(1) }", Refused("")),
        ("fn f() { 1 } fn apply(node) { curry(Fn(\"f\"), 1) }", Refused("curry")),
        (
            "fn g() { 1 } fn apply(node) { let y = 1; g!() }",
            Refused("reaches into the variables of its caller"),
        ),
        ("let a = [1]; let b = [a.map(|x| a)]; b", Failed("")),
    ]);
}

#[test]
fn there_is_no_receiver() {
    all_end(&[
        ("fn f() { this = 5 } fn apply(node) { node.f() }", Refused("'this' is disabled")),
        ("[1, 2].for_each(|| this += 1)", Refused("'this' is disabled")),
        ("fn f() { 1 } fn apply(node) { node.f() }", Done("1")),
        ("fn int.f() { 1 } fn apply(node) { 5.f() }", Done("1")),
    ]);
}
