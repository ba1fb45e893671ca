//! What a program is given: the node, what its task sees of the spec, and the parameters, as JSON.
//!
//! Owns the clear text of the secrets in it, which leaves this floor only in the program's own input. Everything that
//! comes back from the program is held against them, so that none comes into a log.

use crate::model::value::Value;
use crate::world::secret::{self, SecretError};
use serde_json::{Map, Value as Json};
use std::fmt;

/// Secrets shorter than this hide nothing when they are starred out of texts, and spoil them.
const SHORTEST_HIDDEN: usize = 3;

pub struct Payload {
    json: Json,
    /// The secrets in it, in clear and as JSON writes them.
    hidden: Vec<String>,
}

impl Payload {
    /// `value` as JSON. Secrets stand in it in clear when the task asked for them, and are left out otherwise; what
    /// could not be read is null.
    pub fn of(value: &Value, with_secrets: bool) -> Result<Payload, SecretError> {
        let mut hidden = Vec::new();
        let json = plain(value, with_secrets, &mut hidden)?.unwrap_or(Json::Null);
        Ok(Payload { json, hidden })
    }

    /// The text without the secrets that this payload holds.
    pub fn hide(&self, text: String) -> String {
        self.hidden.iter().fold(text, |text, secret| match text.contains(secret) {
            true => text.replace(secret, "(secret)"),
            false => text,
        })
    }

    pub(in crate::world) fn whole(&self) -> String {
        self.json.to_string()
    }

    /// The parameters alone.
    pub(in crate::world) fn params(&self) -> Json {
        self.json.get("params").cloned().unwrap_or_else(|| Json::Object(Map::new()))
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Payload(…)")
    }
}

fn plain(value: &Value, with_secrets: bool, hidden: &mut Vec<String>) -> Result<Option<Json>, SecretError> {
    Ok(Some(match value {
        Value::Null | Value::Unknown(_) => Json::Null,
        Value::Bool(truth) => (*truth).into(),
        Value::Int(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Text(text) => Json::from(&**text),
        Value::Secret(_) if !with_secrets => return Ok(None),
        Value::Secret(reference) => {
            let clear = secret::resolve(reference)?;
            hide(clear.clear(), hidden);
            Json::from(clear.clear())
        }
        Value::List(items) => {
            let mut list = Vec::with_capacity(items.len());
            for item in items.iter() {
                list.extend(plain(item, with_secrets, hidden)?);
            }
            Json::Array(list)
        }
        Value::Map(map) => {
            let mut object = Map::new();
            for (key, item) in map.iter() {
                if let Some(item) = plain(item, with_secrets, hidden)? {
                    object.insert(key.to_string(), item);
                }
            }
            Json::Object(object)
        }
    }))
}

fn hide(clear: &str, hidden: &mut Vec<String>) {
    let quoted = Json::from(clear).to_string();
    for form in [clear, quoted.trim_matches('"')] {
        if form.len() >= SHORTEST_HIDDEN && !hidden.iter().any(|known| known == form) {
            hidden.push(form.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_left_out_unless_asked_for_and_never_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "pa\"ss\n").unwrap();
        let value = Value::map([
            ("node", Value::text("n1")),
            ("password", Value::Secret(format!("file:{}", file.display()).into())),
            ("params", Value::map([("gone", Value::Unknown("why".into()))])),
        ]);
        let without = Payload::of(&value, false).unwrap();
        assert_eq!(without.whole(), r#"{"node":"n1","params":{"gone":null}}"#);
        let with = Payload::of(&value, true).unwrap();
        assert_eq!(with.whole(), r#"{"node":"n1","params":{"gone":null},"password":"pa\"ss"}"#);
        assert_eq!(with.params().to_string(), r#"{"gone":null}"#);
        assert_eq!(with.hide(r#"it is pa"ss, or "pa\"ss""#.into()), r#"it is (secret), or "(secret)""#);
        assert!(!format!("{with:?}").contains("pa"));
        let missing = Value::Secret("file:/nonexistent/secret".into());
        assert!(Payload::of(&missing, true).is_err());
        assert!(Payload::of(&missing, false).is_ok());
    }
}
