//! Everything outside that we speak to, one room each. Knows nothing of scripts, plans or the store.

pub mod agent;
pub mod bmc;
pub mod boot;
pub mod clock;
pub mod command;
pub mod container;
pub mod dns;
pub mod http;
pub mod program;
pub mod secret;
pub mod source;
pub mod ssh;
pub mod switch;
