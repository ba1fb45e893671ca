//! The DHCP server's socket: packets in, the desk asked, the decision taken and kept, packets out.
//!
//! Each packet has its own task, so that a slow desk delays its own machine; only the decision itself is taken one at
//! a time, and nothing waits inside it.

use super::answer::{Voice, destination};
use super::decide::{Decision, Ground, Note, Verdict};
use super::packet::{Request, parse};
use super::subnets::Subnets;
use super::table::Table;
use crate::units::Time;
use crate::world::boot::desk::{BootDesk, DeskError, DhcpLease};
use crate::world::boot::links::Links;
use crate::world::boot::quiet::Quiet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// A client that has no answer by then has asked again (RFC 2131, 4.1).
const HANDLE_LIMIT: Duration = Duration::from_secs(10);
/// Saves of one address happen one after the other; addresses share so many turns.
const TURNS: usize = 256;
/// Packets in hand at once; more are dropped, and clients send again after seconds (RFC 2131, 4.1).
const IN_HAND_LIMIT: usize = 4096;
const PACKET_LIMIT_BYTES: usize = 4096;

pub(in crate::world::boot) struct Server {
    shared: Arc<Shared>,
}

struct Shared {
    socket: UdpSocket,
    desk: Arc<dyn BootDesk>,
    subnets: Subnets,
    server: Ipv4Addr,
    next_server: Ipv4Addr,
    links: Links,
    now: fn() -> Time,
    table: Mutex<Table>,
    turns: Vec<tokio::sync::Mutex<()>>,
    notes: Notes,
}

/// What is said once a minute at most.
#[derive(Default)]
struct Notes {
    malformed: Quiet,
    full: Quiet,
    no_network: Quiet,
    exhausted: Quiet,
    taken: Quiet,
    desk: Quiet,
    send: Quiet,
}

/// What the server needs beside its socket.
pub(in crate::world::boot) struct Setting {
    pub desk: Arc<dyn BootDesk>,
    pub subnets: Subnets,
    /// Our address as machines see it, and that of TFTP.
    pub server: Ipv4Addr,
    pub next_server: Ipv4Addr,
    pub links: Links,
    pub leases: Vec<DhcpLease>,
    pub now: fn() -> Time,
}

impl Server {
    pub fn new(socket: UdpSocket, setting: Setting) -> Server {
        let Setting { desk, subnets, server, next_server, links, leases, now } = setting;
        let table = Mutex::new(Table::of(leases));
        let turns = (0..TURNS).map(|_| tokio::sync::Mutex::default()).collect();
        let notes = Notes::default();
        Server {
            shared: Arc::new(Shared {
                socket,
                desk,
                subnets,
                server,
                next_server,
                links,
                now,
                table,
                turns,
                notes,
            }),
        }
    }

    pub async fn run(self, stop: CancellationToken) {
        let places = Arc::new(Semaphore::new(IN_HAND_LIMIT));
        let mut in_hand = JoinSet::new();
        let mut buffer = [0u8; PACKET_LIMIT_BYTES];
        loop {
            let received = tokio::select! {
                () = stop.cancelled() => return,
                Some(_) = in_hand.join_next() => continue,
                received = self.shared.socket.recv_from(&mut buffer) => received,
            };
            let Ok((length, from)) = received else { continue };
            let Ok(place) = places.clone().try_acquire_owned() else {
                self.shared.say(
                    &self.shared.notes.full,
                    "too many DHCP packets at once; some are dropped",
                    &from,
                );
                continue;
            };
            let request = match parse(&buffer[..length]) {
                Ok(request) => request,
                Err(why) => {
                    self.shared.say(&self.shared.notes.malformed, "a DHCP packet is malformed", &why);
                    continue;
                }
            };
            let shared = self.shared.clone();
            in_hand.spawn(async move {
                if tokio::time::timeout(HANDLE_LIMIT, shared.handle(&request, from)).await.is_err() {
                    shared.say(
                        &shared.notes.desk,
                        "no DHCP answer: the desk took too long for",
                        &request.mac,
                    );
                }
                drop(place);
            });
        }
    }
}

