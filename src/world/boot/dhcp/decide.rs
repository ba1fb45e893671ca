//! The decision of the DHCP server: request, table and time in; answer, change and lease out. Pure.
//!
//! The order of RFC 2131, 4.3. An address is the reservation of the design, else the one that the machine had, else
//! the first free one of the dynamic range.

use super::packet::Request;
use super::subnets::{Subnet, Subnets};
use super::table::{Entry, Table};
use crate::units::Time;
use crate::world::boot::desk::DhcpLease;
use dhcproto::v4::MessageType;
use std::net::Ipv4Addr;
use std::time::Duration;

/// An offer binds us so long; clients answer within seconds.
const OFFER: Duration = Duration::from_secs(30);
/// An address that a machine found in use is left alone so long.
const ABANDONED: Duration = Duration::from_secs(600);

/// What is decided. Everything may be empty: most packets on a broadcast medium are for others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Decision {
    pub answer: Option<Verdict>,
    /// What the table is to hold from now on.
    pub change: Option<(Ipv4Addr, Entry)>,
    /// To be saved before the answer is sent.
    pub save: Option<DhcpLease>,
    pub note: Option<Note>,
}

/// An answer before it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Offer {
        address: Ipv4Addr,
        network: String,
    },
    Ack {
        address: Ipv4Addr,
        network: String,
    },
    /// The answer to an INFORM: no address and no lease time (RFC 2131, 4.3.5).
    Informed {
        network: String,
    },
    Nak {
        why: &'static str,
    },
}

/// Something that a person may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Note {
    NoNetwork,
    Exhausted {
        network: String,
    },
    InUse {
        address: Ipv4Addr,
    },
    /// The reserved address is leased to another machine until then.
    ReservationTaken {
        address: Ipv4Addr,
    },
}

/// What does not change from packet to packet.
pub(super) struct Ground<'a> {
    pub subnets: &'a Subnets,
    /// Our server identifier.
    pub server: Ipv4Addr,
}

impl Ground<'_> {
    /// Decides about a request of the machine of `node`.
    pub fn decide(&self, request: &Request, node: &str, table: &Table, now: Time) -> Decision {
        let Some(subnet) = self.subnet(request) else {
            return Decision { note: Some(Note::NoNetwork), ..Decision::default() };
        };
        let asked = Asked { ground: self, request, node, subnet, table, now };
        match request.kind {
            MessageType::Discover => asked.discover(),
            MessageType::Request => asked.request(),
            MessageType::Release => asked.release(),
            MessageType::Decline => asked.decline(),
            MessageType::Inform => asked.inform(),
            _ => Decision::default(),
        }
    }

    /// Link selection, else the relay; without a relay the client's own address, else the network that we stand on.
    fn subnet(&self, request: &Request) -> Option<&Subnet> {
        if !request.relay.is_unspecified() {
            return self.subnets.of(request.link_selection.unwrap_or(request.relay));
        }
        if !request.client.is_unspecified() {
            return self.subnets.of(request.client);
        }
        self.subnets.of(self.server).or_else(|| self.subnets.only())
    }
}

struct Asked<'a> {
    ground: &'a Ground<'a>,
    request: &'a Request,
    node: &'a str,
    subnet: &'a Subnet,
    table: &'a Table,
    now: Time,
}

