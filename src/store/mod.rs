//! All SQL: what we achieved, what we saw, and every run with its journal.
//!
//! One writer, which groups the writes that wait into one transaction; a pool of readers. No
//! transaction is ever open while a device is spoken to. Knows no devices, no scripts, no clock.

mod address;
mod bell;
mod dhcp;
mod doubt;
mod error;
mod fact;
mod finish;
mod journal;
mod lease;
mod message;
mod open;
mod output;
mod prune;
mod record;
mod run;
mod site;
mod ticket;
mod writer;

pub use bell::Bell;
pub use dhcp::DhcpLeaseRow;
pub use doubt::Answer;
pub use error::StoreError;
pub use fact::{Fact, fact_bell};
pub use finish::Finish;
pub use journal::{EffectRow, Intent};
pub use lease::{Fence, Lease};
pub use message::Message;
pub use open::Url;
pub use output::Output;
pub use prune::{Keep, Pruned};
pub use record::StepResult;
pub use run::{AttemptRow, NewNode, NewRun, NewStep, NodeRow, RunRow, StepRow};
pub use ticket::{Purpose, Ticket, TicketState};

use sqlx::SqlitePool;
use std::sync::Arc;

/// A handle to the store; cheap to clone.
#[derive(Clone)]
pub struct Store {
    reads: SqlitePool,
    /// Absent in a store that was opened only to be read.
    writer: Option<writer::Writer>,
    /// Rings when rows change that someone may wait for.
    pub bell: Arc<Bell>,
}
