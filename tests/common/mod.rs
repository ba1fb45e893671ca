//! What the tests share: a copy of the lab design, the built binary run with a bounded time, a virtual rack in
//! a process of its own, and a small blocking HTTP client.
//!
//! Talks only to loopback, stops by process id whatever it started, and waits for nothing without an end. It
//! uses none of the library's clients, so that a fault in them cannot hide itself. Proves nothing: the tests do.

#![cfg(test)]
#![expect(dead_code, reason = "each test file uses its own part")]

pub mod podman;
pub mod tasks;
pub mod witness;

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longer than any command takes on a slow computer; a command that is still there then is stopped.
pub const COMMAND_LIMIT: Duration = Duration::from_secs(240);
/// How long a rack may take to come up.
const RACK_LIMIT: Duration = Duration::from_secs(60);
/// Between two looks at something that is waited for.
const POLL: Duration = Duration::from_millis(20);
/// How long one HTTP request may take.
const HTTP_LIMIT: Duration = Duration::from_secs(20);

/// A copy of a design in a folder of its own; of `designs/lab` with its services on free ports.
pub struct Lab {
    folder: tempfile::TempDir,
    design: PathBuf,
}

impl Lab {
    /// The lab as it is, on free ports.
    pub fn new() -> Lab {
        let lab = Lab::of("lab");
        let [dhcp, tftp, http] = free_ports();
        lab.edit("site.kdl", "127.0.0.1:10067", &format!("127.0.0.1:{dhcp}"));
        lab.edit("site.kdl", "127.0.0.1:10069", &format!("127.0.0.1:{tftp}"));
        lab.edit("site.kdl", "127.0.0.1:10080", &format!("127.0.0.1:{http}"));
        lab
    }

    /// A copy of another of the designs, as it is: a rehearsal finds ports itself.
    pub fn of(name: &str) -> Lab {
        let folder = tempfile::tempdir().unwrap();
        let design = folder.path().join(name);
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("designs").join(name), &design);
        Lab { folder, design }
    }

    /// The lab with its first `nodes` nodes only, for stories that need no eight.
    pub fn small(nodes: usize) -> Lab {
        let lab = Lab::new();
        lab.edit("nodes.kdl", "slot=\"1..8\"", &format!("slot=\"1..{nodes}\""));
        lab
    }

    /// The design folder.
    pub fn path(&self) -> &Path {
        &self.design
    }

    /// The design folder, as an argument.
    pub fn design(&self) -> &str {
        self.design.to_str().unwrap()
    }

    /// A path beside the design folder: what is written there is no part of the design.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The folder in which Rackwright keeps its stores and the rack's machines.
    pub fn own(&self) -> PathBuf {
        self.design.join(".rackwright")
    }

    pub fn store(&self) -> PathBuf {
        self.own().join("store.db")
    }

    pub fn virtual_store(&self) -> PathBuf {
        self.own().join("virtual.db")
    }

    pub fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.design.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.design.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap_or_else(|error| panic!("{file}: {error}"));
    }

    /// Replaces every `from` of a file; fails when there is none.
    #[track_caller]
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "{file} does not hold `{from}`; it cannot be edited:\n{text}");
        self.write(file, &text.replace(from, to));
    }

    /// Adds lines to the end of a file.
    pub fn append(&self, file: &str, text: &str) {
        let before = self.read(file);
        self.write(file, &format!("{before}\n{text}\n"));
    }

    /// The lines of the log of the rack that `--virtual` starts.
    pub fn virtual_log(&self) -> Vec<Value> {
        let path = self.own().join("virtual/log.jsonl");
        match std::fs::read_to_string(&path) {
            Ok(text) => lines(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }

    /// Every file in the folder of the design, its stores included, with the digest of its content.
    pub fn fingerprint(&self) -> BTreeMap<PathBuf, String> {
        let mut files = BTreeMap::new();
        fingerprint(&self.design, &mut files);
        files
    }
}

fn fingerprint(folder: &Path, files: &mut BTreeMap<PathBuf, String>) {
    // A folder counts too: making an empty one is writing.
    files.insert(folder.to_path_buf(), "folder".into());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => fingerprint(&path, files),
            false => {
                let digest = blake3::hash(&std::fs::read(&path).unwrap()).to_hex().to_string();
                files.insert(path, digest);
            }
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        // A store that somebody left beside the example is no part of it.
        if entry.file_name() == ".rackwright" {
            continue;
        }
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => {
                std::fs::copy(entry.path(), target).unwrap();
            }
        }
    }
}

