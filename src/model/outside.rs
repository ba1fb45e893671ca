//! JSON from outside as a value: whatever it holds, it is data.
//!
//! A value's own stored form marks secrets and unknown values by names that begin with `$`, and writes such a name of
//! somebody else's with one more; references and open answers are marked by control characters. What a program or a device
//! says must not be able to make any of them: a secret that it names would be fetched and sent somewhere.

use super::value::Value;
use serde_json::Value as Json;

impl Value {
    /// The value that `json` means. Texts and names lose their control characters but tabs and line breaks.
    pub fn from_json(json: &Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(truth) => Value::Bool(*truth),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => Value::Int(whole),
                None => Value::Float(number.as_f64().unwrap_or_default()),
            },
            Json::String(text) => Value::from(plain(text)),
            Json::Array(items) => Value::list(items.iter().map(Value::from_json).collect()),
            Json::Object(map) => {
                Value::map(map.iter().map(|(key, value)| (plain(key), Value::from_json(value))))
            }
        }
    }
}

fn plain(text: &str) -> String {
    text.chars().filter(|one| !one.is_control() || matches!(one, '\n' | '\r' | '\t')).collect()
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
        let value = Value::from_json(&json);
        let stored: Value = serde_json::from_str(&value.to_string()).unwrap();
        assert_eq!(stored, value);
        assert!(
            !format!("{value:?}").contains("Secret(") && !format!("{value:?}").contains("Unknown("),
            "{value:?}"
        );
        assert_eq!(value.str_at("c"), Some("pxe.ticket"));
        assert_eq!(value.first_pending(), None);
    }
}
