//! The boot services of a run: on the design's ports, or on free ones for a rehearsal.

use crate::effect::desk::Desk;
use crate::effect::live::Live;
use crate::model::site::Site;
use crate::model::value::Value;
use crate::units::Mac;
use crate::world::boot::{BootConfig, BootError, BootServices};
use crate::world::clock;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// Starts the services, unless the design has none and nobody rehearses.
pub async fn start(
    site: &Site,
    live: &Arc<Live>,
    rehearsal: bool,
) -> Result<Option<BootServices>, BootError> {
    let free = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let services = &site.services;
    let (dhcp, tftp, http) = match rehearsal {
        true => (free, free, free),
        false => (services.dhcp, services.tftp, services.http),
    };
    if dhcp.is_none() && tftp.is_none() && http.is_none() {
        return Ok(None);
    }
    let config = BootConfig {
        dhcp,
        tftp,
        http,
        advertise: services.advertise.clone().filter(|_| !rehearsal),
        networks: site.networks.values().filter(|network| network.dhcp.is_some()).cloned().collect(),
        reservations: reservations(site),
        files: site.root.as_ref().map(|root| root.join("files")),
    };
    let nodes = site.nodes.iter().filter_map(|node| Some((node.boot_mac?, node.name.clone()))).collect();
    let desk = Arc::new(Desk { live: live.clone(), nodes });
    BootServices::start(config, desk, clock::now).await.map(Some)
}

/// The addresses that the design gives each machine, by its boot MAC.
fn reservations(site: &Site) -> BTreeMap<Mac, Vec<(String, Ipv4Addr)>> {
    let mut reservations: BTreeMap<Mac, Vec<(String, Ipv4Addr)>> = BTreeMap::new();
    for node in &site.nodes {
        let Some(mac) = node.boot_mac else { continue };
        let Some(addresses) = node.spec.get("addresses").and_then(Value::as_map) else { continue };
        for (network, address) in addresses {
            if let Some(address) = address.as_str().and_then(|text| text.parse().ok()) {
                reservations.entry(mac).or_default().push((network.to_string(), address));
            }
        }
    }
    reservations
}
