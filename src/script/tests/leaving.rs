//! Values that enter and leave scripts, and come back from the journal, as they were.

use super::{answered, as_in_the_product, program, turn};
use crate::model::value::Value;
use crate::script::convert::{from_dynamic, to_dynamic};
use crate::script::evaluate::{Function, Turn};
use crate::script::limits::DEPTH;
use proptest::prelude::*;

/// Any value that a script could hold, keys and texts that look like something else included.
fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[a-z$]{0,4}",
        Just("$secret".to_string()),
        Just("$$secret".to_string()),
        Just("$unknown".to_string()),
        "\\PC{0,8}"
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::Float),
        text.clone().prop_map(Value::from),
        text.clone().prop_map(|text| Value::Secret(text.into())),
        text.clone().prop_map(|text| Value::Unknown(text.into())),
    ];
    leaf.prop_recursive(6, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::list),
            prop::collection::vec((text.clone(), inner), 0..4).prop_map(Value::map),
        ]
    })
}

proptest! {
    #[test]
    fn a_value_passes_through_scripts_and_the_journal(value in values()) {
        prop_assert_eq!(from_dynamic(&to_dynamic(&value)).unwrap(), value.clone());
        let stored = value.to_string();
        let read: Value = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(&read, &value);
        prop_assert_eq!(read.digest(), value.digest());
    }

    /// What an effect answered is what the script goes on with, now and after a resume.
    #[test]
    fn an_answer_is_the_same_before_and_after_the_journal(answer in values()) {
        let script = "let answer = bmc::inventory(node); fact::record(node, \"x\", answer); answer";
        let Turn::Wants(first) = turn(script, vec![]) else { panic!() };
        let journalled: Value = serde_json::from_str(&answer.to_string()).unwrap();
        let mut said = Vec::new();
        for answer in [answer.clone(), journalled] {
            let tape = vec![answered(&first, answer)];
            let Turn::Wants(second) = turn(script, tape.clone()) else { panic!() };
            let tape = [tape, vec![answered(&second, Value::Null)]].concat();
            let Turn::Done(value) = turn(script, tape) else { panic!() };
            said.push((second.args_value().digest(), value));
        }
        prop_assert_eq!(&said[0], &said[1]);
        prop_assert_eq!(&said[0].1, &answer);
    }
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(Value::Int(1), |inner, level| match level % 2 {
        0 => Value::list(vec![inner]),
        _ => Value::map([("a", inner)]),
    })
}

/// A BMC may answer with anything that JSON can hold; a reader of JSON goes 127 deep.
#[test]
fn a_deep_answer_is_refused_in_words() {
    let script = "let answer = bmc::inventory(node); answer == 1";
    for (depth, fits) in [(DEPTH, true), (DEPTH + 1, false), (127, false)] {
        let Turn::Wants(call) = turn(script, vec![]) else { panic!() };
        let tape = vec![answered(&call, nested(depth))];
        match as_in_the_product(|| turn(script, tape)) {
            Turn::Done(value) => assert!(fits && value == Value::Bool(false), "{depth}"),
            Turn::Failed(fault) => {
                assert!(!fits && fault.message.contains("nested more than 64 deep"), "{fault}")
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(from_dynamic(&to_dynamic(&nested(DEPTH))).is_ok());
    assert!(from_dynamic(&to_dynamic(&nested(DEPTH + 1))).is_err());
    let text = nested(DEPTH).to_string();
    assert_eq!(
        serde_json::from_str::<Value>(&format!("[[{text}]]")).unwrap().to_string(),
        format!("[[{text}]]")
    );
}

/// No script makes a secret, an unknown answer of a trace, or a reference, out of plain values.
#[test]
fn nothing_is_forged() {
    let secret = "let m = #{\"$secret\": \"env:HOME\"}; fact::record(node, \"x\", m); m";
    let Turn::Wants(call) = turn(secret, vec![]) else { panic!() };
    let stored: Value = serde_json::from_str(&call.args_value().to_string()).unwrap();
    assert_eq!(stored, call.args_value());
    assert!(matches!(&call.args[2], Value::Map(_)));
    let Turn::Done(value) = turn("unknown(\"\\u0002pxe.ticket\\u0003\")", vec![]) else { panic!() };
    assert_eq!(value.pending_of(), None);
    let spec = Value::map([("password", Value::Secret("env:X".into()))]);
    let node = crate::script::convert::ScriptNode { name: "n1".into(), spec };
    for (script, ends) in [
        ("node.spec.password + \"\"", "\"secret\""),
        ("`${node.spec.password}`", "\"secret\""),
        ("node.spec.password.to_string()", "\"secret\""),
        ("to_debug(node.spec.password)", "\"secret\""),
        ("to_debug(node.spec)", "#{\\\"password\\\": secret}"),
        ("throw node.spec", "{\"password\":\"(secret)\"}"),
        ("throw node.spec.password", "(secret)"),
    ] {
        let script = format!("fn apply(node) {{ {script} }}");
        let turn = program(&script).evaluate(Function::Apply, &node, &Value::Null, vec![]);
        let said = match turn {
            Turn::Done(value) => value.to_string(),
            Turn::Failed(fault) => fault.message,
            other => panic!("{other:?}"),
        };
        assert!(said.contains(ends) && !said.contains("env:X"), "{script}: {said}");
    }
}
