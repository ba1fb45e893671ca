//! What goes in wrong, one kind a test: each gives a message that names the thing and the way out, the
//! documented exit code, and a store that an apply afterwards converges from.
//!
//! The BMCs that misbehave are small servers of this file, behind the addresses of the design itself.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{
    COMMAND_LIMIT, Lab, Output, RackProcess, Running, installs, mutating, rackwright, rackwright_with, until,
};
use sqlx::{Connection, Executor, SqliteConnection};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

/// How long a story waits for something to begin.
const BEGINS: Duration = Duration::from_secs(180);

fn apply(lab: &Lab, rack: &RackProcess, more: &[&str]) -> Output {
    rackwright(&[&["apply", lab.design(), "--rack", rack.file()], more].concat())
}

/// Nothing was lost and nothing is left half done: an apply brings all up, each machine installed once, and a
/// second one finds nothing to do.
#[track_caller]
fn converges(lab: &Lab, rack: &RackProcess, nodes: usize) {
    apply(lab, rack, &["--yes"]).exits(0);
    let log = rack.log();
    assert_eq!(installs(&log, None).len(), nodes, "{log:#?}");
    let before = rack.mutations();
    apply(lab, rack, &["--yes"]).exits(0).says("Nothing has to change");
    assert_eq!(rack.mutations(), before);
}

/// A design with errors: every command that needs it exits 3 with the code and the place, and no store is made.
#[track_caller]
fn refused(lab: &Lab, code: &str, place: &str, help: &str) {
    for command in [&["validate"][..], &["plan"], &["apply", "--virtual", "--yes"]] {
        let output = rackwright(&[&[command[0], lab.design()], &command[1..]].concat()).exits(3);
        output.says(code).says(place).says(help);
    }
    assert!(!lab.own().exists(), "a design with errors made a store");
}

#[test]
fn a_broken_kdl_file() {
    let lab = Lab::small(1);
    lab.edit("nodes.kdl", "hardware \"virtual-1u\" {", "hardware \"virtual-1u {");
    refused(&lab, "RW0001", "nodes.kdl:", "help");
}

#[test]
fn an_unknown_key() {
    let lab = Lab::small(1);
    lab.edit("nodes.kdl", "pxe-interface", "pxe-interfce");
    refused(&lab, "RW0004", "nodes.kdl:6", "pxe-interface");
    lab.edit("nodes.kdl", "pxe-interfce", "pxe-interface");
    lab.edit("nodes.kdl", "rack \"r1\" unit=", "rack \"r1\" unti=");
    refused(&lab, "RW0005", "nodes.kdl:", "unit");
}

#[test]
fn a_missing_reference() {
    let lab = Lab::small(1);
    lab.edit("nodes.kdl", "image \"debian-12\"", "image \"debian-21\"");
    refused(&lab, "RW0010", "nodes.kdl:", "debian-12");
}

#[test]
fn all_errors_of_a_design_are_reported_in_one_go() {
    let lab = Lab::small(1);
    lab.edit("nodes.kdl", "pxe-interface", "pxe-interfce");
    lab.edit("nodes.kdl", "image \"debian-12\"", "image \"debian-21\"");
    lab.edit("site.kdl", "gateway \"10.20.0.1\"", "gateway \"10.99.0.1\"");
    let json = rackwright(&["validate", lab.design(), "--json"]).exits(3).json();
    let codes: Vec<&str> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["code"].as_str().unwrap())
        .collect();
    for code in ["RW0004", "RW0010", "RW0030"] {
        assert!(codes.contains(&code), "{code} is not in {codes:?}");
    }
}

#[test]
fn a_design_path_that_is_missing() {
    for command in ["validate", "plan", "apply", "rack"] {
        rackwright(&[command, "/nowhere/at/all"]).exits(3).says("/nowhere/at/all");
    }
    let lab = Lab::small(1);
    let file = lab.path().join("site.kdl");
    rackwright(&["plan", file.to_str().unwrap()]).exits(3).says("site.kdl");
    assert!(!Path::new("/nowhere").exists());
}

