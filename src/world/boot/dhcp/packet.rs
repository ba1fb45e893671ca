//! DHCP packets in: what a client and its relay say, checked before anything looks at it.
//!
//! The fixed header is decoded by `dhcproto`. Its option decoder is not used on packets from the wire: it asserts on
//! lengths that a hostile client chooses, and knows no relay source port (RFC 8357). Options are read here as bytes.

use crate::units::Mac;
use dhcproto::v4::{Flags, HType, Message, MessageType, Opcode};
use dhcproto::{Decodable, Decoder};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// The fixed part up to and including the magic cookie (RFC 2131, 2).
const HEADER_BYTES: usize = 240;
const MAGIC: [u8; 4] = [0x63, 0x82, 0x53, 0x63];
/// RFC 1542, 4.1.1.
const HOPS_LIMIT: u8 = 16;

pub(super) const OPTION_USER_CLASS: u8 = 77;
const OPTION_REQUESTED: u8 = 50;
const OPTION_TYPE: u8 = 53;
const OPTION_SERVER: u8 = 54;
const OPTION_CLASS: u8 = 60;
const OPTION_RELAY: u8 = 82;
const OPTION_ARCHITECTURE: u8 = 93;
const OPTION_MACHINE: u8 = 97;
const RELAY_LINK_SELECTION: u8 = 5;
const RELAY_SOURCE_PORT: u8 = 19;

/// A request of a client, as far as a server needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub kind: MessageType,
    pub xid: u32,
    pub flags: Flags,
    pub mac: Mac,
    pub client: Ipv4Addr,
    pub relay: Ipv4Addr,
    pub requested: Option<Ipv4Addr>,
    pub server: Option<Ipv4Addr>,
    /// Option 60.
    pub class: Vec<u8>,
    /// True when option 77 names iPXE.
    pub is_ipxe: bool,
    /// Option 93 (RFC 4578, 2.1), the first of a list.
    pub architecture: Option<u16>,
    /// Option 97, sent back as it came.
    pub machine: Option<Vec<u8>>,
    /// Option 82 as it came (RFC 3046), for the echo.
    pub relay_information: Option<Vec<u8>>,
    /// Sub-option 5 (RFC 3527).
    pub link_selection: Option<Ipv4Addr>,
    /// Sub-option 19 (RFC 8357): answer to the port from which the relay sent.
    pub relay_source_port: bool,
}

/// Why a packet is not answered.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Malformed(pub &'static str);

pub(super) fn parse(packet: &[u8]) -> Result<Request, Malformed> {
    let header = packet.get(..HEADER_BYTES).ok_or(Malformed("it is shorter than a DHCP header"))?;
    if header[236..] != MAGIC {
        return Err(Malformed("it has no magic cookie"));
    }
    let message =
        Message::decode(&mut Decoder::new(header)).map_err(|_| Malformed("its header is unreadable"))?;
    if message.opcode() != Opcode::BootRequest {
        return Err(Malformed("it is not a request"));
    }
    if message.htype() != HType::Eth || message.hlen() != 6 {
        return Err(Malformed("its hardware address is not Ethernet"));
    }
    if message.hops() > HOPS_LIMIT {
        return Err(Malformed("it has passed too many relays"));
    }
    let mac =
        Mac(message.chaddr().try_into().map_err(|_| Malformed("its hardware address is not Ethernet"))?);
    let options = options(&packet[HEADER_BYTES..])?;
    let option = |code: u8| options.get(&code).map(Vec::as_slice);
    let kind = match option(OPTION_TYPE) {
        Some(&[kind]) => MessageType::from(kind),
        _ => return Err(Malformed("it has no message type")),
    };
    let relay_information = option(OPTION_RELAY).map(<[u8]>::to_vec);
    let relay_options = relay_information.as_deref().map(sub_options).transpose()?.unwrap_or_default();
    Ok(Request {
        kind,
        xid: message.xid(),
        flags: message.flags(),
        mac,
        client: message.ciaddr(),
        relay: message.giaddr(),
        requested: address(option(OPTION_REQUESTED), "its requested address is malformed")?,
        server: address(option(OPTION_SERVER), "its server identifier is malformed")?,
        class: option(OPTION_CLASS).unwrap_or_default().to_vec(),
        is_ipxe: option(OPTION_USER_CLASS).is_some_and(names_ipxe),
        architecture: option(OPTION_ARCHITECTURE)
            .and_then(<[u8]>::first_chunk)
            .copied()
            .map(u16::from_be_bytes),
        machine: option(OPTION_MACHINE).filter(|machine| machine.len() == 17).map(<[u8]>::to_vec),
        link_selection: address(
            relay_options.get(&RELAY_LINK_SELECTION).map(Vec::as_slice),
            "its link selection is malformed",
        )?,
        relay_source_port: relay_options.contains_key(&RELAY_SOURCE_PORT),
        relay_information,
    })
}

/// Options by code; the parts of one that comes several times are joined (RFC 3396). A missing end is forgiven.
fn options(bytes: &[u8]) -> Result<BTreeMap<u8, Vec<u8>>, Malformed> {
    let mut found: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    let mut rest = bytes;
    loop {
        match rest {
            [] | [255, ..] => return Ok(found),
            [0, after @ ..] => rest = after,
            [code, length, after @ ..] => {
                let content = after.get(..usize::from(*length)).ok_or(Malformed("an option is cut off"))?;
                found.entry(*code).or_default().extend_from_slice(content);
                rest = &after[content.len()..];
            }
            [_] => return Err(Malformed("an option is cut off")),
        }
    }
}

