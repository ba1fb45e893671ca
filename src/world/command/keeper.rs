//! The keeper of one command: runs in a process of its own, and outlives the controller that wanted the command.

use super::folder::{BEGUN, END, ERR, LOCK, OUT, RESULT, STOP, WORK};
use super::{CommandError, Order};
use crate::units::Time;
use crate::world::program::{Ending, OUTPUT_BYTES};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// Somebody who looks whether the lock is held has it for a moment.
const LOCK_TRIES: u32 = 50;
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Between the polite signal and the other one.
const GRACE: Duration = Duration::from_secs(5);
/// The largest order: a node, its parameters and an inventory.
const ORDER_BYTES: u64 = 64 << 20;

/// Keeps the command of `folder`: starts it, waits for its end, kills it when its time is over, and notes how it ended.
/// Does nothing when another keeper has begun it.
pub fn keep(folder: &Path, order: impl Read, now: fn() -> Time) -> Result<(), CommandError> {
    // To its end: an order that was cut off, because its writer died, is none.
    let mut text = Vec::new();
    order.take(ORDER_BYTES).read_to_end(&mut text).map_err(|error| CommandError::file(folder, error))?;
    let order: Order = serde_json::from_slice(&text)?;
    let Some(_lock) = lock(folder)? else { return Ok(()) };
    match private(folder, BEGUN) {
        Ok(_) => {}
        Err(CommandError::File { source, .. }) if source.kind() == ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(error),
    }
    let ending = run(folder, &order, now)?;
    for (name, _) in order.files() {
        let _ = std::fs::remove_file(folder.join(name));
    }
    note(folder, &ending)
}

fn lock(folder: &Path) -> Result<Option<File>, CommandError> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| CommandError::file(&path, error))?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK_EVERY),
            Err(TryLockError::Error(error)) => return Err(CommandError::file(&path, error)),
        }
    }
    Ok(None)
}

/// A file that is new and that nobody else may read.
fn private(folder: &Path, name: &str) -> Result<File, CommandError> {
    let path = folder.join(name);
    let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path);
    file.map_err(|error| CommandError::file(&path, error))
}

fn run(folder: &Path, order: &Order, now: fn() -> Time) -> Result<Ending, CommandError> {
    for (name, text) in order.files() {
        let mut file = private(folder, name)?;
        file.write_all(text.as_bytes()).map_err(|error| CommandError::file(&folder.join(name), error))?;
    }
    private(folder, RESULT)?;
    let work = folder.join(WORK);
    std::fs::create_dir(&work).map_err(|error| CommandError::file(&work, error))?;
    let mut command = Command::new(&order.program);
    command.args(&order.args).env_clear().envs(order.env.iter().cloned()).current_dir(&work);
    command
        .stdin(Stdio::piped())
        .stdout(private(folder, OUT)?)
        .stderr(private(folder, ERR)?)
        .process_group(0);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ok(Ending::NotStarted { why: format!("`{}`: {error}", order.program) }),
    };
    if let Some(mut input) = child.stdin.take() {
        let text = order.input().to_string();
        // A program need not read what it is given.
        std::thread::spawn(move || input.write_all(text.as_bytes()));
    }
    wait(&mut child, folder, order.until, now).map_err(|error| CommandError::file(folder, error))
}

/// Waits for the program's end. What it left behind in its process group ends with it.
fn wait(child: &mut Child, folder: &Path, until: Time, now: fn() -> Time) -> std::io::Result<Ending> {
    let group = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
    let mut killed: Option<(Ending, Time)> = None;
    loop {
        if let Some(status) = child.try_wait()? {
            let _ = killpg(group, Signal::SIGKILL);
            return Ok(killed.map_or_else(|| Ending::Exited { code: code(status) }, |(ending, _)| ending));
        }
        match (&killed, reason(folder, until, now)) {
            (None, Some(ending)) => {
                let _ = killpg(group, Signal::SIGTERM);
                killed = Some((ending, now().plus(GRACE)));
            }
            (Some((_, at)), _) if now() >= *at => {
                let _ = killpg(group, Signal::SIGKILL);
            }
            _ => {}
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Why the program must end now.
fn reason(folder: &Path, until: Time, now: fn() -> Time) -> Option<Ending> {
    if now() >= until {
        return Some(Ending::TimedOut);
    }
    if folder.join(STOP).exists() {
        return Some(Ending::Stopped);
    }
    let too_much = [OUT, ERR].iter().any(|name| length(&folder.join(name)) > OUTPUT_BYTES);
    too_much.then_some(Ending::WroteTooMuch)
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// As shells say it.
fn code(status: ExitStatus) -> i64 {
    let by_signal = || status.signal().map_or(255, |signal| 128 + signal);
    i64::from(status.code().unwrap_or_else(by_signal))
}

/// Notes the end whole: whoever looks never reads half.
fn note(folder: &Path, ending: &Ending) -> Result<(), CommandError> {
    let (part, end) = (folder.join("end.part"), folder.join(END));
    let text = serde_json::to_vec(ending)?;
    let written = File::create(&part).and_then(|mut file| {
        file.write_all(&text)?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&part, &end)).map_err(|error| CommandError::file(&end, error))
}
