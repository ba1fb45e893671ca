//! What went wrong with a BMC: which one, on which resource, may it be tried again, may the write have happened.
//!
//! Causes of the transport are in `source()`. Nothing here ever holds a credential.

use std::time::Duration;

/// A request to a BMC that did not succeed.
#[derive(Debug, thiserror::Error)]
#[error("BMC {bmc}, {resource}: {fault}")]
pub struct BmcError {
    /// Scheme, host and port.
    pub bmc: String,
    /// Method and path, such as `PATCH /redfish/v1/Systems/1`.
    pub resource: String,
    pub fault: Box<Fault>,
    pub sent: Sent,
    #[source]
    pub cause: Option<reqwest::Error>,
}

/// Is it worth trying the same again later?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Transient,
    Permanent,
}

/// Could the write have happened?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// No write left this process, or the connection was never made.
    Nothing,
    /// The service answered that it will not do it.
    Refused,
    /// The request left, and nobody knows.
    Perhaps,
}

/// What was wrong.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("{0}")]
    Address(String),
    #[error("cannot connect")]
    Connect,
    #[error("no complete answer within {}", crate::units::short(*.0))]
    TimedOut(Duration),
    #[error("the connection broke before the answer was complete")]
    Broken,
    #[error("it refuses the user name or the password")]
    Credentials,
    #[error("it answers {status}{}", because(.messages))]
    Status { status: u16, messages: Vec<String> },
    #[error("its answer is not JSON ({0})")]
    NotJson(String),
    #[error("its answer is longer than {0} bytes")]
    TooLarge(usize),
    #[error("its answer has no usable `{field}` ({seen})")]
    Unusable { field: &'static str, seen: String },
    #[error("it does not support {wanted}; it supports {}", listed(.supported))]
    Unsupported { wanted: String, supported: Vec<String> },
    #[error("it has {} systems, and none is chosen: {}", .0.len(), listed(.0))]
    SeveralSystems(Vec<String>),
    #[error("it has no system `{wanted}`; it has {}", listed(.present))]
    NoSuchSystem { wanted: String, present: Vec<String> },
    #[error("its task ended as {state}{}", because(.messages))]
    TaskFailed { state: String, messages: Vec<String> },
    #[error("its task did not end within {}; last seen: {state}", crate::units::short(*.within))]
    TaskUnfinished { state: String, within: Duration },
    #[error(
        "its task waits for something else ({state}), such as a reset of the machine: nothing was done yet"
    )]
    TaskWaits { state: String },
    #[error("{0}")]
    Request(String),
}

impl BmcError {
    /// Transient faults may go away by themselves: a controller that starts, is busy or is cut off.
    pub fn class(&self) -> Class {
        match &*self.fault {
            Fault::Connect | Fault::TimedOut(_) | Fault::Broken | Fault::NotJson(_) => Class::Transient,
            Fault::TaskUnfinished { .. } => Class::Transient,
            Fault::Status { status, .. } if status_is_transient(*status) => Class::Transient,
            _ => Class::Permanent,
        }
    }

    pub fn sent(&self) -> Sent {
        self.sent
    }

    /// The HTTP status that the service answered, when the fault is an answer.
    pub fn status(&self) -> Option<u16> {
        match *self.fault {
            Fault::Status { status, .. } => Some(status),
            _ => None,
        }
    }

    /// True when the service says that it has no such resource or function (RFC 9110, 15.5.5, .6, .11; 15.6.2).
    pub(super) fn is_absence(&self) -> bool {
        matches!(self.status(), Some(404 | 405 | 410 | 501))
    }

    pub(super) fn with_sent(mut self, sent: Sent) -> BmcError {
        self.sent = sent;
        self
    }
}

/// 408, 409 (busy with another task), 412 (somebody else wrote), 423, 429 and 5xx except 501.
pub(in crate::world) fn status_is_transient(status: u16) -> bool {
    matches!(status, 408 | 409 | 412 | 423 | 429) || (status >= 500 && status != 501)
}

/// What a status says of a write: 4xx and redirections were refused, and so were 501 and an outright 503.
pub(in crate::world) fn sent_by_status(status: u16) -> Sent {
    match status {
        408 => Sent::Perhaps,
        300..=499 | 501 | 503 => Sent::Refused,
        _ => Sent::Perhaps,
    }
}

fn because(messages: &[String]) -> String {
    if messages.is_empty() { String::new() } else { format!(": {}", messages.join(" ")) }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}
