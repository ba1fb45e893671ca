//! The desk: what the boot services ask of whoever runs them, and the plain values that go across it.
//!
//! The services hold no knowledge of their own: every answer comes from the store and the design.

use super::report::Report;
use crate::units::{Mac, Time};
use crate::world::agent;
use futures::future::BoxFuture;
use std::net::Ipv4Addr;

pub trait BootDesk: Send + Sync + 'static {
    /// The name of the node that has `mac`; `None` for a machine that nobody declared.
    fn node_of(&self, mac: Mac) -> BoxFuture<'_, Result<Option<String>, DeskError>>;
    /// What the machine boots now.
    fn boot(&self, mac: Mac) -> BoxFuture<'_, Result<Boot, DeskError>>;
    /// The order behind a boot ticket's key. Asking twice gives the same.
    fn order(&self, key: &str) -> BoxFuture<'_, Result<Order, Refusal>>;
    /// Takes a report; `Ok` only when it is kept.
    fn report(&self, key: &str, report: Report) -> BoxFuture<'_, Result<(), Refusal>>;
    /// The agent behind a boot ticket's key says who it is; `Ok` only when it is kept.
    fn agent_hello(&self, key: &str, hello: agent::Hello) -> BoxFuture<'_, Result<(), Refusal>>;
    /// The order for the agent, given again until its end was heard; `None` when there is none for a while.
    fn agent_order(
        &self,
        key: &str,
        next: agent::Next,
    ) -> BoxFuture<'_, Result<Option<agent::Order>, Refusal>>;
    /// What comes of an order.
    fn agent_said(&self, key: &str, said: agent::Said) -> BoxFuture<'_, Result<(), Refusal>>;
    /// Every DHCP lease that was saved; read once at start.
    fn leases(&self) -> BoxFuture<'_, Result<Vec<DhcpLease>, DeskError>>;
    /// Keeps a DHCP lease in place of any other of its address; awaited before the machine is told.
    fn save_lease(&self, lease: DhcpLease) -> BoxFuture<'_, Result<(), DeskError>>;
}

/// The desk cannot answer now; the machine is left to ask again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DeskError(pub String);

/// Why an order or a report is refused: 404, 409, 410 and 503 of HTTP.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no such key")]
    Unknown,
    /// Of agents: another one said hello with this key last, or none did.
    #[error("say hello first")]
    Stranger,
    #[error("the boot ticket is used up or withdrawn")]
    Withdrawn,
    #[error("{0}")]
    Broken(String),
}

/// What a machine boots from the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Boot {
    /// No node has this MAC.
    Unknown,
    /// No ticket: on to the next boot device.
    Disk {
        node: String,
    },
    Install {
        node: String,
        key: String,
        image: NetImage,
    },
    /// The agent, which then asks for its orders.
    Agent {
        node: String,
        key: String,
        image: NetImage,
    },
}

/// A kernel and its ramdisk that a machine loads over the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetImage {
    /// What is installed, for the line that a person sees on the console.
    pub name: String,
    /// `files/…` of the design, or an absolute http or https URL; so is `initrd`.
    pub kernel: String,
    pub initrd: String,
    /// `sha256:HEX`.
    pub kernel_checksum: Option<String>,
    pub initrd_checksum: Option<String>,
    /// Further kernel parameters, such as `console=ttyS0`.
    pub params: Vec<String>,
}

/// What the agent is told to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub node: String,
    pub image: OrderImage,
    pub hostname: String,
    pub kernel_params: Vec<String>,
    pub authorized_keys: Vec<String>,
    /// The key with which the installed system reports each of its boots.
    pub phone_home: String,
}

/// The image that goes to the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderImage {
    pub name: String,
    /// `files/…` of the design, or an absolute http or https URL.
    pub url: String,
    /// `sha256:HEX` of the content.
    pub checksum: String,
    /// Such as `raw`.
    pub format: String,
}

/// The right of a machine to an address until a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhcpLease {
    pub address: Ipv4Addr,
    pub mac: Mac,
    pub network: String,
    pub node: String,
    /// In the past once the machine has given the address back.
    pub expires: Time,
}
