//! Identifiers: newtypes for the ids that cross floors, and the one place that draws randomness.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The id of a run: `r` and 12 hexadecimal digits of randomness.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(pub String);

/// The id of one effect of one attempt: it travels with the request where the protocol allows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EffectId(pub String);

/// The system's random source did not answer.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes ({0})")]
pub struct NoRandomness(String);

impl RunId {
    pub fn draw() -> Result<RunId, NoRandomness> {
        Ok(RunId(format!("r{}", random_hex(6)?)))
    }
}

/// `bytes` random bytes as lower-case hexadecimal digits.
pub fn random_hex(bytes: usize) -> Result<String, NoRandomness> {
    let mut buffer = vec![0u8; bytes];
    getrandom::fill(&mut buffer).map_err(|error| NoRandomness(error.to_string()))?;
    Ok(hex(&buffer))
}

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for EffectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
