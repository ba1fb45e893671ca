//! What is typed, line after line.

use super::*;
use crate::model::value::Value;

fn console() -> Console {
    let node = ScriptNode {
        name: "n1".into(),
        spec: Value::map([(
            "hardware",
            Value::map([("vendor", Value::text("Dell")), ("model", Value::Null)]),
        )]),
    };
    let file: Arc<str> = "scripts/twice.rhai".into();
    let script = Script { file: file.clone(), text: "fn twice(x) { x + x }".into() };
    Console::new(&BTreeMap::from([(file, script)]), node)
}

/// Evaluates to the end; every effect answers `answer`.
fn say(console: &mut Console, statement: &str, answer: Value) -> String {
    let mut recorded = Vec::new();
    for _ in 0..10 {
        match console.evaluate(statement, recorded.clone()) {
            Spoken::Done(value) => return value.unwrap_or_else(|| "()".into()),
            Spoken::Failed(fault) => return fault.to_string(),
            Spoken::Wants(call) => recorded.push(Recorded {
                effect: call.effect.full_name().into(),
                args_digest: call.args_value().digest().into(),
                answer: Ok(answer.clone()),
            }),
        }
    }
    panic!("`{statement}` does not end");
}

#[track_caller]
fn session(lines: &[(&str, &str)]) {
    let mut console = console();
    for (statement, wanted) in lines {
        assert_eq!(say(&mut console, statement, Value::text("off")), *wanted, "{statement}");
    }
}

#[test]
fn variables_functions_and_imports_stay_between_statements() {
    session(&[
        ("let power = bmc::power(node);", "()"),
        ("power", "\"off\""),
        ("fn label(x) { `it is ${x}` }", "()"),
        ("label(power)", "\"it is off\""),
        ("import \"twice\" as t;", "()"),
        ("t::twice(2)", "4"),
        ("let power = 3; power += 1; const LIMIT = 7;", "()"),
        ("LIMIT = 8", "Cannot modify constant LIMIT at console:1:1"),
        ("#{ a: power, b: [()], name: node.name }", "#{a: 4, b: [()], name: \"n1\"}"),
        ("let double = |x| x * 2;", "()"),
        ("double.call(power)", "8"),
        ("double", "(Fn)"),
    ]);
}

#[test]
fn what_a_statement_changes_counts_once_however_often_it_is_evaluated() {
    session(&[
        ("let n = 0; let add = || { n += 1; n };", "()"),
        ("add.call(); bmc::power(node); bmc::power(node); add.call()", "2"),
        ("n += 10; bmc::power(node); n", "10"),
        ("n", "10"),
        ("let kept = 1;", "()"),
        ("kept = 2; throw \"no\"", "no at console:1:11"),
        ("kept", "1"),
    ]);
}

#[test]
fn mistakes_have_their_place_and_end_nothing() {
    session(&[
        ("let x = ;", "Unexpected ';' at console:1:9"),
        ("1 +\n nothing", "Variable not found: nothing at console:2:2"),
        ("bmc::power(\"n2\")", "bmc.power: the argument `node`: must be the node, not string at console:1:6"),
        ("eval(\"1\")", "reserved keyword 'eval' is disabled at console:1:1"),
        ("node = 1", "Cannot modify constant node at console:1:1"),
        ("1 + 1", "2"),
    ]);
}

#[test]
fn names_are_completed_where_they_can_stand() {
    let mut console = console();
    say(&mut console, "let power = 1; fn poke(x) { x }", Value::Null);
    let names = console.names();
    let complete = |before: &str| names.complete(before);
    assert_eq!(complete("let x = bmc::power_o"), (13, vec!["power_off(".into(), "power_on(".into()]));
    assert_eq!(complete("po"), (0, vec!["poke".into(), "port::".into(), "power".into()]));
    assert_eq!(complete("if node.spec.hardware."), (22, vec!["model".into(), "vendor".into()]));
    assert_eq!(complete("node.s").1, ["spec"]);
    assert_eq!(complete("x.y.").1, Vec::<String>::new());
    assert!(complete("").1.contains(&"bmc::".to_string()));
    assert!(complete("é.").1.is_empty());
}
