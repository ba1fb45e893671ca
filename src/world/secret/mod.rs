//! Secrets: from a reference in a design to its clear text, at the moment of use and never before.
//!
//! Clear text stays inside `world/`: [`Password`] shows it to nobody else.

mod opened;

pub(in crate::world) use opened::Opened;

use super::bmc::Password;
use crate::template::{PREFIX, Rendered};
use std::path::Path;

/// A secret file longer than this is not a secret.
const LONGEST_BYTES: u64 = 64 << 10;

/// Why a reference could not be resolved. Never holds the clear text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("the environment variable {0} is not set; the design refers to it as `env:{0}`")]
    NotSet(String),
    #[error("the secret file `{0}` cannot be read: {1}")]
    File(String, String),
    #[error("`{0}` is a kind of secret that this build cannot fetch; use env: or file:")]
    Scheme(String),
    #[error("{0}")]
    Template(String),
    #[error("a value that is to be sent is unknown ({0})")]
    Unknown(String),
}

/// Fetches the first line of the clear text behind a reference: what a password is.
pub fn resolve(reference: &str) -> Result<Password, SecretError> {
    let text = whole(reference)?;
    Ok(Password::new(text.clear().lines().next().unwrap_or("")))
}

/// Fetches the clear text behind `env:NAME`, `file:PATH` (without the line break at its end) or `render:…`, a template with
/// secrets among its values. A `#version=…` at the end is for comparing only.
pub fn whole(reference: &str) -> Result<Password, SecretError> {
    noting(reference, &mut |_| {})
}

/// The same; `seen` is told every clear text that it is made of.
fn noting(reference: &str, seen: &mut dyn FnMut(&str)) -> Result<Password, SecretError> {
    let clear = match reference.starts_with(PREFIX) {
        true => rendered(reference, seen)?,
        false => fetched(reference)?,
    };
    seen(clear.clear());
    Ok(clear)
}

fn fetched(reference: &str) -> Result<Password, SecretError> {
    let bare = reference.split_once("#version=").map_or(reference, |(bare, _)| bare);
    match bare.split_once(':') {
        Some(("env", name)) => {
            std::env::var(name).map(Password::new).map_err(|_| SecretError::NotSet(name.to_string()))
        }
        Some(("file", path)) => from_file(Path::new(path)),
        Some((scheme, _)) => Err(SecretError::Scheme(format!("{scheme}:"))),
        None => Err(SecretError::Scheme(bare.to_string())),
    }
}

fn rendered(reference: &str, seen: &mut dyn FnMut(&str)) -> Result<Password, SecretError> {
    let broken = || {
        SecretError::Template("the text of a template was kept in a form that this build cannot read".into())
    };
    let rendered = Rendered::of(reference).ok_or_else(broken)?;
    let written =
        rendered.written_out(&mut |inner| noting(inner, seen).map(|text| text.clear().to_string()))?;
    written.map(Password::new).map_err(|error| SecretError::Template(error.to_string()))
}

fn from_file(path: &Path) -> Result<Password, SecretError> {
    let failed = |why: String| SecretError::File(path.display().to_string(), why);
    let length = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
    if length > LONGEST_BYTES {
        return Err(failed(format!("it has {length} bytes, more than {LONGEST_BYTES}")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Password::new(line.strip_suffix('\r').unwrap_or(line)))
}
