//! Secrets: from a reference in a design to its clear text, at the moment of use and never before.

use super::bmc::Password;
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
}

/// Fetches the clear text behind `env:NAME` or `file:PATH` (its first line). A `#version=…` at the
/// end is for comparing only.
pub fn resolve(reference: &str) -> Result<Password, SecretError> {
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

fn from_file(path: &Path) -> Result<Password, SecretError> {
    let failed = |why: String| SecretError::File(path.display().to_string(), why);
    let length = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
    if length > LONGEST_BYTES {
        return Err(failed(format!("it has {length} bytes, more than {LONGEST_BYTES}")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    Ok(Password::new(text.lines().next().unwrap_or("")))
}
