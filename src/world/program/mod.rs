//! What container and command tasks have in common: what a program is given, what it writes, and how it ends.
//!
//! Owns the payload with its secrets, the cutting of output into lines, and the limits. Starts nothing: that is the
//! business of `world/container/` and `world/command/`.

mod lines;
mod payload;

pub use lines::{Lines, Tail};
pub use payload::Payload;

use serde::{Deserialize, Serialize};

/// The longest result that is read, in bytes. It goes into the journal.
pub const RESULT_BYTES: u64 = 1 << 20;

/// A program that writes more than this has lost its way.
pub const OUTPUT_BYTES: u64 = 256 << 20;

/// Which of a program's outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// By itself, with this exit code; 128 and the signal's number when a signal ended it.
    Exited { code: i64 },
    /// Its time was over, and it was killed.
    TimedOut,
    /// Its run was cancelled, and it was killed.
    Stopped,
    /// It took more memory than it may have.
    OutOfMemory,
    /// It wrote more than it may.
    WroteTooMuch,
    /// It could not be started.
    NotStarted { why: String },
}