/// Below the ports that systems give to connections by themselves (RFC 6335 leaves them to us from 1024 on): one of those
/// may be taken by any connection before a service listens there.
const PORTS: std::ops::Range<u32> = 12_000..32_000;
/// The next port to be tried; each is given out once by a process.
static NEXT_PORT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

/// Three ports of loopback on which nobody listens: two of UDP, one of TCP.
pub fn free_ports() -> [u16; 3] {
    let mut free = (0..PORTS.len()).filter_map(|_| {
        let next = NEXT_PORT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // Processes that run beside each other begin at different places.
        let offset = (std::process::id().wrapping_mul(101)).wrapping_add(next) % PORTS.len() as u32;
        let port = u16::try_from(PORTS.start + offset).unwrap();
        let is_free =
            UdpSocket::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok();
        is_free.then_some(port)
    });
    [0; 3].map(|_| free.next().expect("a free port of loopback"))
}

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Output {
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// Fails with everything that was said unless the command ended so.
    #[track_caller]
    pub fn exits(self, code: i32) -> Output {
        assert_eq!(
            self.code,
            Some(code),
            "the exit code is wrong\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Fails unless `text` is on standard output or standard error.
    #[track_caller]
    pub fn says(self, text: &str) -> Output {
        assert!(
            self.stdout.contains(text) || self.stderr.contains(text),
            "`{text}` is not said\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON: {error}\n{}\n--- stderr\n{}", self.stdout, self.stderr))
    }

    /// Standard output as JSON lines.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        lines(&self.stdout)
    }
}

/// Runs the built binary with nothing in its environment and no terminal.
pub fn rackwright(args: &[&str]) -> Output {
    rackwright_with(&[], args)
}

/// The same, with these variables.
pub fn rackwright_with(env: &[(&str, &str)], args: &[&str]) -> Output {
    Running::start(env, args).wait(COMMAND_LIMIT)
}

/// A command, not started yet: the binary, a clean environment, all streams caught.
pub fn command(env: &[(&str, &str)], args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rackwright"));
    command.args(args);
    clean(&mut command, env);
    command
}

