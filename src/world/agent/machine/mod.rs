//! The machine that the agent runs on: what it is, what it has, and wiping its disks.
//!
//! Reads `/proc` and `/sys` of Linux below a root, so that another tree can be read in their place. Blocks: whoever calls
//! gives it a thread.

mod disks;
mod stress;
mod system;
#[cfg(test)]
mod tests;
mod transport;
mod wipe;

use super::inventory::{Inventory, Wiped};
use super::message::{Meant, Method, Work};
use crate::world::boot::Identity;
use disks::Found;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// No file of `/proc` or `/sys` that is looked at is longer.
const TEXT_BYTES: u64 = 4 << 20;
/// Entries of a folder of `/sys`, at most.
const ENTRIES: usize = 4096;
/// Disks that are wiped at the same time: each takes a thread and two chunks of memory, and more keep a bus no busier.
const AT_ONCE: usize = 24;

/// The machine, or as much of one as the agent was given.
#[derive(Clone, Debug)]
pub struct Machine {
    root: PathBuf,
    /// Files that stand for the disks; the machine's own are then left out of everything.
    files: Vec<PathBuf>,
}

/// Why an order cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    #[error("there is no disk `{0}`; there is {1}")]
    NoDisk(String, String),
    #[error("disk `{0}` is named twice")]
    Twice(String),
    #[error("disk `{0}` is not touched: {1}")]
    InUse(String, String),
    #[error("disk `{id}` is not touched: {meant} was inventoried, and now it is {there}")]
    Other { id: String, meant: String, there: String },
    #[error("no disk is named")]
    NoneNamed,
    #[error("disk `{disk}` {what}: {source}")]
    Io { disk: String, what: &'static str, source: std::io::Error },
    #[error("disk `{disk}` has no bytes")]
    Empty { disk: String },
    #[error("disk `{disk}` reads back something else than zeros within {at} bytes of its start")]
    NotZero { disk: String, at: u64 },
    #[error(
        "disk `{0}` cannot be told to forget its content in a way that reads back as zeros: {1}; wipe it by zeros"
    )]
    NoDiscard(String, std::io::Error),
    #[error("the order was taken back")]
    Stopped,
}

/// How far an order is, and whether it is to stop.
#[derive(Debug, Default)]
pub struct Progress {
    pub done: AtomicU64,
    pub of: AtomicU64,
    pub stop: AtomicBool,
}

impl Progress {
    fn add(&self, bytes: u64) -> Result<(), MachineError> {
        self.done.fetch_add(bytes, Ordering::Relaxed);
        match self.stop.load(Ordering::Relaxed) {
            true => Err(MachineError::Stopped),
            false => Ok(()),
        }
    }
}

impl Machine {
    /// The machine below `root`, with `files` in place of its disks when there are any.
    pub fn new(root: PathBuf, files: Vec<PathBuf>) -> Machine {
        Machine { root, files }
    }

    /// Carries out an order; the answer is as the protocol writes it.
    pub fn carry_out(
        &self,
        work: &Work,
        now: fn() -> Duration,
        progress: &Progress,
    ) -> Result<serde_json::Value, MachineError> {
        let written = |error: serde_json::Error| MachineError::Io {
            disk: String::new(),
            what: "has no answer that can be written",
            source: error.into(),
        };
        match work {
            Work::Inventory => serde_json::to_value(self.inventory()).map_err(written),
            Work::Stress { seconds, memory_percent } => {
                let time = Duration::from_secs(*seconds);
                let stressed = stress::stress(&self.root, time, *memory_percent, now, progress)?;
                serde_json::to_value(stressed).map_err(written)
            }
            Work::Wipe { disks, method } => {
                serde_json::to_value(self.wipe(disks, *method, progress)?).map_err(written)
            }
        }
    }

    pub fn identity(&self) -> Identity {
        system::identity(&self.root)
    }

    pub fn inventory(&self) -> Inventory {
        let disks = self.disks().into_iter().map(|found| found.disk).collect();
        system::inventory(&self.root, disks)
    }

    fn disks(&self) -> Vec<Found> {
        match self.files.is_empty() {
            true => disks::all(&self.root),
            false => disks::files(&self.root, &self.files),
        }
    }

    /// Leaves nothing but zeros on these disks. All are looked at before the first is written.
    fn wipe(&self, disks: &[Meant], method: Method, progress: &Progress) -> Result<Vec<Wiped>, MachineError> {
        let there = self.disks();
        let chosen = chosen(&there, disks)?;
        let mut open = Vec::with_capacity(chosen.len());
        for found in chosen {
            open.push(wipe::Open::new(found)?);
        }
        let all = open.iter().map(|disk| disk.bytes.saturating_mul(2)).fold(0, u64::saturating_add);
        progress.of.store(all, Ordering::Relaxed);
        wipe::all(open, AT_ONCE, method, progress)
    }
}

/// The disks that are meant, none of them in use.
fn chosen<'a>(there: &'a [Found], disks: &[Meant]) -> Result<Vec<&'a Found>, MachineError> {
    if disks.is_empty() {
        return Err(MachineError::NoneNamed);
    }
    let mut chosen: Vec<&Found> = Vec::with_capacity(disks.len());
    for meant in disks {
        let id = &meant.id;
        let Some(found) = there.iter().find(|found| found.disk.id == *id) else {
            let known: Vec<&str> = there.iter().map(|found| found.disk.id.as_str()).collect();
            let known = if known.is_empty() { "none".into() } else { known.join(", ") };
            return Err(MachineError::NoDisk(id.clone(), known));
        };
        if chosen.iter().any(|other| other.disk.id == *id) {
            return Err(MachineError::Twice(id.clone()));
        }
        let disk = &found.disk;
        let same = (disk.bytes, &disk.model, &disk.serial) == (meant.bytes, &meant.model, &meant.serial);
        if !same {
            let meant = described(meant.bytes, &meant.model, &meant.serial);
            let there = described(disk.bytes, &disk.model, &disk.serial);
            return Err(MachineError::Other { id: id.clone(), meant, there });
        }
        if let Some(why) = &found.disk.in_use {
            return Err(MachineError::InUse(id.clone(), why.clone()));
        }
        chosen.push(found);
    }
    Ok(chosen)
}

fn described(bytes: u64, model: &Option<String>, serial: &Option<String>) -> String {
    let or = |text: &Option<String>, none: &str| text.clone().unwrap_or_else(|| none.into());
    format!("{} with {} and {bytes} bytes", or(model, "no model"), or(serial, "no serial number"))
}

/// A small text of `/proc` or `/sys`; `None` when there is none, or nothing in it.
fn text(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(TEXT_BYTES).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).trim_matches(['\0', ' ', '\n', '\t', '\r']).to_string();
    (!text.is_empty()).then_some(text)
}

/// The names in a folder, in order.
fn names(path: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
    let names = entries.take(ENTRIES).flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}
