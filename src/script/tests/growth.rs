//! Growth: loops that do not end, and values that would take all memory.

use super::Ends::{Done, Failed, Refused};
use super::all_end;

const STEPS: &str = "the script took more than 2000000 steps";
const MEMORY: &str = "the script's values take more than 32 MiB";
const NAMES: &str = "the names in a map take more than 256 KiB";
const DEEP: &str = "nested more than 64 deep";
const TEXT: &str = "a text has more than 256 KiB";
const LIST: &str = "a list has more than 20000 items";
const MAP: &str = "a map has more than 20000 entries";

#[test]
fn whatever_does_not_end_is_ended() {
    all_end(&[
        ("loop {}", Failed(STEPS)),
        ("while true {}", Failed(STEPS)),
        ("do { } until false", Failed(STEPS)),
        ("let k = 0; for i in 0..9223372036854775807 { k = i; }", Failed(STEPS)),
        ("let k = 0; for i in range(0.0, 1.0, 1e-300) { k = i; }", Failed(STEPS)),
        ("let k = 0; for i in range(0, 10, 0) { k = i; }", Failed("step value cannot be zero")),
        ("for i in range(9223372036854775800, 9223372036854775807, 5) {} 1", Done("1")),
        ("loop { try { loop {} } catch { } }", Failed(STEPS)),
        ("let a = [1]; for x in a { a.push(x); } a", Done("[1,1]")),
        ("let s = \"a\"; s.pad(10, \"\"); s", Failed("`pad` has nothing to pad with")),
        ("let s = \"a\"; s.replace(\"\", \"\"); s", Done("\"a\"")),
        // Steps within a callback are steps.
        ("let a = []; a.pad(2000, 0); loop { a.map(|x| 1); }", Failed(STEPS)),
        ("let a = []; a.pad(20, 0); loop { a.sort(|x, y| { for i in 0..99 {} 0 }); }", Failed(STEPS)),
        // A step with a large value is worth many.
        ("let m = #{}; for i in 0..2000 { m[`k${i}`] = i; } loop { let b = m; }", Failed(STEPS)),
        ("let t = \"\"; t.pad(200000, \"x\"); loop { t.contains(\"y\"); }", Failed(STEPS)),
        ("let t = []; t.pad(15000, 0); loop { t == t; }", Failed(STEPS)),
        ("let t = []; t.pad(10000, 0); loop { t.contains(t); }", Failed(STEPS)),
    ]);
}

#[test]
fn nothing_grows_without_bound() {
    all_end(&[
        ("let s = \"x\"; loop { s += s; }", Failed(TEXT)),
        ("let s = \"x\"; loop { s = `${s}${s}`; }", Failed(TEXT)),
        ("let s = \"x\"; loop { s = s + s; }", Failed(TEXT)),
        ("let s = \"ü\"; s.pad(9223372036854775807, \"ü\");", Failed(TEXT)),
        ("let s = \"ü\"; s.pad(200000, \"ü\");", Failed(TEXT)),
        ("let s = \"a\"; s.pad(20000, \"a\"); s.replace(\"a\", s);", Failed(TEXT)),
        ("let s = \"a\"; s.pad(20000, \"a\"); s.replace('a', s);", Failed(TEXT)),
        ("let s = \"a\"; s.pad(200000, \"a\"); s.replace(\"\", \"bb\");", Failed(TEXT)),
        ("let s = \"a\"; s.pad(60000, '\\u0001'); to_debug(s)", Failed(TEXT)),
        ("let s = \"a\"; s.pad(60000, '\\u0001'); #{a: s}.to_json()", Failed(TEXT)),
        ("let s = \"x\"; s.pad(200000, \"x\"); s.split(\"\")", Failed(LIST)),
        ("let s = \"x\"; s.pad(200000, \"x\"); s.to_chars()", Failed(LIST)),
        ("let s = \" \"; s.pad(200000, \"x \"); s.split()", Failed(LIST)),
        ("let s = \" \"; s.pad(200000, \"x \"); s.split_rev(' ', 30000)", Failed(LIST)),
        ("let a = [1]; loop { a += a; }", Failed(LIST)),
        ("let a = [1]; loop { a.append(a); }", Failed(LIST)),
        ("let a = [1]; loop { a.splice(0, 0, a); }", Failed(LIST)),
        ("let a = [1]; loop { a.insert(0, a); }", Failed(LIST)),
        ("let a = []; a.pad(9223372036854775807, 0);", Failed(LIST)),
        // Sixteen thousand times 2^50 is nothing, where numbers wrap around.
        ("let i = []; i.pad(16383, 0); let a = []; a.pad(1125899906842624, i);", Failed(LIST)),
        ("let a = [0]; loop { a = [a, a]; }", Failed(LIST)),
        ("let m = #{a: 0}; let i = 0; loop { i += 1; m += #{a: 0}; m[`${i}`] = [m]; }", Failed("")),
        ("let m = #{}; let i = 0; loop { i += 1; let n = #{}; n[`x${i}`] = m; m = n; }", Failed(DEEP)),
        (
            "let m = #{}; for i in 0..200 { m[`${i}`] = 0; } for i in 0..7 { m = #{a: m, b: m}; } m",
            Failed(MAP),
        ),
        (
            "let b = \"x\"; b.pad(9000, \"x\"); let a = []; let c = b.to_blob(); loop { a.push(c); }",
            Failed(LIST),
        ),
    ]);
}

