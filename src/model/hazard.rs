//! Hazards, phases and scopes: the words for what a step may harm, when it runs, and what it makes.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a step may harm, mildest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hazard {
    #[default]
    None,
    Reboot,
    Reinstall,
    DataLoss,
}

/// The phases of a node's lifecycle, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    Verify,
    Prepare,
    Deploy,
    Configure,
    Release,
}

/// What holds a step's result: a reinstall wipes what has scope `os`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    #[default]
    Hardware,
    Os,
}

/// A text is none of the words allowed; the words are listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is none of {}", words.join(", "))]
pub struct NotOneOf {
    pub text: String,
    pub words: &'static [&'static str],
}

macro_rules! words {
    ($type:ident { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $type {
            pub const WORDS: &'static [&'static str] = &[$($word),*];
            pub fn word(self) -> &'static str {
                match self { $($type::$variant => $word),* }
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
        impl FromStr for $type {
            type Err = NotOneOf;
            fn from_str(text: &str) -> Result<$type, NotOneOf> {
                match text {
                    $($word => Ok($type::$variant),)*
                    _ => Err(NotOneOf { text: text.to_string(), words: $type::WORDS }),
                }
            }
        }
    };
}

words!(Hazard { None = "none", Reboot = "reboot", Reinstall = "reinstall", DataLoss = "data-loss" });
words!(Phase {
    Verify = "verify",
    Prepare = "prepare",
    Deploy = "deploy",
    Configure = "configure",
    Release = "release",
});
words!(Scope { Hardware = "hardware", Os = "os" });
