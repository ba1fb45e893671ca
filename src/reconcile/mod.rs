//! The loop: bring the design in, look, plan, let someone approve, run.
//!
//! `plan` and `apply` turn it once, `watch` again and again. What it decides is decided by `plan/`; what it does is done by
//! `run/`; this floor brings their inputs together.

mod boot;
mod choose;
pub mod console;
pub mod design;
pub mod desk;
pub mod format;
pub mod images;
pub mod imported;
mod look;
pub mod place;
pub mod reference;
pub mod rehearsal;
mod rehearsal_parts;
pub mod release;
pub mod replay;
pub mod session;
mod settle;
pub mod stand_in;
mod trace;
pub mod viewing;
pub mod watch;

pub use choose::choose;
pub use look::look;
pub use settle::addresses_of;

/// An error and what caused it, each once.
pub fn causes(error: &dyn std::error::Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    texts.dedup();
    texts
}
