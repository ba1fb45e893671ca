//! Parameters: what a task or a blueprint may be given, and whether a value is one of them.

use super::value::{REFERENCE, Value};
use super::words::words;
use crate::units;
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Param {
    pub name: Arc<str>,
    pub kind: ParamKind,
    pub required: bool,
    pub default: Value,
    pub doc: String,
    /// Of an enum: the values that there are.
    #[serde(default)]
    pub values: Vec<Arc<str>>,
    /// Of a text: a regular expression that the whole of it matches.
    #[serde(default)]
    pub pattern: Option<Arc<str>>,
    /// Of a number: the least and the most.
    #[serde(default)]
    pub least: Option<f64>,
    #[serde(default)]
    pub most: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParamKind {
    Text,
    Int,
    Float,
    Bool,
    List,
    Map,
    /// Bytes: `20GiB`.
    Size,
    /// `10m`.
    Duration,
    /// A reference such as `env:NAME`; never clear text.
    Secret,
    /// The name of a node of the design.
    Node,
    /// One of the parameter's values.
    Enum,
}

words!(ParamKind {
    Text = "string",
    Int = "int",
    Float = "float",
    Bool = "bool",
    List = "list",
    Map = "map",
    Size = "size",
    Duration = "duration",
    Secret = "secret",
    Node = "node",
    Enum = "enum",
});

/// What a reference to the output of an earlier step begins with: `(ref)"step.NAME.OUTPUT"`.
const STEP: &str = "step.";

/// The step and the output that a value refers to.
pub fn output_of(value: &Value) -> Option<(&str, &str)> {
    value.as_str()?.strip_prefix(REFERENCE)?.strip_prefix(STEP)?.split_once('.')
}

/// True for the text of a reference to an output: `step.NAME.OUTPUT`.
pub fn is_output(text: &str) -> bool {
    text.strip_prefix(STEP)
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(step, output)| !step.is_empty() && !output.is_empty() && !output.contains('.'))
}

impl Param {
    /// Whether `value` may stand for this parameter; the error says what is wanted. That a node is there, and what an
    /// output holds, is known later.
    pub fn fits(&self, value: &Value) -> Result<(), String> {
        if output_of(value).is_some() {
            return Ok(());
        }
        let of_kind = match (self.kind, value) {
            (ParamKind::Text, Value::Text(_) | Value::Secret(_))
            | (ParamKind::Int, Value::Int(_))
            | (ParamKind::Float, Value::Float(_) | Value::Int(_))
            | (ParamKind::Bool, Value::Bool(_))
            | (ParamKind::List, Value::List(_))
            | (ParamKind::Map, Value::Map(_))
            | (ParamKind::Secret, Value::Secret(_))
            | (ParamKind::Node, Value::Text(_)) => true,
            (ParamKind::Size, Value::Text(text)) => units::size(text).is_ok(),
            (ParamKind::Size, Value::Int(bytes)) => *bytes >= 0,
            (ParamKind::Duration, Value::Text(text)) => units::duration(text).is_ok(),
            (ParamKind::Enum, Value::Text(text)) => self.values.contains(text),
            _ => false,
        };
        match of_kind && self.in_range(value) && self.matches(value) {
            true => Ok(()),
            false => Err(self.wanted()),
        }
    }

    fn in_range(&self, value: &Value) -> bool {
        let number = match value {
            Value::Int(number) => *number as f64,
            Value::Float(number) => *number,
            _ => return true,
        };
        self.least.is_none_or(|least| number >= least) && self.most.is_none_or(|most| number <= most)
    }

    fn matches(&self, value: &Value) -> bool {
        let (Some(pattern), Value::Text(text)) = (&self.pattern, value) else { return true };
        whole(pattern).is_ok_and(|pattern| pattern.is_match(text))
    }

    /// What a value must be: `an int from 1 to 8`.
    pub fn wanted(&self) -> String {
        let kind = match self.kind {
            ParamKind::Enum => {
                let values: Vec<String> = self.values.iter().map(|value| format!("\"{value}\"")).collect();
                format!("one of {}", values.join(", "))
            }
            ParamKind::Size => "a size such as \"20GiB\"".into(),
            ParamKind::Duration => "a duration such as \"10m\"".into(),
            ParamKind::Secret => "a secret such as (secret)\"env:NAME\"".into(),
            ParamKind::Node => "the name of a node".into(),
            kind => format!("of type {}", kind.word()),
        };
        let range = match (self.least, self.most) {
            (Some(least), Some(most)) => format!(", from {least} to {most}"),
            (Some(least), None) => format!(", at least {least}"),
            (None, Some(most)) => format!(", at most {most}"),
            (None, None) => String::new(),
        };
        let pattern = self.pattern.as_ref().map(|it| format!(", matching `{it}`")).unwrap_or_default();
        format!("{kind}{range}{pattern}")
    }

