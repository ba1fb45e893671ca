//! The rest of the language: numbers, texts and lists at their edges, and errors that are thrown and caught.

use super::Ends::{Done, Failed, Refused};
use super::all_end;

const LEAST: &str = "let least = -9223372036854775807 - 1; ";

#[test]
fn numbers_do_not_wrap_or_panic() {
    let least = |rest: &str| -> &'static str { format!("{LEAST}{rest}").leak() };
    all_end(&[
        (least("least / -1"), Failed("overflow")),
        (least("least % -1"), Failed("overflow")),
        (least("least.abs()"), Failed("overflow")),
        (least("-least"), Failed("overflow")),
        (least("least - 1"), Failed("overflow")),
        (least("least * least"), Failed("overflow")),
        (least("1 << least"), Done("0")),
        (least("1 >> least"), Done("0")),
        (least("5[least]"), Failed("out of bounds")),
        ("2 ** 9223372036854775807", Failed("overflow")),
        ("2 ** -1", Failed("negative power")),
        ("1 << 9999999", Done("0")),
        ("1 / 0", Failed("by zero")),
        ("1 % 0", Failed("zero")),
        ("let a = 5; a[0..=63] = 9223372036854775807; a[5..3] = 1; a", Done("9223372036854775807")),
        ("let a = 5; a[-64..64]", Failed("out of bounds")),
        ("parse_int(\"zz\", 99)", Failed("radix")),
        ("parse_int(\"zz\", -9)", Failed("radix")),
        ("parse_int(\"99999999999999999999\")", Failed("too large")),
        ("parse_float(\"x\")", Failed("invalid float")),
        ("1e300.to_int()", Failed("overflow")),
        ("(0.0 / 0.0).to_int()", Done("0")),
        ("0.0 / 0.0", Failed("NaN cannot leave a script")),
        ("parse_float(\"1e999\")", Failed("inf cannot leave a script")),
    ]);
}

#[test]
fn texts_and_lists_take_any_index() {
    let least = |rest: &str| -> &'static str { format!("{LEAST}{rest}").leak() };
    all_end(&[
        (least("\"abc\"[least]"), Failed("out of bounds")),
        (least("let s = \"abc\"; s.sub_string(least, 9223372036854775807)"), Done("\"abc\"")),
        (least("let s = \"abc\"; s.crop(9223372036854775807, 9223372036854775807); s"), Done("\"\"")),
        (least("\"abc\".index_of(\"b\", least)"), Done("1")),
        (least("\"héllo\".split(least)"), Done("[\"\",\"héllo\"]")),
        (least("[1, 2].index_of(2, least)"), Done("1")),
        (least("let a = [1, 2, 3]; a.insert(least, 0); a"), Done("[0,1,2,3]")),
        (least("let a = [1, 2, 3]; a.splice(least, 9223372036854775807, [9]); a"), Done("[9]")),
        (least("[1, 2, 3].extract(least, 9223372036854775807)"), Done("[1,2,3]")),
        ("let a = [1, 2, 3]; a.drain(1..-5); a.retain(5, 9223372036854775807); a", Done("[1,2,3]")),
        ("let s = \"héé\"; s[1..9223372036854775807] = \"x\"; s", Done("\"hx\"")),
        ("let s = \"aXbXc\"; s.split(\"X\")", Done("[\"a\",\"b\",\"c\"]")),
        (
            "let s = \"aXbXc\"; [s.split('X', 2), s.split_rev(\"X\", 2), s.split(\"X\", 1)]",
            Done("[[\"a\",\"bXc\"],[\"c\",\"aXb\"],[\"aXbXc\"]]"),
        ),
        (
            "let s = \" a  b \"; [s.split(), \"\".split(), \"\".split(\"\"), \"ab\".split(\"\")]",
            Done("[[\"a\",\"b\"],[\"\"],[\"\"],[\"\",\"a\",\"b\",\"\"]]"),
        ),
        (
            "let s = \"ab\"; s.replace('a', \"cd\"); s.replace(\"b\", 'e'); s.pad(6, \"xy\"); s.pad(7, 'z'); s",
            Done("\"cdexyxz\""),
        ),
        ("\"ab\".to_chars()", Done("[\"a\",\"b\"]")),
        ("let a = [0]; a.pad(3, [1]); a", Done("[0,[1],[1]]")),
        ("[1, \"a\", 2.5, [1], ()].index_of([1])", Done("3")),
        (
            "[[1, 2].contains(2), 2 in [1, 2], \"x\" in [1, 2], [1, 2, 1].index_of(1, 1)]",
            Done("[true,true,false,2]"),
        ),
    ]);
}

#[test]
fn sorting_takes_any_comparison() {
    let liar = "let a = []; for i in 0..300 { a.push((i * 7919) % 307); } let k = 0; \
                a.sort(|x, y| { k += 1; if k % 3 == 0 { 1 } else if k % 3 == 1 { -1 } else { 0 } }); a.len()";
    all_end(&[
        (liar, Done("300")),
        ("let a = [3, 1, 2]; a.sort(|x, y| x - y); a", Done("[1,2,3]")),
        ("let a = [3, 1, 2]; a.sort(|x, y| x < y); a", Done("[1,2,3]")),
        ("[3, 1, 2].order_by(|x, y| y - x)", Done("[3,2,1]")),
        ("let a = [[1, 2], [0, 3], [1, 1]]; a.sort(|x, y| x[0] - y[0]); a", Done("[[0,3],[1,2],[1,1]]")),
        ("let a = [3, 1, 2]; a.sort(|x, y| throw \"no\");", Failed("no")),
        ("let a = [3, 1, 2]; a.sort(|x, y| \"no\");", Failed("a number or a truth, not string")),
        ("let a = [3, 1, 2]; try { a.sort(|x, y| throw \"no\"); } catch { } a", Done("[3,1,2]")),
        ("[3, \"a\"].order()", Failed("different types")),
    ]);
}

#[test]
fn whatever_is_thrown_is_said_in_words() {
    all_end(&[
        ("throw \"why\"", Failed("failed: why at scripts/t.rhai:1:18")),
        ("throw #{a: 1}", Failed("{\"a\":1} at scripts/t.rhai:1:18")),
        ("throw node", Failed("failed: n1 at")),
        ("throw Fn(\"x\")", Failed("threw something that is no value: a function")),
        ("throw 1..5", Failed("threw something that is no value: a range")),
        ("let a = []; a.pad(19999, \"0123456789\"); throw a", Failed("… (")),
        ("let a = []; for i in 0..60 { a = [a]; } throw a", Failed("[[[[")),
        ("throw #{\"$failed\": \"bmc.power\", message: \"x\", transient: true}", Failed("failed: x at")),
        ("throw", Failed("null")),
        ("try { throw 1 } catch (e) { throw e + 1 }", Failed("failed: 2 at")),
        (
            "fn f(x) { try { f(x) } catch { f(x) } } fn apply(node) { f(0) }",
            Failed("calls are nested more than 32 deep"),
        ),
        ("try { 5.x } catch (e) { return 1; }", Done("1")),
        ("return 1; throw 2", Done("1")),
        ("break", Refused("")),
    ]);
}
