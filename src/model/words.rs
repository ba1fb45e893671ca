//! Closed sets of words: an enum, its words, and reading one back with an error that lists them all.

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
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }
        impl std::str::FromStr for $type {
            type Err = $crate::model::words::NotOneOf;
            fn from_str(text: &str) -> Result<$type, Self::Err> {
                match text {
                    $($word => Ok($type::$variant),)*
                    _ => Err($crate::model::words::NotOneOf { text: text.to_string(), words: $type::WORDS }),
                }
            }
        }
    };
}

pub(crate) use words;
