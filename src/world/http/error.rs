//! What went wrong with a request: with whom, may it be tried again, may it have been carried out.
//!
//! Names the method, the scheme, the host and the path; never a query, a user or anything that was opened.

use crate::world::bmc::{Class, Sent, status_is_transient};
use crate::world::secret::SecretError;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
#[error("{what}: {fault}{}", because(.cause))]
pub struct HttpError {
    /// Such as `PUT https://books.example.net/machines/7`.
    pub what: String,
    pub fault: Fault,
    pub sent: Sent,
    /// The transport's own reason, in words without the URL.
    pub cause: Option<String>,
}

fn because(cause: &Option<String>) -> String {
    cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default()
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("{0}")]
    Request(String),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("a rehearsal touches nothing real, and `{0}` is not a loopback address")]
    Rehearsal(String),
    #[error("cannot connect")]
    Connect,
    #[error("no complete answer within {}", crate::units::short(*.0))]
    TimedOut(Duration),
    #[error("the connection broke before the answer was complete")]
    Broken,
    #[error("its answer is longer than {0} bytes")]
    TooLarge(usize),
    #[error("it answers {status}, not {expected}{}", said(.text))]
    Status { status: u16, expected: String, text: String },
    #[error("it redirects to {0}, another place, and the request carries a secret that is not sent there")]
    Elsewhere(String),
    #[error("it redirects more than {0} times")]
    Redirects(usize),
}

fn said(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

impl HttpError {
    pub fn class(&self) -> Class {
        match &self.fault {
            Fault::Connect | Fault::TimedOut(_) | Fault::Broken => Class::Transient,
            Fault::Status { status, .. } if status_is_transient(*status) => Class::Transient,
            _ => Class::Permanent,
        }
    }
}
