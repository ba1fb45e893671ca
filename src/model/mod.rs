//! Plain data with public fields: what every floor passes to the next. No I/O, no async, no decisions.

pub mod blueprint;
pub mod console;
pub mod formatted;
pub mod hazard;
pub mod image;
pub mod imported;
pub mod inventory;
pub mod map;
pub mod names;
pub mod observed;
mod outside;
pub mod param;
pub mod path;
pub mod plan;
pub mod record;
pub mod reference;
pub mod replay;
pub mod revision;
pub mod run;
pub mod site;
pub mod task;
pub mod tested;
pub mod trace;
pub mod value;
pub mod watch;
pub mod words;
pub mod written;
