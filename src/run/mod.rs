//! The durable executor: carries a plan out, step by step, so that it can be killed at any moment.
//!
//! A run lives in the store with everything that it needs. Its executor may only narrow the plan:
//! skip what is already true, or stop. Decides nothing about what should be done.

mod attempt;
pub mod begin;
mod budget;
mod driver;
pub mod event;
mod execute;
mod node;
mod params;
pub mod prepared;
pub mod replay;
mod standing;
mod step;
pub mod trace;
mod verdict;

pub use execute::{Executor, Finished};
