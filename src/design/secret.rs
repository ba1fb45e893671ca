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

/// True when the text is a URL with a password in it (RFC 3986, 3.2.1). What stands before the host of a web address may be a
/// token, which forges take in a user's place; with SSH it is a name.
pub fn is_in_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // What stands before it may be `git+`, or a name in a list of parameters.
    let transport = scheme.rsplit(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
    let is_web = ["http", "https"].iter().any(|web| transport.eq_ignore_ascii_case(web));
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':') || (is_web && !user.is_empty()))
}

pub fn in_url() -> Problem {
    let help = "leave the user and the password out of the URL; write the password as (secret)\"env:NAME\"";
    Problem::new(CLEAR_TEXT_SECRET, "a URL holds a password or a token in clear text", help)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_a_web_host_is_a_secret() {
        for text in [
            "https://me:hunter2@h/x",
            "https://hunter2@h/x",
            "HTTP://hunter2@h",
            "git+https://hunter2@h/x?ref=a",
            "git+http://hunter2@h",
            "https://hunter2@h:8443?x",
            "https://a@hunter2@h/x",
            "inst.ks=https://hunter2@h/x",
            "ssh://git:hunter2@h/x",
            "ftp://me:hunter2@h/x",
        ] {
            assert!(is_in_url(text), "{text}");
        }
        for text in [
            "https://h/x@sha256:1",
            "https://h?a@b",
            "https://@h/x",
            "ssh://git@h/x",
            "git+ssh://git@h/x",
            "oci://h/x@y",
            "files/a@b",
            "me@h",
        ] {
            assert!(!is_in_url(text), "{text}");
        }
    }
}