/// Sub-options have neither padding nor an end (RFC 3046, 2.0).
fn sub_options(bytes: &[u8]) -> Result<BTreeMap<u8, Vec<u8>>, Malformed> {
    let mut found = BTreeMap::new();
    let mut rest = bytes;
    while let [code, length, after @ ..] = rest {
        let content = after.get(..usize::from(*length)).ok_or(Malformed("a relay sub-option is cut off"))?;
        found.insert(*code, content.to_vec());
        rest = &after[content.len()..];
    }
    if rest.is_empty() { Ok(found) } else { Err(Malformed("a relay sub-option is cut off")) }
}

fn address(option: Option<&[u8]>, wrong: &'static str) -> Result<Option<Ipv4Addr>, Malformed> {
    option
        .map(|bytes| <[u8; 4]>::try_from(bytes).map(Ipv4Addr::from).map_err(|_| Malformed(wrong)))
        .transpose()
}

/// iPXE sends the bare text; RFC 3004 wants each class with its length before it.
fn names_ipxe(class: &[u8]) -> bool {
    let mut rest = class;
    while let [length, after @ ..] = rest {
        let Some(one) = after.get(..usize::from(*length)).filter(|one| !one.is_empty()) else { break };
        if one == b"iPXE" {
            return true;
        }
        rest = &after[one.len()..];
    }
    class == b"iPXE"
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A request packet with these options.
    pub fn packet(mac: Mac, relay: Ipv4Addr, options: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = vec![0u8; HEADER_BYTES];
        bytes[..4].copy_from_slice(&[1, 1, 6, 0]);
        bytes[4..8].copy_from_slice(&[1, 2, 3, 4]);
        bytes[24..28].copy_from_slice(&relay.octets());
        bytes[28..34].copy_from_slice(&mac.0);
        bytes[236..].copy_from_slice(&MAGIC);
        for (code, content) in options {
            bytes.extend_from_slice(&[*code, content.len() as u8]);
            bytes.extend_from_slice(content);
        }
        bytes.push(255);
        bytes
    }

    const MAC: Mac = Mac([0x52, 0x54, 0, 0, 0, 1]);

    #[test]
    fn a_relayed_request_is_read() {
        let relay = [5, 4, 10, 20, 0, 0, 19, 0];
        let packet = packet(
            MAC,
            Ipv4Addr::LOCALHOST,
            &[
                (53, &[1]),
                (93, &[0, 7]),
                (60, b"PXEClient:Arch:00007"),
                (82, &relay),
                (77, b"iPXE"),
                (50, &[10, 20, 1, 5]),
            ],
        );
        let request = parse(&packet).unwrap();
        assert_eq!(request.kind, MessageType::Discover);
        assert_eq!((request.mac, request.architecture, request.is_ipxe), (MAC, Some(7), true));
        assert_eq!(request.link_selection, Some(Ipv4Addr::new(10, 20, 0, 0)));
        assert!(request.relay_source_port);
        assert_eq!(request.relay_information.as_deref(), Some(&relay[..]));
        assert_eq!(request.requested, Some(Ipv4Addr::new(10, 20, 1, 5)));
    }

    #[test]
    fn user_classes_come_in_two_forms() {
        for (class, is_ipxe) in [
            (&b"iPXE"[..], true),
            (b"\x04iPXE", true),
            (b"\x03abc\x04iPXE", true),
            (b"iPXE2", false),
            (b"", false),
            (b"\0\0", false),
        ] {
            assert_eq!(names_ipxe(class), is_ipxe, "{class:?}");
        }
    }

    #[test]
    fn hostile_packets_are_refused() {
        let good = packet(MAC, Ipv4Addr::UNSPECIFIED, &[(53, &[1])]);
        assert!(parse(&good).is_ok());
        for length in 0..good.len() - 1 {
            assert!(parse(&good[..length]).is_err(), "{length}");
        }
        let with = |place: usize, value: u8| {
            let mut bytes = good.clone();
            bytes[place] = value;
            parse(&bytes)
        };
        // A reply, another medium, a long hardware address (on which dhcproto panics), many hops, a wrong cookie.
        for (place, value) in [(0, 2), (0, 9), (1, 32), (2, 0), (2, 16), (2, 255), (3, 17), (236, 0)] {
            assert!(with(place, value).is_err(), "{place}={value}");
        }
        let refused: [&[(u8, &[u8])]; 7] = [
            &[],
            &[(53, &[])],
            &[(53, &[1, 1])],
            &[(53, &[1]), (50, &[10])],
            &[(53, &[3]), (54, &[10, 0, 0, 1, 2])],
            &[(53, &[1]), (82, &[5, 4, 10])],
            &[(53, &[1]), (82, &[5])],
        ];
        for options in refused {
            assert!(parse(&packet(MAC, Ipv4Addr::UNSPECIFIED, options)).is_err(), "{options:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_packet_panics(tail in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let mut bytes = packet(MAC, Ipv4Addr::UNSPECIFIED, &[(53, &[1])]);
            bytes.pop();
            bytes.extend_from_slice(&tail);
            let _ = parse(&bytes);
            let _ = parse(&tail);
        }
    }
}
