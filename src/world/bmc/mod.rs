//! Management controllers: a thin Redfish client (DSP0266) over `serde_json`.
//!
//! Owns sessions, ETags, task monitors, the boot override, BIOS attributes and the inventory of one machine
//! behind one BMC. Deliberately does not retry, does not limit how many callers there are, knows no vendor and
//! picks no substitute for something that a service does not support: those are choices of the callers.

mod address;
mod bios;
mod boot_override;
mod error;
mod identity;
mod inventory;
mod link;
mod paper;
mod power;
mod redfish;
mod resource;
#[cfg(test)]
mod service_tests;
mod session;
mod system;
mod task;
mod transport;

pub use address::{BmcAddress, Password};
pub use boot_override::{BootDevice, BootMode, BootOverride, OverrideEnabled};
pub use error::{BmcError, Class, Fault, Sent};
pub(in crate::world) use error::{sent_by_status, status_is_transient};
pub use identity::Identity;
pub use paper::Written;
pub use power::{Power, ResetKind};
pub use redfish::Redfish;
pub use transport::Answer;
