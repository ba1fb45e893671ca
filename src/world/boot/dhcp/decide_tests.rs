//! Tables for the DHCP decision: what is asked, what is in the table, what comes out.

use super::answer::{Voice, destination};
use super::decide::{Decision, Ground, Note, Verdict};
use super::packet::tests::packet;
use super::packet::{Request, parse};
use super::subnets::Subnets;
use super::table::{Entry, Table};
use crate::finding::Place;
use crate::model::site::{Dhcp, Network, Range};
use crate::units::{Mac, Time};
use crate::world::boot::desk::DhcpLease;
use crate::world::boot::links::Links;
use dhcproto::v4::{DhcpOption, Message, MessageType, OptionCode};
use dhcproto::{Decodable, Decoder};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

const ONE: Mac = Mac([0x52, 0x54, 0, 0, 0, 1]);
const TWO: Mac = Mac([0x52, 0x54, 0, 0, 0, 2]);
const RESERVED: Mac = Mac([0x52, 0x54, 0, 0, 0, 9]);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 2);
const LINK: [u8; 6] = [5, 4, 10, 20, 0, 0];

fn network(name: &str, cidr: &str, first: &str, last: &str) -> Network {
    let range = Range { kind: "dhcp".into(), first: first.parse().unwrap(), last: last.parse().unwrap() };
    Network {
        name: name.into(),
        cidr: cidr.parse().unwrap(),
        gateway: Some("10.20.0.1".parse().unwrap()),
        vlan: None,
        mtu: None,
        dns: vec!["10.21.0.2".parse().unwrap()],
        domain: Some("fra1.example.net".into()),
        ranges: vec![range.clone()],
        route_domain: None,
        routes: vec![],
        relays: vec![],
        labels: crate::model::value::Value::empty_map(),
        dhcp: Some(Dhcp { range, lease: Duration::from_secs(3600) }),
        place: Place::whole("site.kdl"),
    }
}

/// A range of three addresses, of which one is reserved for a machine.
fn subnets() -> Subnets {
    let mut reservations = BTreeMap::new();
    reservations.insert(RESERVED, vec![("pxe".to_string(), addr(11))]);
    let networks = [network("pxe", "10.20.0.0/24", "10.20.0.10", "10.20.0.12")];
    Subnets::new(&networks, &reservations, &[SERVER])
}

fn addr(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 20, 0, last)
}

fn at(seconds: i64) -> Time {
    Time(seconds * 1_000_000)
}

fn asks(mac: Mac, kind: u8, options: &[(u8, &[u8])]) -> Request {
    let mut all: Vec<(u8, &[u8])> = vec![(82, &LINK)];
    let kind = [kind];
    all.push((53, &kind));
    all.extend(options);
    parse(&packet(mac, Ipv4Addr::LOCALHOST, &all)).unwrap()
}

/// Decides and keeps what was decided, as the server does.
fn step(table: &mut Table, request: &Request, now: Time) -> Decision {
    let subnets = subnets();
    let decision = Ground { subnets: &subnets, server: SERVER }.decide(request, "n01", table, now);
    if let Some((address, entry)) = &decision.change {
        table.put(*address, entry.clone());
    }
    decision
}

fn offered(decision: &Decision) -> Option<Ipv4Addr> {
    match decision.answer {
        Some(Verdict::Offer { address, .. } | Verdict::Ack { address, .. }) => Some(address),
        _ => None,
    }
}

fn is_nak(decision: &Decision) -> bool {
    matches!(decision.answer, Some(Verdict::Nak { .. }))
        && decision.save.is_none()
        && decision.change.is_none()
}

fn select(mac: Mac, last: u8) -> Request {
    asks(mac, 3, &[(50, &addr(last).octets()), (54, &SERVER.octets())])
}

#[test]
fn discover_then_request_gives_a_lease_that_is_kept() {
    let mut table = Table::default();
    let offer = step(&mut table, &asks(ONE, 1, &[]), at(0));
    assert_eq!(offered(&offer), Some(addr(10)));
    assert_eq!(offer.save, None, "an offer is not saved");
    let ack = step(&mut table, &select(ONE, 10), at(1));
    assert!(matches!(ack.answer, Some(Verdict::Ack { .. })));
    let lease = ack.save.unwrap();
    assert_eq!((lease.address, lease.mac, lease.node.as_str()), (addr(10), ONE, "n01"));
    assert_eq!(lease.expires, at(3601));
    // Long after it ended, the machine gets the same address, here from what was saved.
    let mut restarted = Table::of(vec![lease]);
    assert_eq!(offered(&step(&mut restarted, &asks(TWO, 1, &[]), at(2))), Some(addr(12)));
    assert_eq!(offered(&step(&mut restarted, &asks(ONE, 1, &[]), at(99_999))), Some(addr(10)));
}