impl Asked<'_> {
    fn discover(&self) -> Decision {
        match self.choose() {
            Ok(address) => Decision {
                answer: Some(Verdict::Offer { address, network: self.network() }),
                change: self.offer(address),
                ..Decision::default()
            },
            Err(note) => Decision { note: Some(note), ..Decision::default() },
        }
    }

    fn request(&self) -> Decision {
        if self.request.server.is_some_and(|server| server != self.ground.server) {
            // Another server was chosen; our offer ends by itself.
            return Decision::default();
        }
        let selecting = self.request.server.is_some();
        let renewing = !self.request.client.is_unspecified();
        let wanted = if renewing { Some(self.request.client) } else { self.request.requested };
        let Some(wanted) = wanted else { return Decision::default() };
        if !self.subnet.cidr.contains(&wanted) {
            return nak("the address is not of this network");
        }
        let ours = self.reservation().or_else(|| self.table.address_of(self.request.mac, self.subnet));
        match ours {
            Some(address) if address == wanted => self.acknowledge(address),
            Some(_) => nak("another address belongs to this machine"),
            // RFC 2131, 4.3.2: without a record of the client a server remains silent, except to one that chose it.
            None if selecting => nak("the address was not offered to this machine"),
            None => Decision::default(),
        }
    }

    fn acknowledge(&self, address: Ipv4Addr) -> Decision {
        let mac = self.request.mac;
        if !self.table.is_free_for(address, mac, self.now) {
            return nak("the address belongs to another machine");
        }
        if self.reservation().is_none() && !self.ground.subnets.is_dynamic(self.subnet, address) {
            return nak("the address is no longer given out");
        }
        let expires = self.now.plus(self.subnet.lease);
        Decision {
            answer: Some(Verdict::Ack { address, network: self.network() }),
            change: Some((address, self.entry(expires))),
            save: Some(self.lease(address, expires)),
            note: None,
        }
    }

    fn release(&self) -> Decision {
        let address = self.request.client;
        if !self.holds(address) {
            return Decision::default();
        }
        let change = Some((address, self.entry(self.now)));
        Decision { change, save: Some(self.lease(address, self.now)), ..Decision::default() }
    }

    fn decline(&self) -> Decision {
        let Some(address) = self.request.requested.filter(|address| self.holds(*address)) else {
            return Decision::default();
        };
        let until = self.now.plus(ABANDONED);
        let entry = Entry { mac: None, network: self.network(), until, leased: true };
        Decision {
            answer: None,
            change: Some((address, entry)),
            save: Some(self.lease(address, self.now)),
            note: Some(Note::InUse { address }),
        }
    }

    fn inform(&self) -> Decision {
        if self.request.client.is_unspecified() {
            return Decision::default();
        }
        Decision { answer: Some(Verdict::Informed { network: self.network() }), ..Decision::default() }
    }

    fn choose(&self) -> Result<Ipv4Addr, Note> {
        let (mac, subnets) = (self.request.mac, self.ground.subnets);
        let free = |address: Ipv4Addr| self.table.is_free_for(address, mac, self.now);
        if let Some(address) = self.reservation() {
            return if free(address) { Ok(address) } else { Err(Note::ReservationTaken { address }) };
        }
        let had = self.table.address_of(mac, self.subnet);
        let had = had.filter(|address| free(*address) && subnets.is_dynamic(self.subnet, *address));
        let address = had.or_else(|| self.table.first_free(subnets, self.subnet, self.now));
        address.ok_or_else(|| Note::Exhausted { network: self.network() })
    }

    /// The entry that keeps an offered address, unless the machine has a longer right to it.
    fn offer(&self, address: Ipv4Addr) -> Option<(Ipv4Addr, Entry)> {
        let until = self.now.plus(OFFER);
        let kept = self
            .table
            .entry(address)
            .is_some_and(|entry| entry.mac == Some(self.request.mac) && entry.until >= until);
        (!kept).then(|| (address, Entry { leased: false, ..self.entry(until) }))
    }

    fn reservation(&self) -> Option<Ipv4Addr> {
        self.ground.subnets.reservation(self.request.mac, self.subnet)
    }

    fn holds(&self, address: Ipv4Addr) -> bool {
        self.table.entry(address).is_some_and(|entry| entry.mac == Some(self.request.mac))
    }

    fn network(&self) -> String {
        self.subnet.name.clone()
    }

    fn entry(&self, until: Time) -> Entry {
        Entry { mac: Some(self.request.mac), network: self.network(), until, leased: true }
    }

    fn lease(&self, address: Ipv4Addr, expires: Time) -> DhcpLease {
        let (mac, node) = (self.request.mac, self.node.to_string());
        DhcpLease { address, mac, network: self.network(), node, expires }
    }
}

fn nak(why: &'static str) -> Decision {
    Decision { answer: Some(Verdict::Nak { why }), ..Decision::default() }
}
