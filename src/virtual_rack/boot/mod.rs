//! What a powered machine does on its network and from its disk, as the wire demands.
//!
//! Owns the boot path from the first DHCP packet to the report of an installed system. The order of devices
//! and power are the machine's (`machine/`).

pub mod agent;
pub mod dhcp;
pub mod http;
pub mod installed;
pub mod ipxe;
pub mod loader;
pub mod network;
pub mod relay;
pub mod report;
pub mod tftp;
