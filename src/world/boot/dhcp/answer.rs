//! DHCP packets out: the options of an answer, what to boot by client architecture, and where the answer goes.

use super::decide::Verdict;
use super::packet::Request;
use super::subnets::{Subnet, Subnets};
use crate::world::boot::links::Links;
use dhcproto::v4::{DhcpOption, DhcpOptions, Flags, Message, MessageType, Opcode};
use dhcproto::{Encodable, error::EncodeResult};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

const SERVER_PORT: u16 = 67;
const CLIENT_PORT: u16 = 68;
/// The `file` field ends with a zero.
const FILE_LIMIT_BYTES: usize = 127;

/// What machines are told of us.
pub(super) struct Voice<'a> {
    pub subnets: &'a Subnets,
    pub server: Ipv4Addr,
    /// Where TFTP is, the next server of RFC 2131.
    pub next_server: Ipv4Addr,
    pub links: &'a Links,
}

impl Voice<'_> {
    /// The packet that says `verdict`.
    pub fn packet(&self, request: &Request, verdict: &Verdict) -> EncodeResult<Vec<u8>> {
        let mut message = Message::new_with_id(
            request.xid,
            Ipv4Addr::UNSPECIFIED,
            Ipv4Addr::UNSPECIFIED,
            Ipv4Addr::UNSPECIFIED,
            request.relay,
            &request.mac.0,
        );
        message.set_opcode(Opcode::BootReply).set_flags(request.flags);
        let mut options = DhcpOptions::new();
        options.insert(DhcpOption::ServerIdentifier(self.server));
        let (kind, network) = match verdict {
            Verdict::Offer { address, network } => {
                message.set_yiaddr(*address);
                (MessageType::Offer, Some(network))
            }
            Verdict::Ack { address, network } => {
                message.set_yiaddr(*address).set_ciaddr(request.client);
                (MessageType::Ack, Some(network))
            }
            Verdict::Informed { network } => {
                message.set_ciaddr(request.client);
                (MessageType::Ack, Some(network))
            }
            Verdict::Nak { why } => {
                // A client that hears it through a relay has no address to be spoken to (RFC 2131, 4.3.2).
                message.set_flags(Flags::from(u16::from(request.flags) | 0x8000));
                options.insert(DhcpOption::Message((*why).into()));
                (MessageType::Nak, None)
            }
        };
        options.insert(DhcpOption::MessageType(kind));
        if let Some(subnet) = network.and_then(|name| self.subnets.named(name)) {
            let lease = !matches!(verdict, Verdict::Informed { .. });
            self.describe(subnet, lease, &mut options);
            self.boot(request, &mut message, &mut options);
        }
        message.set_opts(options);
        echoed(message.to_vec()?, request.relay_information.as_deref())
    }

    fn describe(&self, subnet: &Subnet, lease: bool, options: &mut DhcpOptions) {
        options.insert(DhcpOption::SubnetMask(subnet.cidr.netmask()));
        options.insert(DhcpOption::BroadcastAddr(subnet.cidr.broadcast()));
        if let Some(gateway) = subnet.gateway {
            options.insert(DhcpOption::Router(vec![gateway]));
        }
        if !subnet.dns.is_empty() {
            options.insert(DhcpOption::DomainNameServer(subnet.dns.clone()));
        }
        if let Some(domain) = &subnet.domain {
            options.insert(DhcpOption::DomainName(domain.clone()));
        }
        if lease {
            let seconds = u32::try_from(subnet.lease.as_secs()).unwrap_or(u32::MAX);
            options.insert(DhcpOption::AddressLeaseTime(seconds));
        }
    }

    /// Boot options, for those who boot: an operating system asks without them.
    fn boot(&self, request: &Request, message: &mut Message, options: &mut DhcpOptions) {
        let Some(file) = boot_file(request, self.links) else { return };
        message.set_siaddr(self.next_server);
        if file.len() <= FILE_LIMIT_BYTES {
            message.set_fname(file.as_bytes());
        }
        options.insert(DhcpOption::TFTPServerName(self.next_server.to_string().into_bytes()));
        options.insert(DhcpOption::BootfileName(file.into_bytes()));
        if is_http_client(request) {
            // UEFI 2.10, 24.7.2: an answer without it is not for an HTTP client.
            options.insert(DhcpOption::ClassIdentifier(b"HTTPClient".to_vec()));
        }
        if let Some(machine) = &request.machine {
            options.insert(DhcpOption::ClientMachineIdentifier(machine.clone()));
        }
    }
}

fn is_http_client(request: &Request) -> bool {
    request.class.starts_with(b"HTTPClient") && !request.is_ipxe
}

/// What a client boots, by its architecture (RFC 4578, 2.1, and the IANA list): iPXE first, and its script then.
fn boot_file(request: &Request, links: &Links) -> Option<String> {
    if request.is_ipxe {
        return Some(links.script(request.mac));
    }
    let file = match request.architecture {
        Some(0) => "undionly.kpxe",
        Some(6 | 7 | 9 | 15 | 16) => "snponly.efi",
        Some(11 | 19) => "snponly-arm64.efi",
        Some(_) => return None,
        // The class repeats the architecture; a client that sends neither is not firmware.
        None if request.class.starts_with(b"PXEClient:Arch:00000") => "undionly.kpxe",
        None => return None,
    };
    let http = matches!(request.architecture, Some(15 | 16 | 19)) || is_http_client(request);
    Some(if http { links.tftp(file) } else { file.to_string() })
}

/// Adds option 82 as it came, as the last option before the end (RFC 3046, 2.2).
fn echoed(mut packet: Vec<u8>, relay_information: Option<&[u8]>) -> EncodeResult<Vec<u8>> {
    let Some(information) = relay_information else { return Ok(packet) };
    if packet.last() == Some(&255) {
        packet.pop();
    }
    if information.is_empty() {
        packet.extend_from_slice(&[82, 0]);
    }
    for chunk in information.chunks(255) {
        packet.extend_from_slice(&[82, chunk.len() as u8]);
        packet.extend_from_slice(chunk);
    }
    packet.push(255);
    Ok(packet)
}

/// Where an answer goes (RFC 2131, 4.1): to the relay; to a client that has an address; else to everybody. A frame to
/// a client without an address would need a raw socket; a broadcast reaches it as well.
pub(super) fn destination(request: &Request, from: SocketAddr, verdict: &Verdict) -> SocketAddr {
    if !request.relay.is_unspecified() {
        let port = if request.relay_source_port { from.port() } else { SERVER_PORT };
        return SocketAddrV4::new(request.relay, port).into();
    }
    let nak = matches!(verdict, Verdict::Nak { .. });
    let address = if request.client.is_unspecified() || nak { Ipv4Addr::BROADCAST } else { request.client };
    SocketAddrV4::new(address, CLIENT_PORT).into()
}
