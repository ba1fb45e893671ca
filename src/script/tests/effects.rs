//! Effects from odd places: callbacks, handlers of errors, other files; each is asked for once, or refused in words.

use super::Ends::{Failed, Wants};
use super::{all_end, answered, as_in_the_product, turn};
use crate::model::value::Value;
use crate::script::evaluate::Turn;

#[test]
fn callbacks_may_ask_for_effects() {
    all_end(&[
        ("[1, 2].map(|x| bmc::power_on(node))", Wants("bmc.power_on")),
        ("[1, 2].filter(|x| bmc::power(node) == \"on\")", Wants("bmc.power")),
        ("[1, 2].for_each(|x| log::info(`${x}`))", Wants("log.info")),
        ("[1, 2].reduce(|sum, x| bmc::power(node), 0)", Wants("bmc.power")),
        ("[2, 1].sort(|x, y| { log::info(\"x\"); x - y })", Wants("log.info")),
        ("[2, 1].dedup(|x, y| { log::info(\"x\"); true })", Wants("log.info")),
        ("#{a: 1}.map(|k, v| bmc::power(node))", Wants("bmc.power")),
        (
            "import \"a\" as a; a::f(node)\n==== scripts/a.rhai\nfn f(node) { bmc::power_on(node) }",
            Wants("bmc.power_on"),
        ),
        ("try { throw 1 } catch { bmc::power_on(node) }", Wants("bmc.power_on")),
        ("throw bmc::power(node)", Wants("bmc.power")),
        ("`${bmc::power(node)}`", Wants("bmc.power")),
        ("bmc::power_on(node) ?? 1", Wants("bmc.power_on")),
        ("[bmc::power_on(node), bmc::power_off(node)]", Wants("bmc.power_on")),
    ]);
}

/// A stop ends the script wherever it stands: nothing goes on behind it.
#[test]
fn a_stop_is_caught_by_nothing() {
    for script in [
        "try { bmc::power_on(node) } catch { bmc::power_off(node) }",
        "loop { try { bmc::power_on(node) } catch { bmc::power_off(node) } }",
        "[3, 2, 1].sort(|x, y| { bmc::power_on(node); bmc::power_off(node); 1 }); bmc::restart(node)",
        "[1, 1, 2].dedup(|x, y| { bmc::power_on(node); bmc::power_off(node); true }); bmc::restart(node)",
        "[1, 2].find(|x| { bmc::power_on(node); bmc::power_off(node) })",
        "bmc::power_on(node) ?? bmc::power_off(node)",
        "let x = if true { bmc::power_on(node) } else { 1 }; bmc::power_off(node)",
    ] {
        let Turn::Wants(call) = as_in_the_product(|| turn(script, vec![])) else { panic!("{script}") };
        assert_eq!((call.sequence, call.effect.name), (0, "power_on"), "{script}");
    }
}

#[test]
fn each_turn_of_a_callback_is_an_effect_of_its_own() {
    let script = "[\"a\", \"b\", \"c\"].map(|x| { log::info(x); x + bmc::power(node) })";
    let mut tape = Vec::new();
    let mut asked = Vec::new();
    loop {
        match turn(script, tape.clone()) {
            Turn::Wants(call) => {
                asked.push(call.effect.name);
                tape.push(answered(&call, Value::text("!")));
            }
            Turn::Done(value) => break assert_eq!(value.to_string(), "[\"a!\",\"b!\",\"c!\"]"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(asked, ["info", "power", "info", "power", "info", "power"]);
}

#[test]
fn effects_take_what_they_say() {
    all_end(&[
        ("bmc::power(\"n2\")", Failed("bmc.power: the argument `node`: must be the node, not string")),
        ("bmc::power(node.name)", Failed("must be the node")),
        ("bmc::power(#{name: \"n2\"})", Failed("must be the node")),
        ("bmc::power([node])", Failed("must be the node")),
        ("bmc::power()", Failed("Function not found")),
        ("bmc::power(node, 1)", Failed("Function not found")),
        ("bmc::blow_up(node)", Failed("Function not found")),
        ("bmc::set_boot_override(node, \"tape\", \"once\")", Failed("must be \"none\" or")),
        ("log::info(5)", Failed("must be text")),
        ("log::info(Fn(\"x\"))", Failed("a function cannot leave a script")),
        ("wait::time(\"soon\")", Failed("wait.time")),
        ("fact::record(node, \"x\", 0.0 / 0.0)", Failed("NaN cannot leave")),
        ("fact::record(node, \"x\", [|x| x])", Failed("a function cannot leave")),
        ("let a = []; for i in 0..64 { a = [a]; } fact::record(node, \"x\", a)", Wants("fact.record")),
        (
            "let a = []; for i in 0..64 { a = [a]; } fact::record(node, \"x\", [a])",
            Failed("nested more than 64 deep"),
        ),
        (
            "let a = []; a.pad(20000, \"x\"); let b = #{}; for i in 0..5 { b[`${i}`] = i; } fact::record(node, \"x\", a)",
            Wants("fact.record"),
        ),
        (
            "let a = []; a.pad(20000, \"0123456789abc\"); fact::record(node, \"x\", a)",
            Failed("more than 512 KiB cannot leave a script"),
        ),
        ("bmc::power = 5", Failed("Variable not found: bmc::power")),
    ]);
}

#[test]
fn effects_end_at_their_number() {
    let script = "loop { log::info(\"x\") }";
    let Turn::Wants(call) = turn(script, vec![]) else { panic!() };
    let tape = vec![answered(&call, Value::Null); crate::script::tape::EFFECTS_AT_MOST];
    let Turn::Failed(fault) = turn(script, tape) else { panic!() };
    assert!(fault.message.contains("2000 effects"), "{fault}");
}