const OWN_STEP: &str = "task \"own\" script=\"own.rhai\" { doc \"Our own.\"; allow \"log\"; timeout \"1m\" }
blueprint \"ours\" {
    step \"own\" task=\"own\" phase=\"prepare\"
    step \"install\" task=\"std/install\" phase=\"deploy\" after=\"own\"
}";

/// The lab with a step of its own before the install.
fn with_own_step(script: &str) -> Lab {
    let lab = Lab::small(2);
    lab.append("site.kdl", OWN_STEP);
    lab.edit("nodes.kdl", "    power \"on\"\n", "    lifecycle \"ours\"\n");
    lab.write("scripts/own.rhai", script);
    lab
}

#[test]
fn a_script_with_a_syntax_error() {
    let lab = with_own_step("fn apply(node) {\n    let x = (1;\n}\n");
    refused(&lab, "RW0050", "scripts/own.rhai:2", "Rhai");
}

#[test]
fn a_script_that_loops_for_ever() {
    let lab = with_own_step("fn apply(node) {\n    if node.name == \"lab-n01\" { loop { } }\n}\n");
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &["--yes"])
        .exits(4)
        .says("lab-n01: prepare own failed")
        .says("steps; look for a loop that does not end")
        .says("in `apply` of scripts/own.rhai");
    let log = rack.log();
    assert!(installs(&log, Some("lab-n01")).is_empty());
    assert_eq!(installs(&log, Some("lab-n02")).len(), 1, "the other node goes on");
    lab.write("scripts/own.rhai", "fn apply(node) { log::info(\"mended\") }");
    converges(&lab, &rack, 2);
}

#[test]
fn an_observation_that_loops_for_ever() {
    let lab = Lab::small(1);
    lab.write("scripts/bios.rhai", "fn observe(node) { loop { } }\nfn apply(node) { bmc::power(node); }\n");
    lab.append(
        "site.kdl",
        "task \"std/bios\" script=\"bios.rhai\" { realizes \"hardware.bios\"; hazard \"reboot\"; allow \"bmc\" }",
    );
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &["--yes"]).exits(4).says("lab-n01: unknown: step `bios` cannot be observed");
    assert_eq!(rack.mutations(), 0);
    lab.edit("site.kdl", "task \"std/bios\"", "task \"unused\"");
    converges(&lab, &rack, 1);
}

/// What a BMC that misbehaves does with each request.
#[derive(Clone, Copy)]
enum Manners {
    Hangs,
    Html,
    /// Valid JSON whose every value has another type than Redfish gives it.
    Lies,
}

/// A BMC that misbehaves; it ends with this value.
struct BadBmc {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    writes: Arc<AtomicUsize>,
    end: Arc<AtomicBool>,
}

