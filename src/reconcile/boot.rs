//! The boot services of a run: on the design's ports, or on free ones for a rehearsal.

use super::rehearsal as kept;
use crate::effect::desk::Desk;
use crate::effect::live::Live;
use crate::model::site::Site;
use crate::model::value::Value;
use crate::units::Mac;
use crate::world::boot::{BootConfig, BootError, BootServices};
use crate::world::clock;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

/// What is particular about the boot services of a rehearsal.
#[derive(Clone, Copy, Default)]
pub struct Rehearsal<'a> {
    /// Where the ports are kept; `None` for the design's own ports.
    pub ports: Option<&'a Path>,
    /// What is served in place of the design's own files.
    pub stand_ins: Option<&'a Path>,
}

/// Starts the services, unless the design has none and nobody rehearses. A rehearsal keeps its ports
/// in the file `ports`: its machines remember where to report, from one process to the next.
pub async fn start(
    site: &Site,
    live: &Arc<Live>,
    rehearsal: Rehearsal<'_>,
    macs: BTreeMap<Mac, Arc<str>>,
) -> Result<Option<BootServices>, BootError> {
    let Some(file) = rehearsal.ports else {
        let services = &site.services;
        return serve(site, live, [services.dhcp, services.tftp, services.http], rehearsal, macs).await;
    };
    if let Some(ports) = kept::read_ports(file) {
        let again = serve(site, live, ports.map(|port| Some(loopback(port))), rehearsal, macs.clone()).await;
        if again.is_ok() {
            return again;
        }
    }
    let started = serve(site, live, [0; 3].map(|port| Some(loopback(port))), rehearsal, macs).await?;
    if let Some(services) = &started {
        let bound = services.addresses();
        let port = |address: Option<SocketAddr>| address.map_or(0, |address| address.port());
        kept::write_ports(file, [port(bound.dhcp), port(bound.tftp), port(bound.http)]);
    }
    Ok(started)
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

async fn serve(
    site: &Site,
    live: &Arc<Live>,
    [dhcp, tftp, http]: [Option<SocketAddr>; 3],
    rehearsal: Rehearsal<'_>,
    mut macs: BTreeMap<Mac, Arc<str>>,
) -> Result<Option<BootServices>, BootError> {
    if dhcp.is_none() && tftp.is_none() && http.is_none() {
        return Ok(None);
    }
    for node in &site.nodes {
        if let Some(mac) = node.boot_mac {
            macs.entry(mac).or_insert_with(|| node.name.clone());
        }
    }
    let config = BootConfig {
        dhcp,
        tftp,
        http,
        advertise: site.services.advertise.clone().filter(|_| rehearsal.ports.is_none()),
        networks: site.networks.values().filter(|network| network.dhcp.is_some()).cloned().collect(),
        reservations: reservations(site, &macs),
        files: site.root.as_ref().map(|root| root.join("files")),
        stand_ins: rehearsal.stand_ins.map(Path::to_path_buf),
    };
    let desk = Arc::new(Desk { live: live.clone(), nodes: macs });
    BootServices::start(config, desk, clock::now).await.map(Some)
}

/// The addresses that the design gives each machine, by the MACs that it may boot with.
fn reservations(site: &Site, macs: &BTreeMap<Mac, Arc<str>>) -> BTreeMap<Mac, Vec<(String, Ipv4Addr)>> {
    let mut reservations: BTreeMap<Mac, Vec<(String, Ipv4Addr)>> = BTreeMap::new();
    for (mac, name) in macs {
        let Some(node) = site.node(name) else { continue };
        let Some(addresses) = node.spec.get("addresses").and_then(Value::as_map) else { continue };
        for (network, address) in addresses {
            if let Some(address) = address.as_str().and_then(|text| text.parse().ok()) {
                reservations.entry(*mac).or_default().push((network.to_string(), address));
            }
        }
    }
    reservations
}
