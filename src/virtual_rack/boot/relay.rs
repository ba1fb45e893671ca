//! The relay agent of the rack's switch: one UDP socket between all machines and the DHCP server.
//!
//! Owns giaddr, hops and option 82 (RFC 3046; link selection, RFC 3527; relay source port, RFC 8357), and
//! the way back to the machine that asked, by transaction and MAC. Leases nothing.

use super::super::spec::Fabric;
use crate::units::Mac;
use dhcproto::v4::relay::{RelayAgentInformation, RelayCode, RelayInfo, UnknownInfo};
use dhcproto::v4::{DhcpOption, Message, Opcode, OptionCode};
use dhcproto::{Decodable, Decoder, Encodable};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// Relay source port: sub-option 19, of length 0 (RFC 8357 section 4).
const RELAY_SOURCE_PORT: u8 = 19;
/// Answers kept for a machine that is not listening just now; more are as good as lost.
const ANSWERS_KEPT: usize = 4;
/// Room for a burst of answers to a thousand machines; the system may grant less.
const RECEIVE_BUFFER_BYTES: usize = 4 << 20;

type Key = (u32, Mac);

/// The relay agent.
pub struct Relay {
    socket: UdpSocket,
    waiting: Mutex<HashMap<Key, mpsc::Sender<Message>>>,
}

/// One machine's exchange: answers to its transaction arrive here, until it is dropped.
pub struct Conversation {
    relay: Arc<Relay>,
    key: Key,
    answers: mpsc::Receiver<Message>,
}

impl Relay {
    pub async fn bind() -> io::Result<Relay> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        // A refusal only means more retransmission under load.
        let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
        Ok(Relay { socket, waiting: Mutex::new(HashMap::new()) })
    }

    pub fn open(self: &Arc<Self>, xid: u32, mac: Mac) -> Conversation {
        let (sender, answers) = mpsc::channel(ANSWERS_KEPT);
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert((xid, mac), sender);
        Conversation { relay: self.clone(), key: (xid, mac), answers }
    }

    async fn forward(&self, message: &Message, server: SocketAddr, link: Ipv4Addr) -> io::Result<()> {
        let mut relayed = message.clone();
        relayed.set_hops(message.hops().saturating_add(1)).set_giaddr(Ipv4Addr::LOCALHOST);
        let mut information = RelayAgentInformation::default();
        information.insert(RelayInfo::LinkSelection(link));
        let source_port = UnknownInfo::new(RelayCode::from(RELAY_SOURCE_PORT), Vec::new());
        information.insert(RelayInfo::Unknown(source_port));
        relayed.opts_mut().insert(DhcpOption::RelayAgentInformation(information));
        let bytes = relayed.to_vec().map_err(io::Error::other)?;
        self.socket.send_to(&bytes, server).await.map(|_| ())
    }

    /// Carries answers to the machines, until the task is ended.
    pub async fn run(self: Arc<Self>) {
        let mut buffer = vec![0u8; 4096];
        loop {
            match self.socket.recv_from(&mut buffer).await {
                Ok((count, _)) => self.deliver(&buffer[..count]),
                Err(error) => {
                    tracing::warn!(%error, "the relay agent cannot receive");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn deliver(&self, bytes: &[u8]) {
        let mut message = match Message::decode(&mut Decoder::new(bytes)) {
            Ok(message) if message.opcode() == Opcode::BootReply => message,
            _ => return tracing::debug!("something that is no DHCP answer reached the relay agent"),
        };
        let Ok(mac) = <[u8; 6]>::try_from(message.chaddr()) else { return };
        // RFC 3046 section 2.1: the relay agent takes its option off again.
        message.opts_mut().remove(OptionCode::RelayAgentInformation);
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = waiting.get(&(message.xid(), Mac(mac))) {
            // Full: the machine has answers enough.
            let _ = sender.try_send(message);
        }
    }
}

impl Conversation {
    /// Sends what a machine would broadcast. `false`: no cable leads to a DHCP server.
    pub async fn send(&self, message: &Message, fabric: Fabric, link: Ipv4Addr) -> bool {
        let Some(server) = fabric.dhcp.map(reachable) else { return false };
        match self.relay.forward(message, server, link).await {
            Ok(()) => true,
            Err(error) => {
                tracing::debug!(%error, %server, "the relay agent cannot forward");
                false
            }
        }
    }

    /// The next answer, or `None` when `patience` ends first.
    pub async fn answer(&mut self, patience: Duration) -> Option<Message> {
        tokio::time::timeout(patience, self.answers.recv()).await.ok().flatten()
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.relay.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// A service that listens on every address is reached on loopback.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), address.port())
    } else {
        address
    }
}
