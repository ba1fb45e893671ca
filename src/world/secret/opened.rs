//! Secrets opened for one request: where clear text is put in place, and kept out of what is said afterwards.
//!
//! Owns which clear texts one request has seen and every form in which a peer may send them back. Lives no longer than the
//! request.

use super::{SecretError, noting};
use crate::model::value::Value;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

/// What stands in place of a secret.
const COVER: &str = "(secret)";

/// The clear texts that one request has seen.
#[derive(Default)]
pub(in crate::world) struct Opened {
    /// Longest first, so that none is left over in a longer one.
    forms: Vec<String>,
}

impl Opened {
    /// The text of a value that is a text or a secret.
    pub fn text(&mut self, value: &Value) -> Result<String, SecretError> {
        match value {
            Value::Text(text) => Ok(text.to_string()),
            Value::Secret(reference) => {
                let clear = noting(reference, &mut |seen| self.keep(seen))?;
                Ok(clear.clear().to_string())
            }
            Value::Null => Ok(String::new()),
            other => Ok(other.to_string()),
        }
    }

    /// A value as JSON, its secrets as texts.
    pub fn json(&mut self, value: &Value) -> Result<Json, SecretError> {
        Ok(match value {
            Value::Null => Json::Null,
            Value::Bool(truth) => Json::Bool(*truth),
            Value::Int(number) => Json::from(*number),
            Value::Float(number) => Json::from(*number),
            Value::Text(_) | Value::Secret(_) => Json::String(self.text(value)?),
            Value::Unknown(why) => return Err(SecretError::Unknown(why.to_string())),
            Value::List(items) => {
                Json::Array(items.iter().map(|item| self.json(item)).collect::<Result<_, _>>()?)
            }
            Value::Map(map) => {
                let entries = map.iter().map(|(name, item)| Ok((name.to_string(), self.json(item)?)));
                Json::Object(entries.collect::<Result<_, SecretError>>()?)
            }
        })
    }

    /// From now on `secret` is kept out, as it is and as protocols write it.
    pub fn keep(&mut self, secret: &str) {
        let quoted = Json::String(secret.to_string()).to_string();
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let trimmed = secret.trim().to_string();
        for form in [
            secret.to_string(),
            trimmed,
            quoted[1..quoted.len() - 1].to_string(),
            encoded,
            STANDARD.encode(secret),
        ] {
            if !form.is_empty() && !self.forms.contains(&form) {
                self.forms.push(form);
            }
        }
        self.forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    }

    /// Whether anything was opened.
    pub fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// The text without what was opened.
    pub fn covered(&self, text: &str) -> String {
        self.forms.iter().fold(text.to_string(), |text, form| match text.contains(form.as_str()) {
            true => text.replace(form.as_str(), COVER),
            false => text,
        })
    }

    pub fn covered_json(&self, json: Json) -> Json {
        match json {
            Json::String(text) => Json::String(self.covered(&text)),
            Json::Array(items) => {
                Json::Array(items.into_iter().map(|item| self.covered_json(item)).collect())
            }
            Json::Object(map) => Json::Object(
                map.into_iter().map(|(key, item)| (self.covered(&key), self.covered_json(item))).collect(),
            ),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_text_is_covered_as_the_whole_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hunter2\n").unwrap();
        let secret = Value::Secret(format!("file:{}", file.path().display()).into());
        let rendered = crate::template::Rendered {
            name: "x".into(),
            text: "<{{ token }}>".into(),
            texts: crate::template::Texts::new(),
            values: Value::map([("token", secret)]),
        };
        let Ok(crate::template::Stays::Secret(reference)) = rendered.stays() else { panic!("it is clear") };
        let mut opened = Opened::default();
        assert_eq!(opened.text(&Value::Secret(reference.into())).unwrap(), "<hunter2>");
        assert_eq!(opened.covered("<hunter2> hunter2"), "(secret) (secret)");
    }

    #[test]
    fn every_form_of_a_secret_is_covered() {
        let mut opened = Opened::default();
        opened.keep("hun\"ter 2");
        opened.keep("hun");
        for text in ["hun\"ter 2", "hun\\\"ter 2", "hun%22ter+2", "aHVuInRlciAy", "hun"] {
            assert_eq!(opened.covered(&format!("<{text}>")), "<(secret)>", "{text}");
        }
        let json = serde_json::json!({"hun": ["xhuny", 1]});
        assert_eq!(opened.covered_json(json).to_string(), r#"{"(secret)":["x(secret)y",1]}"#);
    }
}