impl BadBmc {
    fn start(manners: Manners) -> BadBmc {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let bmc = BadBmc { address, requests: Arc::default(), writes: Arc::default(), end: Arc::default() };
        let (requests, writes, end) = (bmc.requests.clone(), bmc.writes.clone(), bmc.end.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { return };
                let (requests, writes) = (requests.clone(), writes.clone());
                std::thread::spawn(move || answer(stream, manners, &requests, &writes));
            }
        });
        bmc
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for BadBmc {
    fn drop(&mut self) {
        self.end.store(true, Ordering::SeqCst);
        // The listener waits for one more connection before it looks.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn answer(mut stream: TcpStream, manners: Manners, requests: &AtomicUsize, writes: &AtomicUsize) {
    stream.set_read_timeout(Some(COMMAND_LIMIT)).unwrap();
    let mut head = Vec::new();
    let mut byte = [0u8; 1];
    while !head.ends_with(b"\r\n\r\n") && head.len() < 16_384 {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .map_or(0, |length| length.trim().parse().unwrap());
    let mut body = vec![0u8; length];
    if stream.read_exact(&mut body).is_err() {
        return;
    }
    requests.fetch_add(1, Ordering::SeqCst);
    if !head.starts_with("get ") && !head.contains("/sessions") {
        writes.fetch_add(1, Ordering::SeqCst);
    }
    let (kind, body) = match manners {
        // Until the client gives it up.
        Manners::Hangs => {
            let _ = stream.read(&mut byte);
            return;
        }
        Manners::Html => ("text/html", "<html><body><h1>Please log in</h1></body></html>"),
        Manners::Lies => (
            "application/json",
            r#"{"Systems": 7, "Members": {"a": 1}, "SessionService": [], "Links": "no", "UUID": [1], "PowerState": 3,
                "@odata.id": {}, "EthernetInterfaces": true, "Bios": 0, "Attributes": "x", "Boot": null}"#,
        ),
    };
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}

/// A design with one node whose BMC misbehaves. It is unknown, nothing is asked of it, and once a rack stands at
/// its address an apply converges.
fn misbehaves(manners: Manners, why: &str) {
    let lab = Lab::small(1);
    let bmc = BadBmc::start(manners);
    lab.edit("nodes.kdl", "https://10.17.1.{slot}", &bmc.url());
    let password = [("BMC_PASSWORD", "planted")];
    rackwright_with(&password, &["plan", lab.design(), "--refresh"])
        .exits(0)
        .says("lab-n01: unknown:")
        .says(why);
    assert!(!lab.store().exists());
    let output =
        rackwright_with(&password, &["apply", lab.design(), "--yes", "--approve", "data-loss"]).exits(4);
    output.says("lab-n01: unknown:").says(&bmc.url()).says(why);
    assert!(bmc.requests.load(Ordering::SeqCst) > 0, "it was never asked");
    assert_eq!(bmc.writes.load(Ordering::SeqCst), 0, "it was written to");
    let rack = RackProcess::start(&lab);
    converges(&lab, &rack, 1);
}

#[test]
fn a_bmc_that_hangs() {
    misbehaves(Manners::Hangs, "no complete answer within");
}

#[test]
fn a_bmc_that_answers_html() {
    misbehaves(Manners::Html, "its answer is not JSON");
}

#[test]
fn a_bmc_that_lies() {
    misbehaves(Manners::Lies, "its answer has no usable");
}

#[test]
fn a_bmc_that_is_not_there() {
    let lab = Lab::small(1);
    let [_, _, free] = common::free_ports();
    lab.edit("nodes.kdl", "https://10.17.1.{slot}", &format!("http://127.0.0.1:{free}"));
    rackwright(&["apply", lab.design(), "--yes"])
        .exits(4)
        .says("environment variable BMC_PASSWORD is not set");
    rackwright_with(&[("BMC_PASSWORD", "x")], &["apply", lab.design(), "--yes"])
        .exits(4)
        .says("cannot connect");
    let rack = RackProcess::start(&lab);
    converges(&lab, &rack, 1);
}

#[test]
fn an_endpoints_file_that_is_no_json_or_missing() {
    let lab = Lab::small(1);
    let file = lab.beside("endpoints.json");
    let name = file.to_str().unwrap();
    for command in [&["plan", "--refresh"][..], &["apply", "--yes"]] {
        let args = [&[command[0], lab.design(), "--rack", name], &command[1..]].concat();
        rackwright(&args).exits(1).says(name).says("rackwright rack --endpoints");
    }
    for text in ["not json", "{}", "[1, 2]", ""] {
        std::fs::write(&file, text).unwrap();
        rackwright(&["apply", lab.design(), "--rack", name, "--yes"])
            .exits(1)
            .says(name)
            .says("is no endpoints file of a virtual rack");
    }
    assert!(!lab.store().exists());
    let rack = RackProcess::start(&lab);
    converges(&lab, &rack, 1);
}

fn on_runtime<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// Runs SQL on a store from outside: to Rackwright this test is another process.
fn sql(store: &Path, text: &str) {
    on_runtime(async {
        let mut connection = SqliteConnection::connect(&format!("sqlite:{}", store.display())).await.unwrap();
        connection.execute(sqlx::AssertSqlSafe(text.to_string())).await.unwrap();
        connection.close().await.unwrap();
    });
}

/// Holds the write lock of a store while `work` is done.
fn locked<T>(store: &Path, work: impl FnOnce() -> T) -> T {
    on_runtime(async {
        let mut connection = SqliteConnection::connect(&format!("sqlite:{}", store.display())).await.unwrap();
        connection.execute("BEGIN IMMEDIATE").await.unwrap();
        let done = work();
        connection.execute("ROLLBACK").await.unwrap();
        connection.close().await.unwrap();
        done
    })
}

#[test]
fn a_store_that_another_program_locks() {
    let lab = Lab::small(2);
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &["--yes", "--until", "verify"]).exits(0);
    let output = locked(&lab.store(), || apply(&lab, &rack, &["--yes"]));
    output.exits(1).says("locked").says("run the same command again");
    assert_eq!(rack.mutations(), 0);
    converges(&lab, &rack, 2);
}

