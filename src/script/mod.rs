//! The Rhai sandbox: what scripts may say, and what one evaluation of a script comes to.
//!
//! A script never touches the world. Evaluating it against the answers recorded so far ends in one
//! [`evaluate::Turn`]: it is done, it failed, or it wants one more effect, which whoever drives it
//! performs, records, and then evaluates again. So a waiting script holds no thread, and a resumed
//! one takes the same way as one that never stopped.

pub mod catalogue;
pub mod check;
pub mod closure;
pub mod console;
pub mod convert;
pub mod evaluate;
pub mod fault;
pub mod limits;
pub mod meter;
pub mod named;
mod natives;
mod pending;
mod rules;
pub mod sandbox;
pub mod scripted;
pub mod stdlib;
pub mod tape;

#[cfg(test)]
mod tests;
