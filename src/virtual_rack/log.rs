//! The rack's log: every mutating request to a BMC or a switch, every boot, install and wipe, a JSON line each.
//!
//! Owns the shape of a line and where lines go. Decides nothing about what is worth a line.

use super::clock;
use super::disk::{self, Folder, Lines};
use super::wire::LOGGED_BYTES;
use serde::Serialize;
use serde_json::Value;
use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, PoisonError};

/// Lines that a rack without a state folder remembers.
const REMEMBERED_LINES: usize = 200_000;

/// One line, without its time. Absent fields are left out.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Entry<'a> {
    /// The node; of a switch, the one that is plugged into the port, or nothing.
    pub node: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switch: Option<&'a str>,
    /// `request`, `boot`, `install` or `wipe`.
    pub kind: &'static str,
    /// `start` or `end`; a request has one line, its end.
    pub phase: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The `X-Rackwright-Effect` header of the request; of a wipe the id of its order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<&'a str>,
    /// The request was carried out, but a fault kept its answer back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<&'a str>,
    /// What was given control: `agent`, or the name of the image on the disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booted: Option<&'a str>,
    #[serde(rename = "boot-id", skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<&'a str>,
    /// What is wiped, and by which method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub how: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'a str>,
}

#[derive(Serialize)]
struct Line<'a> {
    at: String,
    #[serde(flatten)]
    entry: &'a Entry<'a>,
}

/// The body of a request as the log tells it: as JSON when it is, and cut when it is long.
pub fn told(body: &[u8]) -> Option<Value> {
    let short = &body[..body.len().min(LOGGED_BYTES)];
    match serde_json::from_slice::<Value>(short) {
        Ok(body) => Some(body),
        Err(_) if body.is_empty() => None,
        Err(_) => Some(Value::String(String::from_utf8_lossy(short).into_owned())),
    }
}

enum Sink {
    File(Lines),
    Memory(VecDeque<String>),
}

/// The log of a rack.
pub struct Log(Mutex<Sink>);

impl Log {
    pub fn open(folder: &Folder) -> io::Result<Log> {
        let sink = match Lines::open(folder, "log.jsonl")? {
            Some(lines) => Sink::File(lines),
            None => Sink::Memory(VecDeque::new()),
        };
        Ok(Log(Mutex::new(sink)))
    }

    /// Adds a line. A full disk costs the line, not the rack.
    pub fn add(&self, entry: &Entry<'_>) {
        let mut sink = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The time is read under the lock, so that lines are in its order.
        let line = match serde_json::to_string(&Line { at: clock::now().to_string(), entry }) {
            Ok(line) => line,
            Err(error) => return tracing::warn!(%error, "a log line cannot be written as JSON"),
        };
        match &mut *sink {
            Sink::File(lines) => {
                if let Err(error) = lines.append(&line) {
                    tracing::warn!(%error, "a line of the rack's log is lost");
                }
            }
            Sink::Memory(lines) => {
                if lines.len() == REMEMBERED_LINES {
                    lines.pop_front();
                }
                lines.push_back(line);
            }
        }
    }

    /// All lines, each with its line end.
    pub async fn text(&self) -> io::Result<Vec<u8>> {
        let path = match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Sink::File(lines) => lines.path(),
            Sink::Memory(lines) => {
                return Ok(lines
                    .iter()
                    .flat_map(|line| [line.as_bytes(), b"\n"])
                    .flatten()
                    .copied()
                    .collect());
            }
        };
        disk::read_lines(path).await
    }
}
