//! What went wrong with a machine over SSH, and whether it may pass. Never holds a credential.

use crate::world::bmc::Class;
use crate::world::secret::SecretError;
use std::time::Duration;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("SSH to {at}: {fault}")]
pub struct SshError {
    /// Host and port.
    pub at: String,
    pub fault: Fault,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("a rehearsal touches nothing real, and `{0}` is not a loopback address")]
    Rehearsal(String),
    #[error("cannot connect ({0})")]
    Connect(String),
    #[error("no answer within {}", crate::units::short(*.0))]
    TimedOut(Duration),
    #[error("what answers there is no SSH server")]
    NotSsh,
    #[error(
        "its host key is {seen}, and {expected} is expected: another machine answers, or it was installed anew behind our back; write `host-key=` in the node's `ssh` when this is right"
    )]
    HostKey { seen: String, expected: String },
    #[error("it refuses the user `{0}` with the key or password that the design gives")]
    Login(String),
    #[error("the private key cannot be used: {0}")]
    Key(&'static str),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the connection broke ({0})")]
    Broken(String),
    #[error("it sends more than {0} bytes")]
    TooLarge(usize),
    #[error("the command was not begun: {0}")]
    NotBegun(String),
    #[error("the machine cannot do it: {0}")]
    Refused(String),
}

impl SshError {
    /// A machine that starts, restarts or is cut off may answer later; a wrong key or login does not mend itself.
    pub fn class(&self) -> Class {
        match self.fault {
            Fault::Connect(_) | Fault::TimedOut(_) | Fault::NotSsh | Fault::Broken(_) => Class::Transient,
            _ => Class::Permanent,
        }
    }
}
