//! What a console says while statements are evaluated: plain data for people and programs.

use crate::finding::Place;

/// What happens on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// An effect is about to be performed: the call as scripts write it.
    Calls { call: String, kind: String, writes: bool },
    /// A message of the script, which nothing keeps.
    Says { level: String, text: String },
}

/// What a statement comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The value as scripts write it; nothing for `()`.
    Value(Option<String>),
    Failed {
        message: String,
        /// In the statement itself, if it failed there.
        at: Option<Place>,
        /// Everywhere, innermost first: `FILE:LINE:COLUMN`.
        places: Vec<String>,
    },
}