    /// The value that a person writes on the command line; the error says what is wanted.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let json = || serde_json::from_str::<Value>(text).ok();
        let value = match self.kind {
            ParamKind::Int => text.parse().map(Value::Int).ok(),
            ParamKind::Float => text.parse().map(Value::Float).ok().filter(is_finite),
            ParamKind::Bool => text.parse().map(Value::Bool).ok(),
            ParamKind::List if text.starts_with('[') => json(),
            ParamKind::List => {
                Some(Value::list(text.split(',').map(|part| Value::text(part.trim())).collect()))
            }
            ParamKind::Map => json(),
            ParamKind::Secret => Some(Value::Secret(text.into())),
            _ => Some(Value::text(text)),
        };
        let value = value.ok_or_else(|| self.wanted())?;
        // A control character could pass for a reference.
        if value
            .as_str()
            .is_some_and(|text| text.contains(|c: char| c.is_control() && c != '\n' && c != '\t'))
        {
            return Err("a text without control characters".into());
        }
        self.fits(&value)?;
        Ok(value)
    }
}

fn is_finite(value: &Value) -> bool {
    matches!(value, Value::Float(number) if number.is_finite())
}

/// A pattern that must match the whole of a text.
pub fn whole(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!("^(?:{pattern})$"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn param(kind: ParamKind) -> Param {
        Param {
            name: "x".into(),
            kind,
            required: false,
            default: Value::Null,
            doc: String::new(),
            values: vec!["soft".into(), "hard".into()],
            pattern: None,
            least: None,
            most: None,
        }
    }

    #[test]
    fn what_is_written_on_the_command_line_becomes_a_value_of_its_kind() {
        for (kind, text, value) in [
            (ParamKind::Text, "7", Value::text("7")),
            (ParamKind::Int, "7", Value::Int(7)),
            (ParamKind::Float, "0.5", Value::Float(0.5)),
            (ParamKind::Bool, "true", Value::Bool(true)),
            (ParamKind::List, "a, b", Value::list(vec![Value::text("a"), Value::text("b")])),
            (ParamKind::List, "[1]", Value::list(vec![Value::Int(1)])),
            (ParamKind::Map, "{\"a\":1}", Value::map([("a", Value::Int(1))])),
            (ParamKind::Size, "20GiB", Value::text("20GiB")),
            (ParamKind::Duration, "10m", Value::text("10m")),
            (ParamKind::Secret, "env:X", Value::Secret("env:X".into())),
            (ParamKind::Enum, "soft", Value::text("soft")),
        ] {
            assert_eq!(param(kind).parse(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told_what_is_wanted() {
        for (kind, text, wanted) in [
            (ParamKind::Int, "seven", "of type int"),
            (ParamKind::Float, "inf", "of type float"),
            (ParamKind::Bool, "yes", "of type bool"),
            (ParamKind::Size, "much", "a size such as \"20GiB\""),
            (ParamKind::Duration, "long", "a duration such as \"10m\""),
            (ParamKind::Enum, "firm", "one of \"soft\", \"hard\""),
            (ParamKind::Map, "a", "of type map"),
            (ParamKind::Text, "\u{1}step.a.b", "a text without control characters"),
        ] {
            assert_eq!(param(kind).parse(text), Err(wanted.to_string()), "{text}");
        }
        let ranged = Param { least: Some(1.0), most: Some(8.0), ..param(ParamKind::Int) };
        assert_eq!(ranged.parse("9"), Err("of type int, from 1 to 8".into()));
        let patterned = Param { pattern: Some("[a-z]+".into()), ..param(ParamKind::Text) };
        assert_eq!(patterned.parse("abc1"), Err("of type string, matching `[a-z]+`".into()));
        assert!(patterned.parse("abc").is_ok());
    }

    #[test]
    fn an_output_fits_whatever_is_wanted_until_it_is_known() {
        let output = Value::from(format!("{REFERENCE}step.find.address"));
        assert_eq!(output_of(&output), Some(("find", "address")));
        assert_eq!(param(ParamKind::Int).fits(&output), Ok(()));
        assert!(is_output("step.a.b") && !is_output("step.a") && !is_output("step.a.b.c"));
    }
}
