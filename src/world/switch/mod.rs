//! Switches: their ports, read and set by RESTCONF (RFC 8040) with the OpenConfig models of interfaces and VLANs.
//!
//! Owns what of a port is looked at, and how one wish becomes at most one request. Does not retry, does not limit how many
//! callers there are, and knows no vendor: what differs from these models is spoken by a site's own tasks.

mod error;
mod port;
mod restconf;
#[cfg(test)]
mod tests;
mod write;

pub use error::{Fault, SwitchError};
pub use port::{Mode, Port, Reading, Wish};
pub use restconf::{Address, Switch};
pub use write::Write;
