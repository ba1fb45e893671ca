//! The kinds of the language, a file each: every top-level KDL node and what it may hold.
//!
//! Owns the list of kinds. Holds descriptions only; nothing here reads or checks.

pub mod blueprint;
pub mod boot_action;
pub mod broker;
pub mod cluster;
pub mod hardware;
pub mod host;
pub mod image;
pub mod include;
pub mod infrastructure;
pub mod interfaces;
pub mod inventory;
pub mod link;
pub mod network;
pub mod node;
pub mod nodes;
pub mod param;
pub mod policy;
pub mod pool;
pub mod profile;
pub mod rack;
pub mod region;
pub mod repository;
pub mod role;
pub mod rollout;
pub mod site;
pub mod storage;
pub mod switch;
pub mod task;
pub mod trigger;

use super::schema::Shape;

/// Every top-level kind, in the order in which the documentation names them.
pub static KINDS: &[Shape] = &[
    site::SITE,
    region::REGION,
    rack::RACK,
    switch::SWITCH,
    network::NETWORK,
    link::LINK,
    hardware::HARDWARE,
    profile::PROFILE,
    image::IMAGE,
    repository::REPOSITORY,
    node::NODE,
    nodes::NODES,
    inventory::INVENTORY,
    boot_action::BOOT_ACTION,
    task::TASK,
    blueprint::BLUEPRINT,
    rollout::ROLLOUT,
    policy::POLICY,
    pool::POOL,
    infrastructure::INFRASTRUCTURE,
    cluster::CLUSTER,
    broker::BROKER,
    trigger::TRIGGER,
    role::ROLE,
    include::INCLUDE,
];
