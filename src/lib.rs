#![doc = include_str!("README.md")]

pub mod cli;
pub mod design;
pub mod effect;
pub mod finding;
pub mod id;
pub mod import;
pub mod model;
pub mod plan;
pub mod reconcile;
pub mod run;
pub mod script;
pub mod store;
pub mod units;
pub mod view;
pub mod virtual_rack;
pub mod world;
