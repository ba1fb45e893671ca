//! SSH to a machine (RFC 4251 to 4254): one connection, one login, some commands; every part bounded in time and size.
//!
//! Owns that a host key is what the caller expects or is shown to the caller before anybody logs in, commands that are kept
//! on the machine until somebody asks for their end, and files that are put whole or not at all. Does not retry, remembers
//! no keys, and knows no scripts.

mod error;
mod kept;
mod placed;
mod session;
#[cfg(test)]
mod tests;

pub use error::{Fault, SshError};
pub use kept::{Asked, COMMAND_BYTES, Kept, Mode, STREAM_BYTES, Stopped};
pub use placed::{Placed, There};
pub use session::{Credentials, HostKey, Output, Place, Session, banner};