#[test]
fn reserved_addresses_go_to_their_machine_only() {
    let mut table = Table::default();
    assert_eq!(offered(&step(&mut table, &asks(ONE, 1, &[]), at(0))), Some(addr(10)));
    assert_eq!(offered(&step(&mut table, &asks(TWO, 1, &[]), at(0))), Some(addr(12)));
    assert_eq!(offered(&step(&mut table, &asks(RESERVED, 1, &[]), at(0))), Some(addr(11)));
    let full = step(&mut table, &asks(Mac([2; 6]), 1, &[]), at(1));
    assert_eq!((full.answer, full.note), (None, Some(Note::Exhausted { network: "pxe".into() })));
    // Offers that nobody took are free again.
    assert_eq!(offered(&step(&mut table, &asks(Mac([2; 6]), 1, &[]), at(31))), Some(addr(10)));
    assert_eq!(offered(&step(&mut table, &select(RESERVED, 11), at(32))), Some(addr(11)));
}

#[test]
fn an_address_that_the_design_reserves_later_is_waited_for() {
    let lease = DhcpLease {
        address: addr(11),
        mac: ONE,
        network: "pxe".into(),
        node: "n01".into(),
        expires: at(100),
    };
    let mut table = Table::of(vec![lease]);
    let taken = step(&mut table, &asks(RESERVED, 1, &[]), at(50));
    assert_eq!(taken.note, Some(Note::ReservationTaken { address: addr(11) }));
    assert!(is_nak(&step(&mut table, &asks(ONE, 3, &[(50, &addr(11).octets())]), at(51))), "not renewed");
    assert_eq!(offered(&step(&mut table, &asks(RESERVED, 1, &[]), at(100))), Some(addr(11)));
}

#[test]
fn requests_for_anything_else_are_refused_or_left_to_others() {
    let mut table = Table::default();
    let _ = step(&mut table, &asks(ONE, 1, &[]), at(0));
    assert!(is_nak(&step(&mut table, &select(ONE, 12), at(1))), "another than the offered one");
    assert!(is_nak(&step(&mut table, &select(TWO, 10), at(1))), "one offered to another machine");
    let elsewhere = asks(ONE, 3, &[(50, &[192, 168, 0, 5])]);
    assert!(is_nak(&step(&mut table, &elsewhere, at(1))), "of another network");
    let silent = [
        asks(ONE, 3, &[(50, &addr(10).octets()), (54, &[9, 9, 9, 9])]),
        asks(TWO, 3, &[(50, &addr(12).octets())]),
        asks(ONE, 3, &[]),
        asks(ONE, 2, &[]),
        asks(ONE, 5, &[]),
        asks(ONE, 200, &[]),
        asks(ONE, 7, &[]),
        asks(ONE, 8, &[]),
        asks(ONE, 4, &[]),
        asks(TWO, 4, &[(50, &addr(10).octets())]),
    ];
    for request in &silent {
        assert_eq!(step(&mut table, request, at(1)), Decision::default(), "{request:?}");
    }
}

#[test]
fn a_released_address_is_free_and_a_declined_one_is_left_alone() {
    let mut table = Table::default();
    let _ = step(&mut table, &asks(ONE, 1, &[]), at(0));
    let _ = step(&mut table, &select(ONE, 10), at(1));
    let release = Request { client: addr(10), ..asks(ONE, 7, &[]) };
    let foreign = Request { client: addr(10), ..asks(TWO, 7, &[]) };
    assert_eq!(step(&mut table, &foreign, at(2)), Decision::default());
    assert_eq!(step(&mut table, &release, at(2)).save.unwrap().expires, at(2));
    assert_eq!(offered(&step(&mut table, &asks(ONE, 1, &[]), at(3))), Some(addr(10)));
    let decline = step(&mut table, &asks(ONE, 4, &[(50, &addr(10).octets())]), at(4));
    assert_eq!((decline.answer, decline.note), (None, Some(Note::InUse { address: addr(10) })));
    assert_eq!(offered(&step(&mut table, &asks(ONE, 1, &[]), at(5))), Some(addr(12)));
    assert_eq!(offered(&step(&mut table, &asks(TWO, 1, &[]), at(603))), Some(addr(12)), "an offer has ended");
    assert_eq!(offered(&step(&mut table, &asks(ONE, 1, &[]), at(603))), None);
    assert_eq!(offered(&step(&mut table, &asks(ONE, 1, &[]), at(604))), Some(addr(10)));
}

