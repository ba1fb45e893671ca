//! What went wrong with a switch: which one, may it be tried again, may the write have happened.

use crate::world::bmc::{Class, Sent, status_is_transient};
use crate::world::http::HttpError;

#[derive(Debug, thiserror::Error)]
#[error("switch `{switch}`, port `{port}`: {fault}")]
pub struct SwitchError {
    pub switch: String,
    pub port: String,
    pub fault: Fault,
}

#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The exchange itself; it names the method, the host and the path.
    #[error(transparent)]
    Http(HttpError),
    #[error("it has no such port")]
    NoPort,
    #[error("it refuses the user name or the password")]
    Credentials,
    #[error("it answers {status} to {method}{}", because(.messages))]
    Status { method: &'static str, status: u16, messages: Vec<String>, sent: Sent },
    #[error("its answer has no usable `{field}` ({seen})")]
    Unusable { field: &'static str, seen: String },
    #[error("{0}")]
    Wish(String),
}

fn because(messages: &[String]) -> String {
    if messages.is_empty() { String::new() } else { format!(": {}", messages.join(" ")) }
}

impl SwitchError {
    /// Transient faults may go away by themselves: a switch that starts, is busy, or was written by somebody else.
    pub fn class(&self) -> Class {
        match &self.fault {
            Fault::Http(error) => error.class(),
            Fault::Status { status, .. } if status_is_transient(*status) => Class::Transient,
            _ => Class::Permanent,
        }
    }

    /// Could a write have happened?
    pub fn sent(&self) -> Sent {
        match &self.fault {
            Fault::Http(error) => error.sent,
            Fault::Status { sent, .. } => *sent,
            _ => Sent::Nothing,
        }
    }

    /// True when the switch said nothing within the time that it had.
    pub fn is_silence(&self) -> bool {
        matches!(&self.fault, Fault::Http(error) if matches!(error.fault, crate::world::http::Fault::TimedOut(_)))
    }
}