#[test]
fn a_store_that_is_locked_in_the_middle_of_a_run() {
    let lab = Lab::small(2);
    let rack = RackProcess::start_with(lab.design(), &lab.beside("endpoints.json"), Some("7:slow=0.3"));
    let run = Running::start(&[], &["apply", lab.design(), "--rack", rack.file(), "--yes"]);
    assert!(until(BEGINS, || (rack.mutations() > 0).then_some(())).is_some(), "the run did not begin");
    // After the first write to a machine an install is still to come, which journals its effects.
    let output = locked(&lab.store(), || run.wait(COMMAND_LIMIT));
    output.exits(1).says("locked").says("run the same command again");
    converges(&lab, &rack, 2);
}

#[test]
fn a_store_from_a_newer_version() {
    let lab = Lab::small(1);
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &["--yes", "--until", "verify"]).exits(0);
    sql(
        &lab.store(),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', 1, x'00', 0)",
    );
    let before = std::fs::read(lab.store()).unwrap();
    for command in [&["plan"][..], &["status"], &["runs"], &["apply", "--yes"]] {
        rackwright(&[&[command[0], lab.design(), "--rack", rack.file()], &command[1..]].concat())
            .exits(1)
            .says("store.db")
            .says("written by a newer Rackwright (migration 9999")
            .says("restore a backup");
    }
    assert_eq!(std::fs::read(lab.store()).unwrap(), before, "a store that is not understood was written to");
    assert_eq!(rack.mutations(), 0);
    sql(&lab.store(), "DELETE FROM _sqlx_migrations WHERE version = 9999");
    converges(&lab, &rack, 1);
}

#[test]
fn a_damaged_store() {
    let lab = Lab::small(1);
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &["--yes"]).exits(0);
    let whole = std::fs::read(lab.store()).unwrap();
    let before = rack.mutations();
    // Its first page overwritten, then every other page, then cut off in the middle, then another file altogether.
    let mut head = whole.clone();
    head[..4096].fill(0xa5);
    let mut body = whole.clone();
    body[4096..].fill(0xa5);
    for damaged in [head, body, whole[..whole.len() / 2].to_vec(), b"this is no database\n".repeat(300)] {
        std::fs::write(lab.store(), &damaged).unwrap();
        for command in [&["plan"][..], &["apply", "--yes", "--approve", "reboot,reinstall,data-loss"]] {
            rackwright(&[&[command[0], lab.design(), "--rack", rack.file()], &command[1..]].concat())
                .exits(1)
                .says("damaged")
                .says("restore a backup");
        }
    }
    assert_eq!(rack.mutations(), before, "with a damaged store machines were touched");
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", lab.store().display()));
    }
    std::fs::write(lab.store(), &whole).unwrap();
    converges(&lab, &rack, 1);
}

