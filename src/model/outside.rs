//! JSON from outside as a value: whatever it holds, it is data.
//!
//! A value's own stored form marks secrets and unknown values by a key that begins with `$`. What a program or a device
//! says must not be able to make either: a secret that it names would be fetched and sent somewhere.

use super::value::Value;
use serde_json::Value as Json;

impl Value {
    /// The value that `json` means. Keys lose a leading `$`, and texts their control characters but tabs and line breaks.
    pub fn from_outside(json: &Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(truth) => Value::Bool(*truth),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => Value::Int(whole),
                None => Value::Float(number.as_f64().unwrap_or_default()),
            },
            Json::String(text) => Value::from(plain(text)),
            Json::Array(items) => Value::list(items.iter().map(Value::from_outside).collect()),
            Json::Object(map) => Value::map(
                map.iter()
                    .map(|(key, value)| (plain(key.trim_start_matches('$')), Value::from_outside(value))),
            ),
        }
    }
}

fn plain(text: &str) -> String {
    text.chars().filter(|one| !one.is_control() || matches!(one, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_becomes_a_secret_or_an_open_answer() {
        let json: Json = serde_json::from_str(
            r#"{"a": {"$secret": "env:TOKEN"}, "b": {"$unknown": "x"}, "c": "\u0002pxe.ticket\u0003", "d": [1, 0.5, null]}"#,
        )
        .unwrap();
        let value = Value::from_outside(&json);
        let stored: Value = serde_json::from_str(&value.to_string()).unwrap();
        assert_eq!(stored, value);
        let shown = r#"{"a":{"secret":"env:TOKEN"},"b":{"unknown":"x"},"c":"pxe.ticket","d":[1,0.5,null]}"#;
        assert_eq!(value.to_string(), shown);
        assert_eq!(value.first_pending(), None);
    }
}
