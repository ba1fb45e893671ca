//! Who a machine says it is: read before the first write, so that nothing acts on the wrong machine.

use super::error::BmcError;
use super::link::linked;
use super::redfish::Redfish;
use super::resource::text;
use crate::units::Mac;
use serde_json::Value;

/// How many network interfaces are looked at.
pub(super) const INTERFACES_LIMIT: usize = 64;

/// What tells a machine from another. Absent where the service does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// In lower case.
    pub uuid: Option<String>,
    pub serial: Option<String>,
    pub vendor: Option<String>,
    pub model: Option<String>,
    /// Sorted, without repeats; empty when the service has no EthernetInterfaces.
    pub macs: Vec<Mac>,
}

impl Redfish {
    /// UUID, serial number, vendor and model of the ComputerSystem (DSP0268), and the MACs of its interfaces.
    pub async fn identity(&self) -> Result<Identity, BmcError> {
        let (_, system) = self.system().await?;
        let mut macs: Vec<Mac> = self.interfaces(&system.body).await?.iter().filter_map(mac_of).collect();
        macs.sort_unstable();
        macs.dedup();
        Ok(Identity {
            uuid: text(&system.body, "UUID").map(|uuid| uuid.to_ascii_lowercase()),
            serial: text(&system.body, "SerialNumber"),
            vendor: text(&system.body, "Manufacturer"),
            model: text(&system.body, "Model"),
            macs,
        })
    }

    /// The EthernetInterface resources of a system.
    pub(super) async fn interfaces(&self, system: &Value) -> Result<Vec<Value>, BmcError> {
        let Some(collection) = linked(system, "EthernetInterfaces") else { return Ok(Vec::new()) };
        let members = match self.members(&collection).await {
            Err(error) if error.is_absence() => return Ok(Vec::new()),
            other => other?,
        };
        let mut interfaces = Vec::new();
        for path in members.iter().take(INTERFACES_LIMIT) {
            interfaces.extend(self.read_optional(path).await?.map(|answer| answer.body));
        }
        Ok(interfaces)
    }
}

/// The permanent address where it is given: the other one may be that of a bond.
pub(super) fn mac_of(interface: &Value) -> Option<Mac> {
    let mac = ["PermanentMACAddress", "MACAddress"].iter().find_map(|key| text(interface, key)?.parse().ok());
    mac.filter(|mac| *mac != Mac([0; 6]))
}
