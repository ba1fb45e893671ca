//! Names asked of a name server that we did not write (dnsmasq), and of sockets that keep silent or answer nonsense.

use super::*;
use std::process::{Child, Command, Stdio};
use tokio::net::UdpSocket;

/// `dnsmasq` on a loopback port; it ends with this value.
struct Server {
    child: Child,
    at: SocketAddr,
}

impl Server {
    async fn start() -> Server {
        let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let at = free.local_addr().unwrap();
        drop(free);
        let child = Command::new("dnsmasq")
            .args(["--keep-in-foreground", "--no-resolv", "--no-hosts", "--no-daemon", "--bind-interfaces"])
            .args(["--listen-address=127.0.0.1", "--user=", "--pid-file=", "--conf-file=/dev/null"])
            .arg(format!("--port={}", at.port()))
            .args(["--local=/example/", "--host-record=n1.example,10.20.0.11,2001:db8::11"])
            .args(["--host-record=n1.example,10.20.0.12"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("dnsmasq cannot be started ({error}); `tests/run` installs it, or: apt-get install dnsmasq-base")
            });
        let server = Server { child, at };
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(at).await.is_ok() {
                return server;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("dnsmasq is not up");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn names_and_addresses_are_looked_up_and_absence_is_an_answer() {
    let server = Server::start().await;
    let ask = async |name: &str, kind| look_up(name, kind, &[server.at], true).await.unwrap();
    assert_eq!(ask("n1.example", Kind::A).await, ["10.20.0.11", "10.20.0.12"]);
    assert_eq!(ask("n1.example.", Kind::Aaaa).await, ["2001:db8::11"]);
    assert_eq!(ask("10.20.0.11", Kind::Ptr).await, ["n1.example"]);
    assert_eq!(ask("nobody.example", Kind::A).await, Vec::<String>::new());
}

#[tokio::test]
async fn who_keeps_silent_or_babbles_gives_no_answer() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let babbles = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = babbles.local_addr().unwrap();
    tokio::spawn(async move {
        let mut question = [0; 1500];
        while let Ok((_, from)) = babbles.recv_from(&mut question).await {
            for answer in [&b""[..], b"nonsense", &[0xff; 600]] {
                let _ = babbles.send_to(answer, from).await;
            }
        }
    });
    let servers = [silent.local_addr().unwrap(), at]
        .map(|server| async move { look_up("n1.example", Kind::A, &[server], true).await.unwrap_err() });
    for error in futures::future::join_all(servers).await {
        let said = error.to_string();
        assert!(
            error.is_transient() && said.contains("`n1.example` cannot be looked up at 127.0.0.1"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_rehearsal_asks_nobody_real_and_nonsense_is_not_asked() {
    let real = look_up("n1.example", Kind::A, &["192.0.2.53:53".parse().unwrap()], true).await.unwrap_err();
    assert_eq!(
        real.to_string(),
        "a rehearsal touches nothing real, and the name server 192.0.2.53 is not a loopback address"
    );
    assert!(matches!(look_up("n1.example", Kind::A, &[], true).await, Err(DnsError::Rehearsal(_))));
    let nobody = ["127.0.0.1:1".parse().unwrap()];
    assert!(matches!(look_up("n1.example", Kind::Ptr, &nobody, false).await, Err(DnsError::Address(_))));
    for name in ["", "a..b", &"x".repeat(300)] {
        assert!(matches!(look_up(name, Kind::A, &nobody, false).await, Err(DnsError::Name(_))), "{name}");
    }
}
