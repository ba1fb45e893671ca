//! All services together on loopback, spoken to by raw sockets as a machine would.

mod agents;

use super::*;
use crate::finding::Place;
use crate::model::site::{Dhcp, Network, Range};
use crate::units::{Mac, Time};
use crate::world::agent;
use futures::future::BoxFuture;
use futures::{FutureExt, future};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

const MAC: Mac = Mac([0x52, 0x54, 0, 0x12, 0x34, 1]);
const SOON: Duration = Duration::from_secs(5);

#[derive(Default)]
struct TestDesk {
    reports: Mutex<Vec<(String, Report)>>,
    leases: Mutex<Vec<DhcpLease>>,
    broken: Mutex<bool>,
    agent: Mutex<Option<agent::Hello>>,
    /// The next order is the last one.
    orders: Mutex<Vec<agent::Order>>,
    said: Mutex<Vec<agent::Said>>,
}

fn ready<T: Send + 'static>(value: T) -> BoxFuture<'static, T> {
    future::ready(value).boxed()
}

impl BootDesk for TestDesk {
    fn node_of(&self, mac: Mac) -> BoxFuture<'_, Result<Option<String>, DeskError>> {
        let known = mac.0[..3] == MAC.0[..3];
        ready(Ok(known.then(|| "n01".to_string())))
    }

    fn boot(&self, mac: Mac) -> BoxFuture<'_, Result<Boot, DeskError>> {
        let image = NetImage {
            name: "debian-12".into(),
            kernel: "files/boot/agent.kernel".into(),
            initrd: "files/boot/agent.initrd".into(),
            kernel_checksum: Some("sha256:aa".into()),
            initrd_checksum: None,
            params: vec!["console=ttyS0".into()],
        };
        ready(match mac {
            MAC => Ok(Boot::Install { node: "n01".into(), key: "KEY".into(), image }),
            Mac([0x52, ..]) => Ok(Boot::Disk { node: "n02".into() }),
            Mac([0xee, ..]) => Err(DeskError("the store is closed".into())),
            _ => Ok(Boot::Unknown),
        })
    }

    fn order(&self, key: &str) -> BoxFuture<'_, Result<Order, Refusal>> {
        let image = OrderImage {
            name: "debian-12".into(),
            url: "files/images/debian-12.raw".into(),
            checksum: "sha256:cc".into(),
            format: "raw".into(),
        };
        let order = Order {
            node: "n01".into(),
            image,
            hostname: "n01".into(),
            kernel_params: vec!["quiet".into()],
            authorized_keys: vec![],
            phone_home: "NODEKEY".into(),
        };
        ready(match key {
            "KEY" => Ok(order),
            "OLD" => Err(Refusal::Withdrawn),
            "BROKEN" => Err(Refusal::Broken("planted detail".into())),
            _ => Err(Refusal::Unknown),
        })
    }

    fn report(&self, key: &str, report: Report) -> BoxFuture<'_, Result<(), Refusal>> {
        if key == "OLD" {
            return ready(Err(Refusal::Withdrawn));
        }
        self.reports.lock().unwrap().push((key.to_string(), report));
        ready(Ok(()))
    }

    fn agent_hello(&self, key: &str, hello: agent::Hello) -> BoxFuture<'_, Result<(), Refusal>> {
        let known = match key {
            "KEY" => Ok(()),
            // Somebody else always said hello after this one.
            "SHARED" => return ready(Ok(())),
            "OLD" => Err(Refusal::Withdrawn),
            _ => Err(Refusal::Unknown),
        };
        if known.is_ok() {
            *self.agent.lock().unwrap() = Some(hello);
        }
        ready(known)
    }

    fn agent_order(
        &self,
        key: &str,
        next: agent::Next,
    ) -> BoxFuture<'_, Result<Option<agent::Order>, Refusal>> {
        let is_known = self.agent.lock().unwrap().as_ref().is_some_and(|agent| agent.boot == next.boot);
        match (key, is_known) {
            ("KEY", false) | ("SHARED", _) => ready(Err(Refusal::Stranger)),
            ("KEY", true) => match self.orders.lock().unwrap().pop() {
                Some(order) => ready(Ok(Some(order))),
                None => future::pending().boxed(),
            },
            _ => ready(Err(Refusal::Unknown)),
        }
    }

    fn agent_said(&self, _: &str, said: agent::Said) -> BoxFuture<'_, Result<(), Refusal>> {
        self.said.lock().unwrap().push(said);
        ready(Ok(()))
    }

    fn leases(&self) -> BoxFuture<'_, Result<Vec<DhcpLease>, DeskError>> {
        ready(Ok(self.leases.lock().unwrap().clone()))
    }

    fn save_lease(&self, lease: DhcpLease) -> BoxFuture<'_, Result<(), DeskError>> {
        if *self.broken.lock().unwrap() {
            return ready(Err(DeskError("the disk is full".into())));
        }
        self.leases.lock().unwrap().push(lease);
        ready(Ok(()))
    }
}

