//! The examples of the reference are held to what they show: each is run, and calls its effect with arguments that fit.

use super::{Effect, Shape, find, rows};
use crate::model::value::Value;
use crate::script::check;
use crate::script::closure::Closure;
use crate::script::convert::ScriptNode;
use crate::script::evaluate::{Function, Program, Turn};
use crate::script::tape::Recorded;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An example may use a few other effects on its way.
const TURNS_AT_MOST: usize = 8;

/// Some value of a shape.
fn sample(shape: &Shape) -> Value {
    match shape {
        Shape::Nothing | Shape::Maybe(_) => Value::Null,
        Shape::Bool => Value::Bool(true),
        Shape::Int => Value::Int(1),
        Shape::Node | Shape::Text | Shape::Any | Shape::Secret => Value::text("text"),
        Shape::Duration => Value::text("1m"),
        Shape::Word(words) => Value::text(words[0]),
        Shape::List(inner) => Value::list(vec![sample(inner)]),
        Shape::Map(inner) => Value::map([("name", sample(inner))]),
        Shape::Record(fields) => Value::map(fields.iter().map(|field| (field.name, sample(&field.shape)))),
    }
}

/// Runs the example up to the call of its effect; what it takes from elsewhere is a text.
fn called(row: &Effect) -> Result<(), String> {
    let file: Arc<str> = "scripts/example.rhai".into();
    let body = |taken: &str| format!("fn apply(node) {{ {taken}{} }}", row.example);
    let unknown = check::unknown_variables(&file, &body(""));
    let taken: String = unknown.iter().map(|name| format!("let {name} = \"text\"; ")).collect();
    let text: Arc<str> = body(&taken).into();
    let closure =
        Closure { files: BTreeMap::from([(file.clone(), text)]), main: file, templates: BTreeMap::new() };
    let program = Program::compile(closure).map_err(|error| error.to_string())?;
    let node = ScriptNode { name: "n1".into(), spec: Value::empty_map() };
    let wanted = match row.made_of.first() {
        Some(part) => find(part).map(Effect::full_name).unwrap_or_default(),
        None => row.full_name(),
    };
    let mut recorded = Vec::new();
    for _ in 0..TURNS_AT_MOST {
        let call = match program.evaluate(Function::Apply, &node, &Value::empty_map(), recorded.clone()) {
            Turn::Wants(call) => call,
            other => return Err(format!("{other:?}")),
        };
        if call.effect.full_name() == wanted {
            return Ok(());
        }
        recorded.push(Recorded {
            effect: call.effect.full_name().into(),
            args_digest: call.args_value().digest().into(),
            answer: Ok(sample(&call.effect.returns)),
        });
    }
    Err("it never calls its effect".into())
}

#[test]
fn every_example_calls_its_effect_with_arguments_that_fit() {
    let wrong: Vec<String> = rows()
        .filter_map(|row| {
            called(row).err().map(|why| format!("{}: `{}`: {why}", row.full_name(), row.example))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_example_that_cannot_be_called_is_seen() {
    let row = find("bmc.set_boot_override").unwrap();
    let with = |example| Effect {
        module: row.module,
        name: row.name,
        args: row.args,
        kind: row.kind,
        deadline: row.deadline,
        doc: row.doc,
        returns: row.returns,
        example,
        made_of: row.made_of,
    };
    assert!(called(row).is_ok());
    for bad in
        ["bmc::set_boot_override(node, \"pxy\", \"once\")", "bmc::power(node)", "bmc::set_boot_override("]
    {
        assert!(called(&with(bad)).is_err(), "{bad}");
    }
}
