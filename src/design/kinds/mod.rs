//! The kinds of the language, a file each: every top-level KDL node and what it may hold.
//!
//! Owns the list of kinds. Holds descriptions only; nothing here reads or checks.

pub mod blueprint;
pub mod hardware;
pub mod host;
pub mod image;
pub mod network;
pub mod node;
pub mod nodes;
pub mod profile;
pub mod site;
pub mod task;

use super::schema::Shape;

/// Every top-level kind, in the order in which the documentation names them.
pub static KINDS: &[Shape] = &[
    site::SITE,
    network::NETWORK,
    hardware::HARDWARE,
    profile::PROFILE,
    image::IMAGE,
    node::NODE,
    nodes::NODES,
    task::TASK,
    blueprint::BLUEPRINT,
];
