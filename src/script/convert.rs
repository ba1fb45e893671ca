//! Values to and from what Rhai holds. Secrets and unknown values stay opaque in scripts.
//!
//! Owns what may leave a script: it becomes a row of the journal, and must come back from there as it was.

use super::limits::{DEPTH, VALUE_BYTES};
use crate::model::value::{Map, Value};
use rhai::{Array, Dynamic};
use std::sync::Arc;

/// A secret in a script: it can be passed on to an effect, and nothing else can be done with it.
#[derive(Clone, Debug, PartialEq)]
pub struct SecretRef(pub Arc<str>);

/// A value that could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct UnknownValue(pub Arc<str>);

/// An answer that nobody can know before the work is done. A script may hand it on; whatever it decides by it ends the
/// trace there.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingValue(pub Arc<str>);

/// The node that a task was given: opaque, so that no script can make up another.
#[derive(Clone, Debug)]
pub struct ScriptNode {
    pub name: Arc<str>,
    /// The declared paths of the spec, with names in snake_case.
    pub spec: Value,
}

pub fn to_dynamic(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(truth) => Dynamic::from_bool(*truth),
        Value::Int(number) => Dynamic::from_int(*number),
        Value::Float(number) => Dynamic::from_float(*number),
        Value::Text(text) => text.to_string().into(),
        Value::Secret(reference) => Dynamic::from(SecretRef(reference.clone())),
        Value::Unknown(why) => match value.pending_of() {
            Some(of) => Dynamic::from(PendingValue(of.into())),
            None => Dynamic::from(UnknownValue(why.clone())),
        },
        Value::List(items) => Dynamic::from_array(items.iter().map(to_dynamic).collect::<Array>()),
        Value::Map(map) => Dynamic::from_map(
            map.iter().map(|(key, value)| (key.as_ref().into(), to_dynamic(value))).collect(),
        ),
    }
}

/// What a script may return or pass to an effect; anything else is named in the error.
pub fn from_dynamic(dynamic: &Dynamic) -> Result<Value, String> {
    leaving(dynamic, 0, &mut VALUE_BYTES.clone())
}

/// `left` is how many bytes it may still have: those of texts and names, and a few for each value.
fn leaving(dynamic: &Dynamic, depth: usize, left: &mut usize) -> Result<Value, String> {
    let mut take = |bytes: usize| {
        *left = left.checked_sub(bytes).ok_or_else(too_large)?;
        Ok::<(), String>(())
    };
    if depth > DEPTH {
        return Err(format!("lists and maps that are nested more than {DEPTH} deep cannot leave a script"));
    }
    take(BYTES_OF_A_VALUE)?;
    if dynamic.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(truth) = dynamic.as_bool() {
        return Ok(Value::Bool(truth));
    }
    if let Ok(number) = dynamic.as_int() {
        return Ok(Value::Int(number));
    }
    if let Ok(number) = dynamic.as_float() {
        if !number.is_finite() {
            return Err(format!("{number} cannot leave a script: it is no number"));
        }
        return Ok(Value::Float(number));
    }
    if let Ok(text) = dynamic.as_immutable_string_ref() {
        take(text.len())?;
        return Ok(Value::text(text.as_str()));
    }
    if let Ok(character) = dynamic.as_char() {
        return Ok(Value::text(character.to_string()));
    }
    if let Ok(items) = dynamic.as_array_ref() {
        let items = items.iter().map(|item| leaving(item, depth + 1, left));
        return Ok(Value::list(items.collect::<Result<_, _>>()?));
    }
    if let Ok(map) = dynamic.as_map_ref() {
        let entries = map.iter().map(|(key, value)| {
            *left = left.checked_sub(key.len()).ok_or_else(too_large)?;
            Ok((Arc::from(key.as_str()), leaving(value, depth + 1, left)?))
        });
        return Ok(Value::Map(Arc::new(entries.collect::<Result<Map, String>>()?)));
    }
    if let Some(secret) = dynamic.read_lock::<SecretRef>() {
        return Ok(Value::Secret(secret.0.clone()));
    }
    if let Some(unknown) = dynamic.read_lock::<UnknownValue>() {
        return Ok(Value::Unknown(unknown.0.clone()));
    }
    if let Some(pending) = dynamic.read_lock::<PendingValue>() {
        return Ok(Value::pending(&pending.0));
    }
    if let Some(node) = dynamic.read_lock::<ScriptNode>() {
        return Ok(Value::Text(node.name.clone()));
    }
    Err(format!("{} cannot leave a script", kind(dynamic)))
}

/// What a number, or what stands around a text, may take.
const BYTES_OF_A_VALUE: usize = 16;

fn too_large() -> String {
    format!("a value of more than {} KiB cannot leave a script; hand on less of it", VALUE_BYTES >> 10)
}

/// What a value is that is none, in words.
fn kind(dynamic: &Dynamic) -> String {
    match dynamic.type_name() {
        "Fn" => "a function".into(),
        range if range.contains("Range") => "a range".into(),
        "blob" => "a blob".into(),
        other => format!("a value of type {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_pass_through_scripts_unchanged() {
        let value = Value::map([
            ("a", Value::list(vec![Value::Int(1), Value::Null, Value::Float(0.5)])),
            ("b", Value::Secret("env:X".into())),
            ("c", Value::Unknown("why".into())),
            ("d", Value::Bool(false)),
            ("e", Value::pending("pxe.ticket")),
        ]);
        assert_eq!(from_dynamic(&to_dynamic(&value)).unwrap(), value);
        assert!(from_dynamic(&Dynamic::from(std::time::Duration::ZERO)).is_err());
    }
}
