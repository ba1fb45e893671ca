//! The loop: bring the design in, look, plan, let someone approve, run.
//!
//! `plan` and `apply` turn it once, `watch` again and again. What it decides is decided by `plan/`; what it does is done by
//! `run/`; this floor brings their inputs together.

mod boot;
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
pub mod watch;

pub use look::look;
