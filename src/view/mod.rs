//! Every sentence that a person reads, and the JSON of the same values.
//!
//! Human and JSON are two renderings of one value. Decides nothing.

pub mod agent;
pub mod caret;
pub mod console;
pub mod definitions;
pub mod explain;
pub mod export;
pub mod findings;
pub mod format;
pub mod image;
pub mod import;
pub mod out;
pub mod plan;
pub mod progress;
pub mod reference;
pub mod replay;
pub mod runs;
pub mod show;
pub mod tested;
pub mod trace;
pub mod watch;
pub mod words;