#[test]
fn a_store_url_that_is_not_understood() {
    let lab = Lab::small(1);
    for url in ["mysql://x", "sqlite:", "store.db"] {
        rackwright(&["--store", url, "plan", lab.design()]).exits(64).says(url).says("sqlite:PATH");
    }
}

/// A small disk of its own: a tmpfs, which only root may mount.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: PathBuf) -> Option<SmallDisk> {
        std::fs::create_dir_all(&folder).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(&folder).status();
        mounted.is_ok_and(|status| status.success()).then_some(SmallDisk(folder))
    }

    /// Fills it, but for `left` bytes.
    fn fill(&self, left: usize) {
        let mut file = std::fs::File::create(self.0.join("filler")).unwrap();
        let block = [0u8; 4096];
        let mut written = 0;
        // The bound is far beyond the size of the disk.
        while written < (64 << 20) && file.write_all(&block).is_ok() {
            written += block.len();
        }
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(left as u64)).unwrap();
    }

    fn free(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk() {
    let lab = Lab::small(2);
    let rack = RackProcess::start(&lab);
    let Some(disk) = SmallDisk::mount(lab.beside("disk")) else {
        // Not root: a limit of the file size stands in, in blocks of 1024 bytes, its signal ignored.
        let store = format!("sqlite:{}", lab.beside("limited.db").display());
        let binary = env!("CARGO_BIN_EXE_rackwright");
        let line = format!(
            "trap '' XFSZ; ulimit -f 40; exec {binary} --store {store} apply {} --rack {} --yes",
            lab.design(),
            rack.file()
        );
        common::program("bash", &["-c", &line]).exits(1).says("store");
        let args = ["--store", &store, "apply", lab.design(), "--rack", rack.file(), "--yes"];
        rackwright(&args).exits(0);
        return;
    };
    let store = format!("sqlite:{}", disk.0.join("store.db").display());
    let run = |more: &[&str]| {
        rackwright(
            &[&["--store", &store, "apply", lab.design(), "--rack", rack.file(), "--yes"], more].concat(),
        )
    };
    run(&["--until", "verify"]).exits(0);
    // From no room at all to room for a part of the run: it is full at different moments.
    for left in [0, 32 << 10, 64 << 10, 96 << 10] {
        disk.fill(left);
        let output = run(&[]);
        disk.free();
        if left == 0 {
            output.exits(1).says("the disk that holds the store is full").says("free some space");
        } else if output.code != Some(0) {
            output.exits(1).says("the disk that holds the store is full");
        }
    }
    run(&[]).exits(0);
    let log = rack.log();
    assert_eq!(installs(&log, None).len(), 2, "{log:#?}");
    let before = mutating(&log).len();
    run(&[]).exits(0).says("Nothing has to change");
    assert_eq!(rack.mutations(), before);
}

#[test]
fn wrong_usage() {
    let lab = Lab::small(1);
    rackwright(&[]).exits(64);
    rackwright(&["aply", lab.design()]).exits(64).says("apply");
    rackwright(&["plan", lab.design(), "--until", "delpoy"]).exits(64).says("delpoy");
    rackwright(&["plan", lab.design(), "--on", "lab-n1"]).exits(64).says("did you mean `lab-n01`?");
    rackwright(&["plan", lab.design(), "--on", ""]).exits(64).says("empty");
    rackwright(&["show", lab.design(), "node", "lab-n1"]).exits(64).says("did you mean `lab-n01`?");
    rackwright(&["logs", "r0", "--design", lab.design()]).exits(64).says("r0");
    rackwright(&["rack", lab.design(), "--faults", "7:sloow=1"]).exits(64).says("sloow");
    assert!(!lab.own().exists());
}
