//! Secrets in a design: references such as `(secret)"env:BMC_PASSWORD"`, never clear text.
//!
//! Owns the schemes and the form of a reference, with its optional version. Resolves nothing, and never puts
//! the text that it refuses into a message.

use super::schema::Type;
use super::value_of::Problem;
use crate::finding::{CLEAR_TEXT_SECRET, WRONG_TYPE};
use crate::model::value::Value;
use kdl::KdlValue;

const SCHEMES: &[&str] = &["env:", "file:", "age:", "vault:"];
const HELP: &str =
    "write a reference such as (secret)\"env:NAME\"; the schemes are env:, file:, age: and vault:";

/// A value that is marked as `(secret)`.
pub fn written(kind: Type, value: &KdlValue) -> Result<Value, Problem> {
    if !matches!(kind, Type::Secret | Type::Text | Type::Attribute | Type::Scalar) {
        return Err(Problem::new(WRONG_TYPE, "a secret cannot stand here", "write the value itself"));
    }
    let KdlValue::String(text) = value else { return Err(clear_text()) };
    of_text(text)
}

pub fn of_text(text: &str) -> Result<Value, Problem> {
    let named =
        SCHEMES.iter().filter_map(|scheme| text.strip_prefix(scheme)).any(|name| !name.trim().is_empty());
    if named && !text.contains("#version=") { Ok(Value::Secret(text.into())) } else { Err(clear_text()) }
}

pub fn clear_text() -> Problem {
    Problem::new(CLEAR_TEXT_SECRET, "a secret must be a reference, not clear text", HELP)
}

/// The reference with its version: `env:X#version=2`.
pub fn with_version(secret: &Value, version: &Value) -> Option<Value> {
    let Value::Secret(reference) = secret else { return None };
    let version = match version {
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text.to_string(),
        _ => return None,
    };
    Some(Value::Secret(format!("{reference}#version={version}").into()))
}