#[test]
fn a_lease_is_renewed_by_a_machine_that_speaks_for_itself() {
    let mut table = Table::default();
    let _ = step(&mut table, &asks(ONE, 1, &[]), at(0));
    let _ = step(&mut table, &select(ONE, 10), at(1));
    let renew = Request { client: addr(10), relay: Ipv4Addr::UNSPECIFIED, ..asks(ONE, 3, &[]) };
    let ack = step(&mut table, &renew, at(1800));
    assert_eq!(ack.save.unwrap().expires, at(5400));
    let verdict = ack.answer.unwrap();
    let from: SocketAddr = "10.20.0.10:68".parse().unwrap();
    assert_eq!(destination(&renew, from, &verdict), from);
    let wrong = Request { client: addr(12), ..renew };
    let nak = step(&mut table, &wrong, at(1800));
    assert!(is_nak(&nak));
    let everybody: SocketAddr = "255.255.255.255:68".parse().unwrap();
    assert_eq!(destination(&wrong, from, &nak.answer.unwrap()), everybody);
}

#[test]
fn the_network_is_that_of_the_link_the_relay_or_our_own() {
    let networks = [
        network("pxe", "10.20.0.0/24", "10.20.0.10", "10.20.0.12"),
        network("wide", "10.0.0.0/8", "10.99.0.10", "10.99.0.12"),
    ];
    let subnets = Subnets::new(&networks, &BTreeMap::new(), &[]);
    let ground = Ground { subnets: &subnets, server: SERVER };
    let discover = asks(ONE, 1, &[]);
    let through = |relay: [u8; 4], link: Option<[u8; 4]>| {
        let request =
            Request { relay: relay.into(), link_selection: link.map(Into::into), ..discover.clone() };
        let decision = ground.decide(&request, "n01", &Table::default(), at(0));
        offered(&decision).map(|address| address.octets())
    };
    assert_eq!(through([127, 0, 0, 1], Some([10, 20, 0, 0])), Some([10, 20, 0, 10]));
    assert_eq!(through([10, 20, 0, 1], Some([10, 50, 0, 0])), Some([10, 99, 0, 10]));
    assert_eq!(through([10, 20, 0, 1], None), Some([10, 20, 0, 10]));
    assert_eq!(through([127, 0, 0, 1], None), None);
    assert_eq!(through([0; 4], None), Some([10, 20, 0, 10]), "a broadcast on our own network");
}

#[test]
fn a_broken_table_or_range_gives_nothing_to_two_machines() {
    let mut table = Table::default();
    let entry = |mac, until| Entry { mac: Some(mac), network: "pxe".into(), until, leased: true };
    table.put(addr(10), entry(ONE, at(10)));
    table.put(addr(10), entry(TWO, at(20)));
    assert_eq!(offered(&step(&mut table, &asks(ONE, 1, &[]), at(1))), Some(addr(12)));
    assert_eq!(offered(&step(&mut table, &asks(TWO, 1, &[]), at(1))), Some(addr(10)));
    let backwards = [network("pxe", "10.20.0.0/24", "10.20.0.12", "10.20.0.10")];
    let subnets = Subnets::new(&backwards, &BTreeMap::new(), &[]);
    let decision =
        Ground { subnets: &subnets, server: SERVER }.decide(&asks(ONE, 1, &[]), "n", &table, at(1));
    assert!(matches!(decision.note, Some(Note::Exhausted { .. })));
}

fn written(request: &Request, verdict: &Verdict) -> (Message, Vec<u8>) {
    let (subnets, links) = (subnets(), Links::new("http://10.20.0.2:8080").unwrap());
    let voice = Voice { subnets: &subnets, server: SERVER, next_server: SERVER, links: &links };
    let bytes = voice.packet(request, verdict).unwrap();
    (Message::decode(&mut Decoder::new(&bytes)).unwrap(), bytes)
}

fn ack(last: u8) -> Verdict {
    Verdict::Ack { address: addr(last), network: "pxe".into() }
}

