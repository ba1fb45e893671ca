//! A boot server that answers by rote.

use super::*;
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};
use dhcproto::v4::{DhcpOption, Message, MessageType, Opcode, OptionCode};
use dhcproto::{Decodable, Decoder, Encodable};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use tokio::net::{TcpListener, UdpSocket};

/// A boot server: what it was told, and which lies it tells.
pub(super) struct Server {
    pub(super) base: String,
    pub(super) fabric: Fabric,
    pub(super) kernel_digest: Mutex<String>,
    pub(super) image_digest: Mutex<String>,
    pub(super) ordered: Mutex<bool>,
    pub(super) reports: Mutex<Vec<Value>>,
}

pub(super) fn digest(text: &str) -> String {
    format!("sha256:{}", crate::id::hex(&Sha256::digest(text)))
}

impl Server {
    pub(super) async fn start() -> Arc<Server> {
        let http = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
        let dhcp = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
        let tftp = UdpSocket::bind((LOOPBACK, 0)).await.unwrap();
        let server = Arc::new(Server {
            base: format!("http://{}", http.local_addr().unwrap()),
            fabric: Fabric { dhcp: dhcp.local_addr().ok(), tftp: tftp.local_addr().ok() },
            kernel_digest: Mutex::new(digest(KERNEL)),
            image_digest: Mutex::new(digest(IMAGE)),
            ordered: Mutex::new(true),
            reports: Mutex::default(),
        });
        let router = Router::new()
            .route("/boot/ipxe/{mac}", get(Server::script))
            .route("/files/{name}", get(Server::file))
            .route("/boot/order/key", get(Server::order))
            .route("/boot/report/{key}", post(Server::report))
            .with_state(server.clone());
        tokio::spawn(async move { axum::serve(http, router).await });
        tokio::spawn(server.clone().lease(dhcp));
        tokio::spawn(transfer(tftp));
        server
    }

    async fn script(State(server): State<Arc<Server>>, Path(mac): Path<String>) -> String {
        assert!(mac.parse::<Mac>().is_ok());
        if !*server.ordered.lock().unwrap() {
            return "#!ipxe\necho nothing to do\nexit\n".into();
        }
        let (base, kernel) = (&server.base, server.kernel_digest.lock().unwrap());
        format!(
            "#!ipxe\n:retry\nkernel {base}/files/kernel initrd=agent.initrd rackwright.order={base}/boot/order/key \
             rackwright.kernel={kernel} rackwright.initrd={} || goto again\ninitrd {base}/files/initrd || goto again\n\
             boot || goto again\n:again\nsleep 2\ngoto retry\n",
            digest(RAMDISK),
        )
    }

    async fn file(Path(name): Path<String>) -> &'static str {
        match name.as_str() {
            "kernel" => KERNEL,
            "initrd" => RAMDISK,
            _ => IMAGE,
        }
    }

    async fn order(State(server): State<Arc<Server>>) -> axum::Json<Value> {
        let (base, checksum) = (&server.base, server.image_digest.lock().unwrap().clone());
        axum::Json(json!({
            "node": "n01",
            "image": {"name": "debian-12", "url": format!("{base}/files/image"), "checksum": checksum, "format": "raw"},
            "hostname": "n01", "kernel-params": ["console=ttyS0"], "authorized-keys": [],
            "report": format!("{base}/boot/report/key"), "phone-home": format!("{base}/boot/report/node"),
        }))
    }

    async fn report(State(server): State<Arc<Server>>, body: axum::Json<Value>) -> axum::http::StatusCode {
        if body["event"] == "installed" {
            *server.ordered.lock().unwrap() = false;
        }
        server.reports.lock().unwrap().push(body.0);
        axum::http::StatusCode::NO_CONTENT
    }

    async fn lease(self: Arc<Server>, socket: UdpSocket) {
        let mut buffer = [0u8; 2048];
        loop {
            let (count, from) = socket.recv_from(&mut buffer).await.unwrap();
            let asked = Message::decode(&mut Decoder::new(&buffer[..count])).unwrap();
            socket.send_to(&self.granted(&asked).to_vec().unwrap(), from).await.unwrap();
        }
    }

    fn granted(&self, asked: &Message) -> Message {
        assert_eq!((asked.giaddr(), asked.hops()), (LOOPBACK, 1));
        let mut answer = asked.clone();
        answer.set_opcode(Opcode::BootReply).set_yiaddr([10, 20, 1, 1]).set_siaddr([10, 20, 0, 2]);
        let ipxe = asked.opts().contains(OptionCode::UserClass);
        let discover = asked.opts().has_msg_type(MessageType::Discover);
        let relay = asked.opts().get(OptionCode::RelayAgentInformation).unwrap().clone();
        let mac = Mac(asked.chaddr().try_into().unwrap());
        let file = if ipxe { format!("{}/boot/ipxe/{mac}", self.base) } else { "snponly.efi".into() };
        answer.set_opts(Default::default());
        let kind = if discover { MessageType::Offer } else { MessageType::Ack };
        for option in [
            DhcpOption::MessageType(kind),
            DhcpOption::ServerIdentifier([10, 20, 0, 2].into()),
            DhcpOption::BootfileName(file.into_bytes()),
            relay,
        ] {
            answer.opts_mut().insert(option);
        }
        answer
    }

    pub(super) fn events(&self) -> Vec<String> {
        let reports = self.reports.lock().unwrap();
        reports.iter().map(|report| report["event"].as_str().unwrap().to_string()).collect()
    }
}

/// Sends one block to whoever asks.
async fn transfer(socket: UdpSocket) {
    let mut buffer = [0u8; 2048];
    loop {
        let (_, from): (usize, SocketAddr) = socket.recv_from(&mut buffer).await.unwrap();
        if buffer[1] == 1 {
            let block = [&[0, 3, 0, 1][..], b"rackwright virtual boot program: ipxe\n"].concat();
            socket.send_to(&block, from).await.unwrap();
        }
    }
}
