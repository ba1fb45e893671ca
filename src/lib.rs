#![doc = include_str!("README.md")]

pub mod design;
pub mod finding;
pub mod id;
pub mod model;
pub mod script;
pub mod units;
pub mod virtual_rack;
pub mod world;
