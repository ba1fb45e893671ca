//! Servers on loopback: one that answers by a function, one that is git's own backend, one that says nothing.

use base64::Engine;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);
const MOST_BYTES: u64 = 64 << 20;

pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    /// `Basic` credentials in clear, or the whole header.
    pub fn authorization(&self) -> String {
        let header = self.headers.get("authorization").cloned().unwrap_or_default();
        match header.strip_prefix("Basic ") {
            Some(coded) => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(coded).unwrap();
                format!("Basic {}", String::from_utf8(bytes).unwrap())
            }
            None => header,
        }
    }
}

/// Status line, headers, body: what follows `HTTP/1.1 `.
pub type Answer = Vec<u8>;

pub fn answer(status: &str, body: &[u8]) -> Answer {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Listens until it is dropped.
pub struct Server {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
    pub requests: Arc<AtomicUsize>,
}

impl Server {
    pub fn start(respond: impl Fn(Request) -> Answer + Send + Sync + 'static) -> Server {
        Server::of(move |stream| {
            if let Some(request) = read(&stream) {
                let _ = (&stream).write_all(&respond(request));
            }
        })
    }

    /// Accepts, and says nothing until it is dropped.
    pub fn silent() -> Server {
        let held = Mutex::new(Vec::new());
        Server::of(move |stream| held.lock().unwrap().push(stream))
    }

    fn of(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, requests) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stopped, counted) = (stop.clone(), requests.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let stream = stream.unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                serve(stream);
            }
        });
        Server { address, stop, thread: Some(thread), requests }
    }

    /// `HOST:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    pub fn count(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_string(), words.next()?.to_string());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_string());
    }
    if headers.contains_key("expect") {
        let _ = (&*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
    }
    let mut body = Vec::new();
    match headers.get("content-length").and_then(|length| length.parse::<u64>().ok()) {
        Some(length) => drop(reader.take(length.min(MOST_BYTES)).read_to_end(&mut body).ok()?),
        None if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") => loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = u64::from_str_radix(size.trim(), 16).ok()?;
            reader.by_ref().take(size).read_to_end(&mut body).ok()?;
            reader.read_line(&mut String::new()).ok()?;
            if size == 0 {
                break;
            }
        },
        None => {}
    }
    Some(Request { method, path: path.into(), query: query.into(), headers, body })
}

/// `git http-backend` behind a server that wants these credentials, as `USER:PASSWORD`, if any.
pub fn git_backend(root: PathBuf, credentials: Option<&'static str>) -> Server {
    Server::start(move |request| {
        let wanted = credentials.map(|pair| format!("Basic {pair}"));
        if wanted.is_some_and(|wanted| request.authorization() != wanted) {
            let head = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"d\"\r\n";
            return format!("{head}Content-Length: 0\r\nConnection: close\r\n\r\n").into_bytes();
        }
        backend(&root, &request)
    })
}

fn backend(root: &std::path::Path, request: &Request) -> Answer {
    let header = |name: &str| request.headers.get(name).cloned().unwrap_or_default();
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("HOME", root)
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", &request.path)
        .env("QUERY_STRING", &request.query)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&request.body).unwrap();
    let said = child.wait_with_output().unwrap().stdout;
    let end = said.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&said[..end]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK").to_string();
    let body = &said[end + 4..];
    let length = body.len();
    let start =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{head}\r\n\r\n");
    [start.as_bytes(), body].concat()
}