fn clean(command: &mut Command, env: &[(&str, &str)]) {
    command.env_clear().envs(env.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
}

/// Runs another program in the same bounded way, such as a shell that limits the binary first.
pub fn program(name: &str, args: &[&str]) -> Output {
    let mut command = Command::new(name);
    command.args(args);
    clean(&mut command, &[("PATH", "/usr/bin:/bin")]);
    Running::of(command).wait(COMMAND_LIMIT)
}

/// A command that is under way; it ends with this value.
pub struct Running {
    child: Child,
    stdout: Option<std::thread::JoinHandle<String>>,
    stderr: Option<std::thread::JoinHandle<String>>,
}

impl Running {
    pub fn start(env: &[(&str, &str)], args: &[&str]) -> Running {
        Running::of(command(env, args))
    }

    fn of(mut command: Command) -> Running {
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().map(drain);
        let stderr = child.stderr.take().map(drain);
        Running { child, stdout, stderr }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// True while the process is there.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends a signal by name, such as `INT`, to this process alone.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("/bin/kill").args([&format!("-{name}"), &self.id().to_string()]).status();
        assert!(sent.unwrap().success(), "{name} cannot be sent");
    }

    /// Waits for the end; past `limit` the process is stopped and the test fails.
    #[track_caller]
    pub fn wait(mut self, limit: Duration) -> Output {
        let ended = until(limit, || self.child.try_wait().unwrap());
        if ended.is_none() {
            let _ = self.child.kill();
        }
        let status = self.child.wait().unwrap();
        let text = |stream: Option<std::thread::JoinHandle<String>>| stream.unwrap().join().unwrap();
        let (stdout, stderr) = (text(self.stdout.take()), text(self.stderr.take()));
        assert!(
            ended.is_some(),
            "still running after {limit:?}, stopped\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
        );
        Output { code: status.code(), stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn drain(mut stream: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Looks until there is something to see, or the time is over.
pub fn until<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(seen) = look() {
            return Some(seen);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(POLL);
    }
}

/// `rackwright rack` in a process of its own; it ends with this value.
pub struct RackProcess {
    running: Running,
    endpoints: PathBuf,
    control: String,
}

impl RackProcess {
    /// The rack that the lab describes, without faults.
    pub fn start(lab: &Lab) -> RackProcess {
        RackProcess::start_with(lab.design(), &lab.beside("endpoints.json"), None)
    }

    /// A rack of any design, its endpoints in a file, its faults as `SEED:SPEC`.
    pub fn start_with(design: &str, endpoints: &Path, faults: Option<&str>) -> RackProcess {
        let _ = std::fs::remove_file(endpoints);
        let mut args = vec!["rack", design, "--endpoints", endpoints.to_str().unwrap()];
        if let Some(faults) = faults {
            args.extend(["--faults", faults]);
        }
        let mut running = Running::start(&[], &args);
        let written = until(RACK_LIMIT, || match running.is_running() {
            true => std::fs::read_to_string(endpoints).ok().map(Some),
            false => Some(None),
        });
        let Some(Some(text)) = written else {
            let ended = if running.is_running() { "is not up" } else { "ended" };
            running.signal_if_running();
            let output = running.wait(RACK_LIMIT);
            panic!("the rack {ended}: {}{}", output.stdout, output.stderr);
        };
        let parsed: Value = serde_json::from_str(&text).unwrap();
        let control = parsed["control"].as_str().unwrap().to_string();
        RackProcess { running, endpoints: endpoints.to_path_buf(), control }
    }

    /// The endpoints file, as an argument of `--rack`.
    pub fn file(&self) -> &str {
        self.endpoints.to_str().unwrap()
    }

    pub fn id(&self) -> u32 {
        self.running.id()
    }

    /// The base URL of the control side.
    pub fn control(&self) -> &str {
        &self.control
    }

    /// Every line of the rack's log.
    #[track_caller]
    pub fn log(&self) -> Vec<Value> {
        let answer = http("GET", &format!("{}/rack/log", self.control), None);
        assert_eq!(answer.status, 200, "{}", answer.body);
        lines(&answer.body)
    }

    /// Every machine as it is.
    #[track_caller]
    pub fn nodes(&self) -> Vec<Value> {
        let answer = http("GET", &format!("{}/rack/nodes", self.control), None);
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    #[track_caller]
    pub fn node(&self, name: &str) -> Value {
        let answer = http("GET", &format!("{}/rack/nodes/{name}", self.control), None);
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Changes a machine behind everybody's back; a change of power has come to its end on return.
    #[track_caller]
    pub fn patch(&self, node: &str, change: Value) {
        let url = format!("{}/rack/nodes/{node}", self.control);
        let answer = http("PATCH", &url, Some(&change));
        assert_eq!(answer.status, 200, "{}", answer.body);
        if let Some(power) = change.get("power") {
            // A transition takes its time; a look in its middle is another story.
            let there = until(RACK_LIMIT, || (self.node(node)["power"] == *power).then_some(()));
            assert!(there.is_some(), "{node} does not come to {power}");
        }
    }

    /// How many mutating requests the rack has seen so far.
    #[track_caller]
    pub fn mutations(&self) -> usize {
        mutating(&self.log()).len()
    }
}

impl Running {
    fn signal_if_running(&mut self) {
        if self.is_running() {
            let _ = self.child.kill();
        }
    }
}

/// The mutating BMC requests among the lines of a rack's log.
pub fn mutating(log: &[Value]) -> Vec<&Value> {
    log.iter().filter(|line| line["kind"] == "request").collect()
}

/// The installs that were begun among the lines of a rack's log, all or those of one node.
pub fn installs<'a>(log: &'a [Value], node: Option<&str>) -> Vec<&'a Value> {
    log.iter()
        .filter(|line| line["kind"] == "install" && line["phase"] == "start")
        .filter(|line| node.is_none_or(|node| line["node"] == node))
        .collect()
}

/// JSON lines; a line that is no JSON fails.
#[track_caller]
pub fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("`{line}`: {error}")))
        .collect()
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// One request by HTTP/1.0 (RFC 1945): the server closes the connection, so the body ends with it.
#[track_caller]
pub fn http(method: &str, url: &str, body: Option<&Value>) -> Answer {
    let rest = url.strip_prefix("http://").unwrap_or_else(|| panic!("`{url}` is not http"));
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let address = host.parse().unwrap_or_else(|_| panic!("`{host}` is no address"));
    let mut stream = TcpStream::connect_timeout(&address, HTTP_LIMIT).unwrap();
    stream.set_read_timeout(Some(HTTP_LIMIT)).unwrap();
    stream.set_write_timeout(Some(HTTP_LIMIT)).unwrap();
    let text = body.map(Value::to_string).unwrap_or_default();
    let request = format!(
        "{method} /{path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP answer: {answer}"));
    let status = head.split_whitespace().nth(1).and_then(|code| code.parse().ok());
    Answer { status: status.unwrap_or_else(|| panic!("no status: {head}")), body: body.to_string() }
}