fn config(files: &Path) -> BootConfig {
    let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let range = Range {
        kind: "dhcp".into(),
        first: Ipv4Addr::new(10, 20, 1, 0),
        last: Ipv4Addr::new(10, 20, 7, 250),
    };
    let network = Network {
        name: "pxe".into(),
        cidr: "10.20.0.0/21".parse().unwrap(),
        gateway: Some(Ipv4Addr::new(10, 20, 0, 1)),
        vlan: None,
        mtu: None,
        dns: vec![],
        domain: None,
        ranges: vec![],
        route_domain: None,
        routes: vec![],
        relays: vec![],
        labels: crate::model::value::Value::empty_map(),
        dhcp: Some(Dhcp { range, lease: Duration::from_secs(3600) }),
        place: Place::whole("site.kdl"),
    };
    BootConfig {
        dhcp: Some(free),
        tftp: Some(free),
        http: Some(free),
        networks: vec![network],
        files: Some(files.to_path_buf()),
        ..BootConfig::default()
    }
}

fn design() -> tempfile::TempDir {
    let files = tempfile::tempdir().unwrap();
    for folder in ["boot", "tftp", "images"] {
        std::fs::create_dir(files.path().join(folder)).unwrap();
    }
    std::fs::write(files.path().join("boot/agent.kernel"), "rackwright virtual kernel: agent\n").unwrap();
    std::fs::write(files.path().join("tftp/snponly.efi"), program()).unwrap();
    std::fs::write(files.path().join("tftp/exact"), [7u8; 1024]).unwrap();
    files
}

fn program() -> Vec<u8> {
    let mut program = b"rackwright virtual boot program: ipxe\n".to_vec();
    program.extend((0..100_000u32).map(|number| number as u8));
    program
}

async fn start(files: &Path) -> (BootServices, Arc<TestDesk>) {
    let desk = Arc::new(TestDesk::default());
    let services = BootServices::start(config(files), desk.clone(), || Time(1_000_000)).await.unwrap();
    (services, desk)
}