#[test]
fn what_lengths_do_not_show_is_counted() {
    all_end(&[
        // A list to which nothing went has room for all of it.
        ("let a = []; let b = []; b.pad(4000, 0); loop { a.push(b.drain(|x| false)); }", Failed("")),
        // Keys are texts too.
        (
            "let m = #{}; let k = \"\"; k.pad(200000, \"k\"); let i = 0; loop { i += 1; m[k + i] = 1; }",
            Failed(NAMES),
        ),
        (
            "let m = #{}; let k = \"\"; k.pad(200000, \"k\"); m[k] = 1; let a = []; a.pad(20000, m);",
            Failed(MEMORY),
        ),
        // Every variable of every call.
        (
            "fn f(n) { let a = \"\"; a.pad(250000, \"a\"); let b = a + \"b\"; let c = a + \"c\"; let d = a + \"d\"; let e = a + \"e\"; f(n + 1) } fn apply(node) { f(0) }",
            Failed(MEMORY),
        ),
    ]);
}

#[test]
fn nothing_is_nested_without_bound() {
    all_end(&[
        ("let a = []; loop { a = [a]; }", Failed(DEEP)),
        ("let a = []; loop { a = [#{x: a}]; }", Failed(DEEP)),
        ("let a = #{}; loop { a = #{a: a}; }", Failed(DEEP)),
        ("let a = []; loop { let b = []; b.push(a); a = b; }", Failed(DEEP)),
        ("let a = []; loop { a.push(a); }", Failed(LIST)),
        ("let a = []; loop { a = [1].map(|x| [a]); }", Failed(DEEP)),
        ("let a = []; loop { a = [1, 2].reduce(|sum, x| [sum], a); }", Failed(DEEP)),
        ("fn f(x) { [x] } fn apply(node) { let a = []; loop { a = f(f(f(f(a)))); } }", Failed(DEEP)),
        (
            "fn f(n, x) { if n == 0 { x } else { f(n - 1, [x]) } } fn apply(node) { let a = 1; loop { a = f(20, a); } }",
            Failed(DEEP),
        ),
        (
            "let a = []; for i in 0..60 { a = [a]; } a == a && a.to_string().len() > 60 && [a].contains(a)",
            Done("true"),
        ),
    ]);
}

#[test]
fn what_is_written_out_is_bounded_too() {
    let list = |count: usize| format!("[{}]", "0, ".repeat(count));
    let chain = |link: &str, count: usize| format!("let x = 1; x{}", link.repeat(count));
    let nested =
        |open: &str, close: &str, count: usize| format!("{}1{}", open.repeat(count), close.repeat(count));
    all_end(&[
        (&list(500), Done(&format!("[{}0]", "0,".repeat(499)).leak()[..])),
        (&list(501), Refused("a list or map of 501 items is written out")),
        (&format!("\"{}\".len()", "x".repeat(8192)), Done("8192")),
        (&format!("\"{}\".len()", "x".repeat(8193)), Refused("a text of 8193 bytes is written out")),
        (&format!("/*{}*/ 1", "x".repeat(140_000)), Refused("a script may have 131072")),
        (&format!("{}1", "/*".repeat(40_000)), Refused("")),
        (&nested("(", ")", 5_000), Refused("deep")),
        (&nested("[", "]", 5_000), Refused("deep")),
        (&nested("#{a:", "}", 5_000), Refused("deep")),
        (&nested("{", "}", 5_000), Refused("deep")),
        (&nested("`${", "}`", 5_000), Refused("deep")),
        (&nested("|x| ", "", 5_000), Refused("deep")),
        (&nested("!", "", 50_000), Refused("deep")),
        (&nested("- ", "", 50_000), Refused("deep")),
        (&nested("if true {", "}", 5_000), Refused("deep")),
        (&nested("f(", ")", 5_000), Refused("deep")),
        (&nested("switch 1 { _ => ", "}", 5_000), Refused("deep")),
        (&nested("try { ", "} catch {}", 5_000), Refused("deep")),
        (&chain(" + x", 5_000), Refused("deep")),
        (&chain(" && x", 20_000), Refused("")),
        (&chain(".a", 20_000), Refused("deep")),
        (&chain("[0]", 20_000), Refused("deep")),
        (&chain(".f()", 20_000), Refused("deep")),
        (&chain("; if x == 1 { } ", 1), Done("null")),
        (&format!("if node == 1 {{}}{}", " else if node == 2 {}".repeat(5_000)), Refused("deep")),
        (
            &(0..300)
                .map(|n| format!("fn f{n}() {{}} "))
                .chain(["fn apply(node) { 1 }".into()])
                .collect::<String>(),
            Refused("more than 256 functions"),
        ),
        (&(0..300).map(|n| format!("let v{n} = 1; ")).collect::<String>(), Failed("more than 256 variables")),
        (&format!("fn f({}0) {{}} fn apply(node) {{ 1 }}", "a, ".repeat(300)), Refused("")),
        (&format!("f({}0)", "node, ".repeat(300)), Failed("")),
    ]);
}
