//! The loop: bring the design in, look, plan, let someone approve, run.
//!
//! `plan` and `apply` turn it once. What it decides is decided by `plan/`; what it does is done by
//! `run/`; this floor brings their inputs together.

mod boot;
mod choose;
pub mod design;
pub mod format;
mod look;
pub mod place;
pub mod rehearsal;
mod release;
pub mod session;
mod settle;
pub mod stand_in;
pub mod viewing;

pub use choose::choose;
pub use look::look;
pub use settle::addresses_of;
