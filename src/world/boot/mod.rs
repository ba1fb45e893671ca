//! Boot services: DHCP, TFTP, HTTP and the iPXE scripts that bring a machine from power-on to its installer or its agent.
//!
//! Owns the sockets and the protocols. Which machine boots what, what its order is and what a report means is decided
//! by whoever runs the services, behind [`BootDesk`]. Writes nothing but DHCP leases, and those through the desk.

mod agent;
mod desk;
mod dhcp;
mod folder;
mod http;
mod ipxe;
mod links;
#[cfg(test)]
mod loopback;
pub mod payload;
mod quiet;
mod report;
mod services;
mod tftp;

pub use desk::{Boot, BootDesk, DeskError, DhcpLease, NetImage, Order, OrderImage, Refusal};
pub use report::{Identity, Report, ReportedImage};
pub use services::{BootConfig, BootError, BootServices, BoundAddresses};
