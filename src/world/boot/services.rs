//! The boot services together: sockets bound first and all of them, then served until they are stopped.
//!
//! Knows addresses and tasks; what is served is in the files beside this one.

use super::desk::{BootDesk, DeskError};
use super::dhcp::{self, Subnets};
use super::folder::Folder;
use super::http::{self, Counter};
use super::links::Links;
use super::quiet::Quiet;
use super::tftp;
use crate::model::site::Network;
use crate::units::{Mac, Time};
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long running downloads may go on after `stop`.
const STOP_LIMIT: Duration = Duration::from_secs(3);
/// A thousand machines that start at once fit into the socket's buffer; the system may give less.
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;

/// What to serve, and where. Port 0 is a free port.
#[derive(Clone, Debug, Default)]
pub struct BootConfig {
    pub dhcp: Option<SocketAddr>,
    pub tftp: Option<SocketAddr>,
    pub http: Option<SocketAddr>,
    /// Base URL that machines are told; from the bound HTTP address when absent.
    pub advertise: Option<String>,
    pub networks: Vec<Network>,
    /// Network name and address of each machine that the design gives one.
    pub reservations: BTreeMap<Mac, Vec<(String, Ipv4Addr)>>,
    /// The folder `files/` of the design; TFTP serves `files/tftp/`.
    pub files: Option<PathBuf>,
    /// A folder of the same form whose files are served in place of the design's.
    pub stand_ins: Option<PathBuf>,
}

/// Where the services listen, with real ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundAddresses {
    pub dhcp: Option<SocketAddr>,
    pub tftp: Option<SocketAddr>,
    pub http: Option<SocketAddr>,
    /// The base of every URL that machines are told; empty when nothing is served that needs one.
    pub advertise: String,
}

/// The services did not start; none of them runs.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    #[error("the {service} service cannot listen on {address}; {}", way_out(.source))]
    Bind { service: &'static str, address: SocketAddr, source: io::Error },
    #[error("the advertised address {0:?} is not a URL such as http://10.20.0.1:8080; correct `advertise`")]
    Advertise(String),
    #[error(
        "the {service} service listens on {address}, which does not say what machines are to be told; set `advertise` to a URL with the IPv4 address that they reach"
    )]
    NoAddress { service: &'static str, address: SocketAddr },
    #[error(
        "the {service} service would give stand-ins of a rehearsal to machines on {address}; rehearse on loopback"
    )]
    StandIns { service: &'static str, address: SocketAddr },
    #[error("the DHCP leases cannot be read")]
    Leases(#[source] DeskError),
}

/// Running services; dropping them stops them at once, [`BootServices::stop`] lets answers end.
pub struct BootServices {
    addresses: BoundAddresses,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

/// Stand-ins are for rehearsal machines, which are on loopback.
fn stay_on_loopback(config: &BootConfig) -> Result<(), BootError> {
    for (service, address) in [("DHCP", config.dhcp), ("TFTP", config.tftp), ("HTTP", config.http)] {
        if let Some(address) = address.filter(|address| !address.ip().is_loopback()) {
            return Err(BootError::StandIns { service, address });
        }
    }
    Ok(())
}

impl BootServices {
    /// Binds every socket, then serves. `now` is the clock of DHCP leases.
    pub async fn start(
        config: BootConfig,
        desk: Arc<dyn BootDesk>,
        now: fn() -> Time,
    ) -> Result<BootServices, BootError> {
        if config.stand_ins.is_some() {
            stay_on_loopback(&config)?;
        }
        let sockets = Sockets::bind(&config).await?;
        let links = sockets.links(&config)?;
        let files = Folder::of(config.stand_ins.iter().chain(&config.files).cloned());
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let addresses = sockets.addresses(links.as_ref());
        if let (Some((socket, address)), Some(links)) = (sockets.dhcp, links.clone()) {
            let server = ipv4(address, &links).ok_or(BootError::NoAddress { service: "DHCP", address })?;
            let tftp = sockets.tftp.as_ref().and_then(|(_, address)| ipv4(*address, &links));
            let subnets = Subnets::new(&config.networks, &config.reservations, &[server]);
            if subnets.is_empty() {
                tracing::warn!(%address, "DHCP listens, but no network of the design has DHCP");
            }
            let leases = desk.leases().await.map_err(BootError::Leases)?;
            let (desk, next_server) = (desk.clone(), tftp.unwrap_or(server));
            let setting = dhcp::Setting { desk, subnets, server, next_server, links, leases, now };
            tasks.spawn(dhcp::Server::new(socket, setting).run(stop.clone()));
        }
        if let Some((socket, _)) = sockets.tftp {
            let folder = files.as_ref().map(|files| files.join("tftp"));
            tasks.spawn(tftp::Server { socket, folder, now }.run(stop.clone()));
        }
        if let (Some((listener, _)), Some(links)) = (sockets.http, links) {
            let counter = Counter { desk, links, files, now, quiet: Quiet::default(), stop: stop.clone() };
            tasks.spawn(serve_http(listener, Arc::new(counter), stop.clone()));
        }
        tracing::info!(?addresses, "boot services listen");
        Ok(BootServices { addresses, stop, tasks })
    }

    pub fn addresses(&self) -> BoundAddresses {
        self.addresses.clone()
    }

    /// Takes no new requests, lets running answers end within three seconds, and returns with every socket closed.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_LIMIT, ended).await.is_err() {
            self.tasks.shutdown().await;
        }
    }
}

