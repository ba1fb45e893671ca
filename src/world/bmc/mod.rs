//! Management controllers: a thin Redfish client (DSP0266) over `serde_json`.
//!
//! Owns sessions, ETags, task monitors, the boot override, BIOS attributes, the inventory, the health and the volumes of
//! one machine behind one BMC. Deliberately does not retry (but for one of many parts of a read), does not limit how many
//! callers there are, knows no vendor and picks no substitute for something that a service does not support: those are
//! choices of the callers.

mod address;
mod alarms;
mod bios;
mod boot_override;
mod drives;
mod error;
mod firmware;
mod health;
mod identity;
mod inventory;
mod link;
mod paper;
mod parts;
#[cfg(test)]
mod parts_tests;
mod power;
mod redfish;
mod resource;
#[cfg(test)]
mod service_tests;
mod session;
mod system;
mod task;
mod transport;
#[cfg(test)]
mod volume_tests;
mod volume_writes;
mod volumes;

pub use address::{BmcAddress, Password};
pub use alarms::{Alarm, Alarms};
pub use boot_override::{BootDevice, BootMode, BootOverride, OverrideEnabled};
pub use drives::Drive;
pub use error::{BmcError, Class, Fault, Sent};
pub(in crate::world) use error::{sent_by_status, status_is_transient};
pub use firmware::{Component, Firmware, PciDevice};
pub use health::{Ailing, Health};
pub use identity::Identity;
pub use paper::Written;
pub use power::{Power, ResetKind};
pub use redfish::Redfish;
pub use transport::Answer;
pub use volume_writes::Making;
pub use volumes::{NewVolume, SeenVolume, Volume};
