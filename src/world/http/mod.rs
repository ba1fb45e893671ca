//! HTTP to whatever a task wants to speak to: one request, bounded in time and size, with its secrets opened here only.
//!
//! Follows no proxy. A redirection of a GET is followed, to another origin only when the request carries no secret; of any
//! other method never. Does not retry, and knows no scripts.

mod error;
mod exchange;
mod jar;
#[cfg(test)]
mod tests;

pub(in crate::world) use exchange::is_loopback_host;

pub use error::{Fault, HttpError};
pub use exchange::{Answer, Body, Login, Request};
pub use jar::Web;
pub use reqwest::Method;