fn dhcp_packet(kind: u8, mac: Mac, xid: u32, more: &[(u8, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0u8; 240];
    bytes[..4].copy_from_slice(&[1, 1, 6, 1]);
    bytes[4..8].copy_from_slice(&xid.to_be_bytes());
    bytes[24..28].copy_from_slice(&[127, 0, 0, 1]);
    bytes[28..34].copy_from_slice(&mac.0);
    bytes[236..].copy_from_slice(&[0x63, 0x82, 0x53, 0x63]);
    bytes.extend_from_slice(&[53, 1, kind, 93, 2, 0, 7]);
    for (code, content) in more {
        bytes.extend_from_slice(&[*code, content.len() as u8]);
        bytes.extend_from_slice(content);
    }
    bytes.extend_from_slice(&[82, 8, 5, 4, 10, 20, 0, 0, 19, 0, 255]);
    bytes
}

async fn exchange(socket: &UdpSocket, packet: &[u8]) -> Option<Vec<u8>> {
    socket.send(packet).await.unwrap();
    let mut buffer = vec![0u8; 2048];
    let length = timeout(Duration::from_millis(500), socket.recv(&mut buffer)).await.ok()?.unwrap();
    buffer.truncate(length);
    Some(buffer)
}

async fn connected(to: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(to).await.unwrap();
    socket
}

/// Status line number and body of one request on a connection of its own.
async fn ask(to: SocketAddr, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(SOON, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_string())
}

async fn fetch(to: SocketAddr, path: &str, headers: &str) -> (u16, String) {
    ask(to, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n")).await
}

async fn post(to: SocketAddr, path: &str, body: &str) -> u16 {
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    ask(to, &(head + body)).await.0
}

/// Reads a file as a client with these options would; loses every `lossy`th packet when that is not 0.
async fn tftp(server: SocketAddr, name: &str, options: &str, lossy: usize) -> Result<Vec<u8>, String> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut request = b"\0\x01".to_vec();
    request.extend_from_slice(format!("{name}\0octet\0{options}").as_bytes());
    socket.send_to(&request, server).await.unwrap();
    let field = |name: &str, default: usize| {
        let mut fields = options.split('\0');
        fields
            .find(|field| *field == name)
            .and_then(|_| fields.next())
            .map_or(default, |n| n.parse().unwrap())
    };
    let (block_bytes, window) = (field("blksize", 512), field("windowsize", 1));
    let (mut content, mut next, mut in_window, mut seen) = (Vec::new(), 1u64, 0, 0);
    let mut buffer = vec![0u8; 66_000];
    loop {
        let (length, from) =
            timeout(SOON, socket.recv_from(&mut buffer)).await.map_err(|_| "silent")?.unwrap();
        seen += 1;
        if lossy > 0 && seen % lossy == 0 {
            continue;
        }
        let acknowledge = async |block: u64| {
            let [high, low] = (block as u16).to_be_bytes();
            socket.send_to(&[0, 4, high, low], from).await.unwrap();
        };
        match &buffer[..length] {
            [0, 5, _, code, text @ ..] => return Err(format!("{code} {}", String::from_utf8_lossy(text))),
            [0, 6, ..] => acknowledge(0).await,
            [0, 3, high, low, block @ ..] if u16::from_be_bytes([*high, *low]) == next as u16 => {
                content.extend_from_slice(block);
                in_window += 1;
                next += 1;
                let last = block.len() < block_bytes;
                if last || in_window == window {
                    acknowledge(next - 1).await;
                    in_window = 0;
                }
                if last {
                    return Ok(content);
                }
            }
            [0, 3, ..] => {
                in_window = 0;
                acknowledge(next - 1).await;
            }
            other => return Err(format!("{other:?}")),
        }
    }
}

#[tokio::test]
async fn a_machine_goes_from_power_on_to_installed() {
    let files = design();
    let (services, desk) = start(files.path()).await;
    let bound = services.addresses();
    assert_eq!(bound.advertise, format!("http://{}", bound.http.unwrap()));

    let socket = connected(bound.dhcp.unwrap()).await;
    let offer = exchange(&socket, &dhcp_packet(1, MAC, 7, &[(60, b"PXEClient:Arch:00007")])).await.unwrap();
    assert_eq!(
        (&offer[4..8], &offer[16..20], &offer[20..24]),
        (&[0, 0, 0, 7][..], &[10, 20, 1, 0][..], &[127, 0, 0, 1][..])
    );
    assert!(offer[108..].starts_with(b"snponly.efi\0"));
    assert!(desk.leases.lock().unwrap().is_empty());
    let wanted: [(u8, &[u8]); 3] = [(50, &[10, 20, 1, 0]), (54, &[127, 0, 0, 1]), (77, b"iPXE")];
    let ack = exchange(&socket, &dhcp_packet(3, MAC, 8, &wanted)).await.unwrap();
    assert_eq!(desk.leases.lock().unwrap()[0].address, Ipv4Addr::new(10, 20, 1, 0));
    let url = format!("{}/boot/ipxe/{MAC}\0", bound.advertise);
    assert!(ack[108..].starts_with(url.as_bytes()));
    assert!(ack.ends_with(&[82, 8, 5, 4, 10, 20, 0, 0, 19, 0, 255]));

    let loaded =
        tftp(bound.tftp.unwrap(), "snponly.efi", "blksize\x001468\0tsize\x000\0windowsize\x004\0", 0).await;
    assert_eq!(loaded.unwrap(), program());

    let http = bound.http.unwrap();
    let (status, script) = fetch(http, &format!("/boot/ipxe/{MAC}"), "").await;
    assert_eq!(status, 200);
    assert!(script.contains(&format!("rackwright.order={}/boot/order/KEY ", bound.advertise)), "{script}");
    let (status, kernel) = fetch(http, "/files/boot/agent.kernel", "").await;
    assert_eq!((status, kernel.as_str()), (200, "rackwright virtual kernel: agent\n"));
    let (status, order) = fetch(http, "/boot/order/KEY", "").await;
    let order: serde_json::Value = serde_json::from_str(&order).unwrap();
    assert_eq!(status, 200);
    assert_eq!(order["image"]["url"], format!("{}/files/images/debian-12.raw", bound.advertise));
    assert_eq!(order["report"], format!("{}/boot/report/KEY", bound.advertise));
    assert_eq!(order["phone-home"], format!("{}/boot/report/NODEKEY", bound.advertise));
    let report = r#"{"event":"installed","image":{"name":"debian-12","checksum":"sha256:cc"},"identity":{"uuid":"u","serial":"s","macs":["52:54:00:12:34:01"]}}"#;
    assert_eq!(post(http, "/boot/report/KEY", report).await, 204);
    assert!(matches!(&desk.reports.lock().unwrap()[0], (key, Report::Installed { .. }) if key == "KEY"));
    services.stop().await;
    assert!(TcpStream::connect(http).await.is_err());
}

#[tokio::test]
async fn http_says_what_is_wrong() {
    let files = design();
    std::os::unix::fs::symlink("/etc/hostname", files.path().join("leaves")).unwrap();
    let (services, desk) = start(files.path()).await;
    let http = services.addresses().http.unwrap();
    for (path, status) in [
        ("/health", 200),
        ("/boot/ipxe/52:54:00:12:34:02", 200),
        ("/boot/ipxe/52-54-00-12-34-02", 200),
        ("/boot/ipxe/02:00:00:00:00:01", 404),
        ("/boot/ipxe/ee:00:00:00:00:01", 503),
        ("/boot/ipxe/nonsense", 400),
        ("/boot/order/UNKNOWN", 404),
        ("/boot/order/OLD", 410),
        ("/boot/order/a%20b", 404),
        ("/files/absent", 404),
        ("/files/boot", 404),
        ("/files/..%2foutside", 403),
        ("/files/leaves", 403),
        ("/files/%2fetc/passwd", 403),
        ("/tftp/exact", 200),
        ("/boot/report/KEY", 405),
        ("/", 404),
    ] {
        assert_eq!(fetch(http, path, "").await.0, status, "{path}");
    }
    assert_eq!(fetch(http, "/boot/order/BROKEN", "").await, (503, "not now\n".into()));
    let script = fetch(http, "/boot/ipxe/52:54:00:12:34:02", "").await.1;
    assert_eq!(script, "#!ipxe\necho Rackwright: n02 boots from its next device\nexit\n");
    let part = fetch(http, "/files/boot/agent.kernel", "Range: bytes=11-17\r\n").await;
    assert_eq!(part, (206, "virtual".into()));
    assert_eq!(fetch(http, "/files/boot/agent.kernel", "Range: bytes=999-\r\n").await.0, 416);
    assert_eq!(post(http, "/boot/report/OLD", r#"{"event":"failed","why":"x"}"#).await, 410);
    assert_eq!(post(http, "/boot/report/KEY", "{").await, 400);
    assert_eq!(post(http, "/boot/report/KEY", &"x".repeat(70_000)).await, 413);
    assert!(desk.reports.lock().unwrap().is_empty());
    services.stop().await;
}

#[tokio::test]
async fn dhcp_answers_only_known_machines_and_only_what_is_saved() {
    let files = design();
    let (services, desk) = start(files.path()).await;
    let socket = connected(services.addresses().dhcp.unwrap()).await;
    assert_eq!(exchange(&socket, &dhcp_packet(1, Mac([2, 0, 0, 0, 0, 1]), 1, &[])).await, None);
    assert_eq!(exchange(&socket, b"nonsense").await, None);
    let offer = exchange(&socket, &dhcp_packet(1, MAC, 2, &[])).await.unwrap();
    let wanted: [(u8, &[u8]); 2] = [(50, &offer[16..20]), (54, &[127, 0, 0, 1])];
    let request = dhcp_packet(3, MAC, 3, &wanted);
    *desk.broken.lock().unwrap() = true;
    assert_eq!(exchange(&socket, &request).await, None, "no lease, no ACK");
    *desk.broken.lock().unwrap() = false;
    assert!(exchange(&socket, &request).await.is_some());
    services.stop().await;
}

#[tokio::test]
async fn a_thousand_machines_ask_at_once_and_get_different_addresses() {
    let files = design();
    let (services, _) = start(files.path()).await;
    let socket = connected(services.addresses().dhcp.unwrap()).await;
    let mut addresses = std::collections::BTreeSet::new();
    let mac = |number: u32| Mac([0x52, 0x54, 0, 0x80, (number >> 8) as u8, number as u8]);
    for number in 0..1000 {
        socket.send(&dhcp_packet(1, mac(number), number, &[])).await.unwrap();
        if number % 50 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let mut buffer = [0u8; 2048];
    while addresses.len() < 1000 {
        let Ok(received) = timeout(Duration::from_secs(1), socket.recv(&mut buffer)).await else { break };
        received.unwrap();
        addresses.insert(buffer[16..20].to_vec());
    }
    // The kernel may drop some of a burst into one socket of ours; those that came are all different.
    assert!(addresses.len() >= 200, "{}", addresses.len());
    services.stop().await;
}

#[tokio::test]
async fn tftp_serves_any_block_and_window_and_survives_loss() {
    let files = design();
    std::os::unix::fs::symlink("/etc/hostname", files.path().join("tftp/leaves")).unwrap();
    let (services, _) = start(files.path()).await;
    let server = services.addresses().tftp.unwrap();
    for options in
        ["", "blksize\x001468\0", "blksize\x001000\0windowsize\x0016\0", "tsize\x000\0", "blksize\x008192\0"]
    {
        assert_eq!(tftp(server, "snponly.efi", options, 0).await.unwrap(), program(), "{options:?}");
    }
    let lossy = tftp(server, "snponly.efi", "blksize\x008192\0windowsize\x004\0", 5).await;
    assert_eq!(lossy.unwrap(), program());
    assert_eq!(tftp(server, "snponly.efi", "blksize\x0016384\0", 3).await.unwrap(), program());
    assert_eq!(tftp(server, "exact", "", 0).await.unwrap(), [7u8; 1024], "an empty last block");
    // Four bytes of block number wrap: more than 65536 blocks of 8 bytes.
    std::fs::write(files.path().join("tftp/long"), vec![1u8; 8 * 66_000]).unwrap();
    assert_eq!(tftp(server, "long", "blksize\x008\0windowsize\x0032\0", 0).await.unwrap().len(), 8 * 66_000);
    for (name, code) in
        [("absent", '1'), ("../boot/agent.kernel", '2'), ("/etc/passwd", '2'), ("leaves", '2')]
    {
        assert!(tftp(server, name, "", 0).await.unwrap_err().starts_with(code), "{name}");
    }
    let transfers = (0..200).map(|_| tftp(server, "snponly.efi", "blksize\x001468\0windowsize\x008\0", 0));
    assert!(future::join_all(transfers).await.iter().all(Result::is_ok));
    services.stop().await;
}

#[tokio::test]
async fn a_start_that_fails_says_what_to_do() {
    let files = design();
    let (services, desk) = start(files.path()).await;
    let taken = services.addresses().http;
    let again = BootConfig { http: taken, ..config(files.path()) };
    let error = BootServices::start(again, desk.clone(), || Time(0)).await.err().unwrap().to_string();
    assert!(error.contains("HTTP") && error.contains(&taken.unwrap().to_string()), "{error}");
    assert!(error.contains("another program"), "{error}");
    let everywhere = BootConfig { http: Some("0.0.0.0:0".parse().unwrap()), ..config(files.path()) };
    let error = BootServices::start(everywhere, desk.clone(), || Time(0)).await.err().unwrap();
    assert!(matches!(error, BootError::NoAddress { service: "HTTP", .. }));
    let wrong = BootConfig { advertise: Some("10.20.0.1".into()), ..config(files.path()) };
    let error = BootServices::start(wrong, desk.clone(), || Time(0)).await.err().unwrap();
    assert!(matches!(error, BootError::Advertise(_)));
    let nothing = BootConfig { reservations: BTreeMap::new(), ..BootConfig::default() };
    let idle = BootServices::start(nothing, desk, || Time(0)).await.unwrap();
    assert_eq!(idle.addresses().advertise, "");
    idle.stop().await;
    services.stop().await;
}
