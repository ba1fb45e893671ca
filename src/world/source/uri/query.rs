//! What stands after the `?` of a design URI: parameters, each once, none unknown, secrets only as references.

use crate::finding::did_you_mean;
use std::collections::BTreeMap;

/// More parameters than there are in all.
const MOST: usize = 16;
const REFERENCES: &[&str] = &["env:", "file:"];
/// What may be shown of a URI that is wrong.
const HARMLESS: &[&str] = &["ref", "digest", "user"];

pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    pub fn parse(text: &str) -> Result<Query, String> {
        let mut parameters = BTreeMap::new();
        for part in text.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let name = decode(name)?;
            let is_name = |name: &str| {
                name.len() <= 32
                    && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            };
            if !is_name(&name) {
                return Err("a parameter after `?` has no plain name".into());
            }
            if parameters.insert(name.clone(), decode(value)?).is_some() {
                return Err(format!("`{name}=` is given twice"));
            }
            if parameters.len() > MOST {
                return Err("it has too many parameters".into());
            }
        }
        Ok(Query(parameters))
    }

    /// A value that is not empty; an empty one stays, for [`Query::ends`] to tell.
    pub fn take(&mut self, name: &str) -> Option<String> {
        match self.0.get(name)?.is_empty() {
            true => None,
            false => self.0.remove(name),
        }
    }

    /// A secret's reference; clear text is refused and not repeated.
    pub fn take_reference(&mut self, name: &str) -> Result<Option<String>, String> {
        let Some(value) = self.take(name) else { return Ok(None) };
        let names_one = |kind: &&str| value.strip_prefix(*kind).is_some_and(|rest| !rest.is_empty());
        match REFERENCES.iter().any(names_one) {
            true => Ok(Some(value)),
            false => Err(format!(
                "`{name}=` is a secret in clear text; write {name}=env:VARIABLE or {name}=file:PATH"
            )),
        }
    }

    /// Fails when something is left that nobody asked for.
    pub fn ends(&self, known: &[&str]) -> Result<(), String> {
        let Some(left) = self.0.keys().next() else { return Ok(()) };
        let help = match did_you_mean(left, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}=`?"),
            None => format!(
                "what may be written is {}",
                known.iter().map(|name| format!("`{name}=`")).collect::<Vec<_>>().join(", ")
            ),
        };
        match known.contains(&left.as_str()) {
            true => Err(format!("`{left}=` is empty")),
            false => Err(format!("`{left}=` is not known here; {help}")),
        }
    }
}

/// Percent-decoding (RFC 3986, 2.1). Control characters are refused however they are written.
pub(super) fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        match byte {
            b'%' => match (digit(), digit()) {
                (Some(high), Some(low)) => bytes.push(u8::try_from(high * 16 + low).unwrap_or_default()),
                _ => return Err("`%` is not followed by two hexadecimal digits".into()),
            },
            other => bytes.push(other),
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => Ok(text),
        _ => Err("it holds bytes that are no text".into()),
    }
}

/// The inverse of [`decode`] for a path or a parameter's value.
pub(in crate::world::source) fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/+@,=:".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// The query with every value blanked that may be a secret.
pub(super) fn redacted(query: &str) -> String {
    let show = |part: &str| match part.split_once('=') {
        Some((name, value)) => {
            let shown = HARMLESS.contains(&name) || REFERENCES.iter().any(|kind| value.starts_with(kind));
            format!("{name}={}", if shown { value } else { "…" })
        }
        None => "…".to_string(),
    };
    format!("?{}", query.split('&').map(show).collect::<Vec<_>>().join("&"))
}