#[test]
fn each_architecture_gets_its_boot_program() {
    type Options = &'static [(u8, &'static [u8])];
    let table: [(Options, Option<&str>); 9] = [
        (&[(93, &[0, 0])], Some("undionly.kpxe")),
        (&[(93, &[0, 7])], Some("snponly.efi")),
        (&[(93, &[0, 9])], Some("snponly.efi")),
        (&[(93, &[0, 11])], Some("snponly-arm64.efi")),
        (&[(93, &[0, 16]), (60, b"HTTPClient:Arch:00016")], Some("http://10.20.0.2:8080/tftp/snponly.efi")),
        (&[(93, &[0, 19]), (60, b"HTTPClient")], Some("http://10.20.0.2:8080/tftp/snponly-arm64.efi")),
        (&[(93, &[0, 7]), (77, b"iPXE")], Some("http://10.20.0.2:8080/boot/ipxe/52:54:00:00:00:01")),
        (&[(93, &[0x77, 7])], None),
        (&[(60, b"systemd")], None),
    ];
    for (options, file) in table {
        let request = asks(ONE, 1, options);
        let (message, _) = written(&request, &ack(10));
        let named = match message.opts().get(OptionCode::BootfileName) {
            Some(DhcpOption::BootfileName(name)) => Some(String::from_utf8(name.clone()).unwrap()),
            _ => None,
        };
        assert_eq!(named.as_deref(), file, "{options:?}");
        let field = message.fname_str().map(|name| name.unwrap().trim_end_matches('\0'));
        assert_eq!(field, file);
        assert_eq!(message.siaddr(), if file.is_some() { SERVER } else { Ipv4Addr::UNSPECIFIED });
        let class = message.opts().contains(OptionCode::ClassIdentifier);
        assert_eq!(class, request.class.starts_with(b"HTTPClient"), "{options:?}");
    }
}

#[test]
fn an_answer_describes_the_network_and_echoes_the_relay_last() {
    let machine = [0u8; 17];
    let request = asks(ONE, 3, &[(93, &[0, 7]), (97, &machine)]);
    let (message, bytes) = written(&request, &ack(10));
    assert_eq!(
        (message.yiaddr(), message.giaddr(), message.xid()),
        (addr(10), Ipv4Addr::LOCALHOST, 0x0102_0304)
    );
    assert_eq!(message.opts().msg_type(), Some(MessageType::Ack));
    for (code, option) in [
        (OptionCode::SubnetMask, DhcpOption::SubnetMask([255, 255, 255, 0].into())),
        (OptionCode::Router, DhcpOption::Router(vec![addr(1)])),
        (OptionCode::DomainNameServer, DhcpOption::DomainNameServer(vec!["10.21.0.2".parse().unwrap()])),
        (OptionCode::DomainName, DhcpOption::DomainName("fra1.example.net".into())),
        (OptionCode::AddressLeaseTime, DhcpOption::AddressLeaseTime(3600)),
        (OptionCode::ServerIdentifier, DhcpOption::ServerIdentifier(SERVER)),
        (OptionCode::TFTPServerName, DhcpOption::TFTPServerName(b"10.20.0.2".to_vec())),
        (OptionCode::ClientMachineIdentifier, DhcpOption::ClientMachineIdentifier(machine.to_vec())),
    ] {
        assert_eq!(message.opts().get(code), Some(&option));
    }
    let mut tail = vec![82, 6];
    tail.extend_from_slice(&LINK);
    tail.push(255);
    assert!(bytes.ends_with(&tail), "{bytes:?}");
}

#[test]
fn an_answer_to_a_relay_goes_to_its_port_only_when_it_asks_for_that() {
    let from: SocketAddr = "127.0.0.1:40000".parse().unwrap();
    let plain = asks(ONE, 1, &[]);
    assert_eq!(destination(&plain, from, &ack(10)).port(), 67);
    let wanted = Request { relay_source_port: true, ..plain };
    assert_eq!(destination(&wanted, from, &ack(10)), from);
    let (message, _) = written(&wanted, &Verdict::Nak { why: "no" });
    assert!(message.flags().broadcast());
    assert!(!message.opts().contains(OptionCode::BootfileName));
    assert_eq!(message.yiaddr(), Ipv4Addr::UNSPECIFIED);
    let inform = Request { client: addr(200), ..asks(ONE, 8, &[]) };
    let (message, _) = written(&inform, &Verdict::Informed { network: "pxe".into() });
    assert_eq!((message.yiaddr(), message.ciaddr()), (Ipv4Addr::UNSPECIFIED, addr(200)));
    assert!(!message.opts().contains(OptionCode::AddressLeaseTime));
}