async fn serve_http(listener: TcpListener, counter: Arc<Counter>, stop: CancellationToken) {
    let served = axum::serve(listener, http::router(counter));
    let served = served.with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = served.await {
        tracing::error!(%error, "the HTTP boot service ended");
    }
}

struct Sockets {
    dhcp: Option<(UdpSocket, SocketAddr)>,
    tftp: Option<(UdpSocket, SocketAddr)>,
    http: Option<(TcpListener, SocketAddr)>,
}

impl Sockets {
    async fn bind(config: &BootConfig) -> Result<Sockets, BootError> {
        let failed = |service, address| move |source| BootError::Bind { service, address, source };
        let mut sockets = Sockets { dhcp: None, tftp: None, http: None };
        if let Some(address) = config.dhcp {
            sockets.dhcp = Some(bind_udp(address, true).await.map_err(failed("DHCP", address))?);
        }
        if let Some(address) = config.tftp {
            sockets.tftp = Some(bind_udp(address, false).await.map_err(failed("TFTP", address))?);
        }
        if let Some(address) = config.http {
            sockets.http = Some(bind_tcp(address).await.map_err(failed("HTTP", address))?);
        }
        Ok(sockets)
    }

    /// The links that machines are told; `None` when there is nobody to tell.
    fn links(&self, config: &BootConfig) -> Result<Option<Links>, BootError> {
        if let Some(advertise) = &config.advertise {
            return Links::new(advertise).map(Some).ok_or_else(|| BootError::Advertise(advertise.clone()));
        }
        match (&self.http, &self.dhcp) {
            (Some((_, address)), _) if address.ip().is_unspecified() => {
                Err(BootError::NoAddress { service: "HTTP", address: *address })
            }
            (Some((_, address)), _) => Ok(Links::new(&format!("http://{address}"))),
            (None, Some((_, address))) => Err(BootError::NoAddress { service: "DHCP", address: *address }),
            (None, None) => Ok(None),
        }
    }

    fn addresses(&self, links: Option<&Links>) -> BoundAddresses {
        BoundAddresses {
            dhcp: self.dhcp.as_ref().map(|(_, address)| *address),
            tftp: self.tftp.as_ref().map(|(_, address)| *address),
            http: self.http.as_ref().map(|(_, address)| *address),
            advertise: links.map(|links| links.base().to_string()).unwrap_or_default(),
        }
    }
}

async fn bind_udp(address: SocketAddr, broadcast: bool) -> io::Result<(UdpSocket, SocketAddr)> {
    let socket = UdpSocket::bind(address).await?;
    socket.set_broadcast(broadcast)?;
    if let Err(error) = socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER_BYTES) {
        tracing::debug!(%address, %error, "the receive buffer keeps its size");
    }
    let bound = socket.local_addr()?;
    Ok((socket, bound))
}

async fn bind_tcp(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}

/// The IPv4 address that machines know a service by: where it listens, else the advertised one.
fn ipv4(address: SocketAddr, links: &Links) -> Option<Ipv4Addr> {
    match address.ip() {
        IpAddr::V4(own) if !own.is_unspecified() => Some(own),
        _ => links.host().parse().ok(),
    }
}

fn way_out(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need the capability CAP_NET_BIND_SERVICE, or choose another port"
        }
        io::ErrorKind::AddrInUse => "another program uses this port: stop it, or choose another port",
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address: correct it, or bring it up first"
        }
        _ => "correct the address in the site's services",
    }
}
