//! Many nodes waiting at once, each for the boot report of its own machine; then all reports come.
//!
//! The machines are in a process of their own. Printed: threads and memory of the one that waits, and the time from the
//! first report until every node has gone on. Nothing is decided by time.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot measure has failed, and its numbers are what it prints"
)]

#[path = "support/fleet.rs"]
mod pattern;
mod support;

use pattern::design;
use sqlx::{Connection, Row, SqliteConnection};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::sizes;

/// A lifecycle that does nothing but wait for a system to say that it has booted.
const WAITING: &str = r#"
task "wait" script="wait.rhai" { doc "Wait for a boot report."; hazard "reinstall"; allow "pxe" "wait"; timeout "4h" }
blueprint "waiting" { step "wait" task="wait" phase="configure" }
"#;
const SCRIPT: &str = "fn apply(node) { let ticket = pxe::ticket(node); wait::booted(node, ticket, \"2h\"); }";
/// By then nobody needs what it took to come here.
const SETTLED: Duration = Duration::from_secs(15);
/// Connections over which the reports come.
const CONNECTIONS: usize = 128;
/// Looks at the store, one each time, before a benchmark that does not come to its end is given up.
const LOOKS: usize = 6_000;
const LOOK: Duration = Duration::from_millis(100);

fn main() {
    for nodes in sizes(&[10_000]) {
        let folder = tempfile::tempdir().expect("a folder");
        measure(folder.path(), nodes);
    }
}

fn measure(folder: &Path, nodes: usize) {
    let place = folder.join("fleet");
    std::fs::create_dir_all(place.join("scripts")).expect("a folder");
    design(&place, nodes);
    let site = std::fs::read_to_string(place.join("site.kdl")).expect("the design");
    let site = site.replace("hardware \"virtual-1u\";", "hardware \"virtual-1u\"; lifecycle \"waiting\";");
    let services = "dhcp listen=\"127.0.0.1:0\"; tftp listen=\"127.0.0.1:0\"; http listen=\"127.0.0.1:PORT\"";
    // Below the ports that the rack's machines and their connections take by themselves.
    let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let port = (11_000..12_000).find(is_free).expect("a free port of loopback");
    let services = services.replace("PORT", &port.to_string());
    let site = site
        .replace("first-install \"allow\"", &format!("first-install \"allow\"; services {{ {services} }}"));
    std::fs::write(place.join("site.kdl"), site + WAITING).expect("the design");
    std::fs::write(place.join("scripts/wait.rhai"), SCRIPT).expect("the script");
    let (path, endpoints) = (place.to_str().unwrap(), folder.join("rack.json"));
    let file = endpoints.to_str().unwrap();

    let mut rack = Ended(start(&["rack", path, "--endpoints", file]));
    until("the rack is up", || endpoints.exists().then_some(()));
    let mut apply = Ended(start(&["apply", path, "--rack", file, "--yes"]));
    let store = place.join(".rackwright/store.db");
    until("the store is there", || store.exists().then_some(()));
    let began = Instant::now();
    let waiting = "SELECT count(*) FROM effect WHERE name = 'wait.booted' AND answered_at IS NULL";
    until("all nodes wait", || (count(&store, waiting) == nodes as i64).then_some(()));
    let all = began.elapsed().as_secs_f64();
    std::thread::sleep(SETTLED);
    let (threads, now, peak) = status(apply.0.id());
    println!(
        "{nodes} nodes wait at once, after {:.1} s: {threads} threads, {now:.0} MiB, {peak:.0} MiB at the peak",
        all
    );

    let reports = reports(&store);
    assert_eq!(reports.len(), nodes);
    let first = Instant::now();
    std::thread::scope(|scope| {
        for part in reports.chunks(nodes.div_ceil(CONNECTIONS)) {
            scope.spawn(|| send(port, part));
        }
    });
    let told = first.elapsed();
    let on = "SELECT count(*) FROM attempt WHERE state = 'succeeded'";
    until("all nodes have gone on", || (count(&store, on) == nodes as i64).then_some(()));
    println!(
        "every report was answered after {:.2} s, every node had gone on after {:.2} s",
        told.as_secs_f64(),
        first.elapsed().as_secs_f64()
    );
    let ended = until("the run ends", || apply.0.try_wait().unwrap());
    assert!(ended.success(), "{ended}");
    let _ = rack.0.kill();
}

/// A process that ends with this value.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(arguments: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rackwright"));
    command.args(arguments).env_clear().stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("rackwright starts")
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..LOOKS {
        if let Some(seen) = look() {
            return seen;
        }
        std::thread::sleep(LOOK);
    }
    panic!("given up before {what}");
}

fn on_store<T>(store: &Path, ask: impl AsyncFnOnce(&mut SqliteConnection) -> T) -> T {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(store).read_only(true);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        ask(&mut connection).await
    })
}

fn count(store: &Path, sql: &'static str) -> i64 {
    // Until the tables are there, there is nothing to count.
    on_store(store, async |connection| sqlx::query_scalar(sql).fetch_one(connection).await.unwrap_or(0))
}

/// Threads, resident memory and its peak (proc(5)), the latter two in MiB.
fn status(process: u32) -> (u64, f64, f64) {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).expect("the process is there");
    let number = |name: &str| -> u64 {
        let line = text.lines().find(|line| line.starts_with(name)).expect("a line of proc(5)");
        line.split_whitespace().nth(1).and_then(|word| word.parse().ok()).expect("a number")
    };
    let mib = |name: &str| number(name) as f64 / 1024.0;
    (number("Threads:"), mib("VmRSS:"), mib("VmHWM:"))
}

/// The path and the body of what each installed system says.
fn reports(store: &Path) -> Vec<(String, String)> {
    on_store(store, async |connection| {
        let secret: String =
            sqlx::query_scalar("SELECT boot_secret FROM site").fetch_one(&mut *connection).await.unwrap();
        let rows = sqlx::query("SELECT id, spec FROM boot_ticket").fetch_all(connection).await.unwrap();
        let report = |row: sqlx::sqlite::SqliteRow| {
            let (ticket, spec): (String, String) = (row.get(0), row.get(1));
            let spec: serde_json::Value = serde_json::from_str(&spec).unwrap();
            let image =
                serde_json::json!({ "name": spec["image"]["name"], "checksum": spec["image"]["checksum"] });
            let body = serde_json::json!({ "event": "booted", "image": image, "boot-id": ticket,
                "kernel-params": [], "identity": { "macs": [spec["boot-mac"]] } });
            (
                format!("/boot/report/{}", rackwright::effect::keys::home_key(&secret, &ticket)),
                body.to_string(),
            )
        };
        rows.into_iter().map(report).collect()
    })
}

/// One connection, a report after another (RFC 9112).
fn send(port: u16, reports: &[(String, String)]) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the boot services");
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    for (path, body) in reports {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: boot\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let (mut line, mut length, mut status) = (String::new(), 0, String::new());
        loop {
            line.clear();
            answers.read_line(&mut line).unwrap();
            if status.is_empty() {
                status = line.trim().to_string();
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" || line.is_empty() {
                break;
            }
        }
        assert!(status.contains(" 20"), "{status} to {path}");
        answers.read_exact(&mut vec![0; length]).unwrap();
    }
}