impl Shared {
    async fn handle(&self, request: &Request, from: SocketAddr) {
        let node = match self.desk.node_of(request.mac).await {
            Ok(Some(node)) => node,
            Ok(None) => return tracing::debug!(mac = %request.mac, "an unknown machine asks for an address"),
            Err(error) => {
                return self.say(&self.notes.desk, "no DHCP answer: the desk does not know now", &error);
            }
        };
        let decision = self.decide(request, &node);
        self.tell(request, &node, &decision);
        match self.save(&decision).await {
            Ok(true) => {}
            Ok(false) => {
                return tracing::debug!(mac = %request.mac, "a later DHCP packet has overtaken this one");
            }
            Err(error) => {
                return self.say(&self.notes.desk, "no DHCP answer: the lease was not saved", &error);
            }
        }
        if let Some(verdict) = decision.answer {
            self.answer(request, from, &verdict).await;
        }
    }

    /// Decides and keeps the change, in one step.
    fn decide(&self, request: &Request, node: &str) -> Decision {
        let ground = Ground { subnets: &self.subnets, server: self.server };
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let decision = ground.decide(request, node, &table, (self.now)());
        if let Some((address, entry)) = &decision.change {
            table.put(*address, entry.clone());
        }
        decision
    }

    /// Saves what the decision wants saved. False when the table says something else of the address by now: then the
    /// packet that changed it saves and answers, and what is saved last is what was decided last.
    async fn save(&self, decision: &Decision) -> Result<bool, DeskError> {
        let (Some(lease), Some((address, entry))) = (&decision.save, &decision.change) else {
            return Ok(true);
        };
        let _turn = self.turns[u32::from(*address) as usize % TURNS].lock().await;
        let table = || self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table().entry(*address) != Some(entry) {
            return Ok(false);
        }
        self.desk.save_lease(lease.clone()).await.map(|()| true)
    }

    async fn answer(&self, request: &Request, from: SocketAddr, verdict: &Verdict) {
        let (subnets, links) = (&self.subnets, &self.links);
        let voice = Voice { subnets, server: self.server, next_server: self.next_server, links };
        let packet = match voice.packet(request, verdict) {
            Ok(packet) => packet,
            Err(error) => return self.say(&self.notes.send, "a DHCP answer cannot be written", &error),
        };
        let to = destination(request, from, verdict);
        if let Err(error) = self.socket.send_to(&packet, to).await {
            self.say(&self.notes.send, "a DHCP answer cannot be sent", &format!("{to}: {error}"));
        }
    }

    fn tell(&self, request: &Request, node: &str, decision: &Decision) {
        let mac = request.mac;
        match &decision.note {
            Some(Note::NoNetwork) => {
                let relay = format!("{node} ({mac}) through {}", request.relay);
                self.say(&self.notes.no_network, "no network with DHCP fits a request", &relay);
            }
            Some(Note::Exhausted { network }) => {
                self.say(&self.notes.exhausted, "the dynamic range is used up", network);
            }
            Some(Note::ReservationTaken { address }) => {
                let who = format!("{address} of {node}");
                self.say(&self.notes.taken, "another machine still has a reserved address", &who);
            }
            Some(Note::InUse { address }) => {
                tracing::warn!(%mac, node, %address, "an address is in use already")
            }
            None => tracing::debug!(%mac, node, kind = ?request.kind, answer = ?decision.answer, "DHCP"),
        }
    }

    fn say(&self, quiet: &Quiet, what: &'static str, about: &dyn std::fmt::Display) {
        if let Some(left_out) = quiet.speak((self.now)()) {
            tracing::warn!(%about, left_out, "{what}");
        }
    }
}
