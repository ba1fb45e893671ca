//! A text with secrets in it that has not been written out: its template and its values, with references in place of
//! clear text.
//!
//! It is itself a reference to a secret, `render:` and JSON. So it goes wherever a reference may go (arguments, answers,
//! the journal) and never holds anything that must not be there; it is written out only inside the effect that uses it,
//! and again each time.

use super::{TemplateError, Texts, fill};
use crate::model::value::Value;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// How such a reference begins. No design can write one: its schemes are others.
pub const PREFIX: &str = "render:";
/// The longest reference: a template, what it includes, and its values.
const REFERENCE_BYTES: usize = 512 << 10;
/// Renderings among the values of a rendering.
const DEPTH: usize = 4;
/// What stands for a secret while nobody may know it.
const STAND_IN: &str = "(secret)";

/// What fills in a template that has secrets among its values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rendered {
    pub name: Arc<str>,
    pub text: Arc<str>,
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub texts: Texts,
    pub values: Value,
}

/// What rendering comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Stays {
    /// No secret is among the values.
    Clear(String),
    /// The reference of a text that is a secret.
    Secret(String),
}

impl Rendered {
    /// Fills the template in as far as anybody may know it. With secrets among the values the template is tried with
    /// stand-ins, so that its mistakes are found here, and a reference comes back.
    pub fn stays(&self) -> Result<Stays, TemplateError> {
        if !holds_secret(&self.values) {
            return fill(&self.name, &self.text, &self.texts, &self.values).map(Stays::Clear);
        }
        let known = replaced(&self.values, &mut |_| Ok::<_, TemplateError>(STAND_IN.to_string()))?;
        fill(&self.name, &self.text, &self.texts, &known)?;
        let reference = self.reference()?;
        match depth(&self.values) < DEPTH && reference.len() <= REFERENCE_BYTES {
            true => Ok(Stays::Secret(reference)),
            false => Err(self.fault(format!(
                "with secrets among its values, it and they may have {REFERENCE_BYTES} bytes, {DEPTH} renderings deep"
            ))),
        }
    }

    fn reference(&self) -> Result<String, TemplateError> {
        let json = serde_json::to_string(self).map_err(|error| self.fault(error.to_string()))?;
        Ok(format!("{PREFIX}{json}"))
    }

    fn fault(&self, why: String) -> TemplateError {
        TemplateError { template: self.name.to_string(), line: None, why }
    }

    /// Reads a reference; `None` for one of another kind.
    pub fn of(reference: &str) -> Option<Rendered> {
        serde_json::from_str(reference.strip_prefix(PREFIX)?).ok()
    }

    /// The whole text. `resolve` gives the clear text of each reference; what it gives stays here.
    pub fn written_out<E>(
        &self,
        resolve: &mut dyn FnMut(&str) -> Result<String, E>,
    ) -> Result<Result<String, TemplateError>, E> {
        let values = replaced(&self.values, resolve)?;
        let written = fill(&self.name, &self.text, &self.texts, &values);
        // What a filter says of a value may repeat it.
        Ok(written.map_err(|error| TemplateError {
            why: "it cannot be filled in with these secrets".into(),
            ..error
        }))
    }
}

fn holds_secret(value: &Value) -> bool {
    match value {
        Value::Secret(_) => true,
        Value::List(items) => items.iter().any(holds_secret),
        Value::Map(map) => map.iter().any(|(_, item)| holds_secret(item)),
        _ => false,
    }
}

/// How many renderings stand in each other.
fn depth(value: &Value) -> usize {
    match value {
        Value::Secret(reference) => Rendered::of(reference).map_or(0, |inner| 1 + depth(&inner.values)),
        Value::List(items) => items.iter().map(depth).max().unwrap_or(0),
        Value::Map(map) => map.iter().map(|(_, item)| depth(item)).max().unwrap_or(0),
        _ => 0,
    }
}

fn replaced<E>(value: &Value, resolve: &mut dyn FnMut(&str) -> Result<String, E>) -> Result<Value, E> {
    Ok(match value {
        Value::Secret(reference) => Value::from(resolve(reference)?),
        Value::List(items) => {
            Value::list(items.iter().map(|item| replaced(item, resolve)).collect::<Result<_, E>>()?)
        }
        Value::Map(map) => {
            let entries = map.iter().map(|(name, item)| Ok((name.clone(), replaced(item, resolve)?)));
            Value::map(entries.collect::<Result<Vec<_>, E>>()?)
        }
        other => other.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(text: &str, values: Value) -> Rendered {
        Rendered { name: "motd".into(), text: text.into(), texts: Texts::new(), values }
    }

    fn secret(text: &str) -> Rendered {
        rendered(text, Value::map([("token", Value::Secret("env:TOKEN".into())), ("a", Value::Int(1))]))
    }

    #[test]
    fn a_text_with_a_secret_is_a_reference_until_it_is_used() {
        let made = secret("a={{ a }} token={{ token|upper }}\n");
        let Stays::Secret(reference) = made.stays().unwrap() else { panic!("it is clear") };
        assert!(reference.starts_with("render:{") && reference.contains("env:TOKEN"));
        let read = Rendered::of(&reference).unwrap();
        assert_eq!(read, made);
        let mut asked = Vec::new();
        let text = read.written_out(&mut |reference| {
            asked.push(reference.to_string());
            Ok::<_, ()>("hunter2".into())
        });
        assert_eq!(text.unwrap().unwrap(), "a=1 token=HUNTER2\n");
        assert_eq!(asked, ["env:TOKEN"]);
        assert_eq!(rendered("{{ 1 + 1 }}", Value::empty_map()).stays(), Ok(Stays::Clear("2".into())));
        assert_eq!(Rendered::of("env:X"), None);
        assert_eq!(Rendered::of("render:nonsense"), None);
    }

    #[test]
    fn mistakes_are_found_before_a_secret_is_asked_for_and_never_repeat_it() {
        assert_eq!(secret("\n{{ tken }}").stays().unwrap_err().line, Some(2));
        let asks = secret("{{ [token].nosuch.deeper }} {{ token|int }}");
        let said = asks.written_out(&mut |_| Ok::<_, ()>("hunter2".into())).unwrap().unwrap_err();
        assert!(!said.to_string().contains("hunter2"), "{said}");
        assert_eq!(asks.written_out(&mut |_| Err("not set")), Err("not set"));
    }

    #[test]
    fn renderings_stand_in_each_other_only_so_deep() {
        let mut reference = "env:X".to_string();
        for level in 0..DEPTH {
            let made = rendered("{{ x }}", Value::map([("x", Value::Secret(reference.clone().into()))]));
            let Stays::Secret(next) = made.stays().unwrap() else { panic!("level {level} is clear") };
            reference = next;
        }
        let made = rendered("{{ x }}", Value::map([("x", Value::Secret(reference.into()))]));
        assert!(made.stays().unwrap_err().to_string().contains("deep"));
    }
}
