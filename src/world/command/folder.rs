//! The folder of one command: what its keeper left there, and what that says.

use super::{CommandError, KEEP, Order};
use crate::world::program::{Ending, RESULT_BYTES, Stream};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub(super) const LOCK: &str = "lock";
pub(super) const BEGUN: &str = "begun";
pub(super) const END: &str = "end.json";
pub(super) const STOP: &str = "stop";
pub(super) const OUT: &str = "stdout";
pub(super) const ERR: &str = "stderr";
pub(super) const PAYLOAD: &str = "node.json";
pub(super) const PARAMS: &str = "params.json";
pub(super) const INVENTORY: &str = "inventory.json";
pub(super) const EXTRA_VARS: &str = "extra-vars.json";
pub(super) const RESULT: &str = "result.json";
pub(super) const WORK: &str = "work";
const KEEPER: &str = "keeper.log";

/// A keeper begins at once; one that has not by then is not going to.
const BEGINS: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Folders that are looked at in one go.
const MOST_KEPT: usize = 10_000;
/// Of an output, what is read in one go.
const PIECE_BYTES: u64 = 256 << 10;

/// The folder of one command.
#[derive(Clone, Debug)]
pub struct Kept(pub PathBuf);

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    NotBegun,
    Running,
    Ended(Ending),
    /// It was begun, and its keeper is gone without a word: this computer was restarted, or somebody killed it.
    Lost,
}

impl Kept {
    /// What became of it. The end is looked for again when the lock is free: it may have come in between.
    pub fn find(&self) -> Result<Found, CommandError> {
        if let Some(ending) = self.ending()? {
            return Ok(Found::Ended(ending));
        }
        let held = File::open(self.0.join(LOCK))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)));
        if held {
            return Ok(Found::Running);
        }
        match (self.ending()?, self.0.join(BEGUN).exists()) {
            (Some(ending), _) => Ok(Found::Ended(ending)),
            (None, true) => Ok(Found::Lost),
            (None, false) => Ok(Found::NotBegun),
        }
    }

    fn ending(&self) -> Result<Option<Ending>, CommandError> {
        match std::fs::read(self.0.join(END)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(CommandError::file(&self.0, error)),
        }
    }

    /// Starts a keeper with its order and waits until it has begun. Blocks for a moment.
    pub fn begin(&self, order: &Order) -> Result<(), CommandError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&self.0);
        made.map_err(|error| CommandError::file(&self.0, error))?;
        let log = OpenOptions::new().create(true).append(true).mode(0o600).open(self.0.join(KEEPER));
        let log = log.map_err(|error| CommandError::file(&self.0, error))?;
        // The running program itself, even when its file has been replaced since.
        let mut keeper = Command::new("/proc/self/exe");
        keeper
            .args([KEEP.as_ref(), self.0.as_os_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log);
        // Of its own group: what is typed at the controller's terminal does not end it.
        let spawned = keeper.process_group(0).spawn();
        let mut child = spawned.map_err(|error| CommandError::Keeper(error.to_string()))?;
        if let Some(input) = child.stdin.take() {
            serde_json::to_writer(input, order)?;
        }
        let begun = self.wait_until_begun(&mut child);
        // Nobody else would collect it.
        std::thread::spawn(move || child.wait());
        begun
    }

    fn wait_until_begun(&self, child: &mut Child) -> Result<(), CommandError> {
        let rounds = BEGINS.as_millis() / LOOK_EVERY.as_millis();
        for _ in 0..rounds {
            if self.0.join(BEGUN).exists() {
                return Ok(());
            }
            if let Ok(Some(status)) = child.try_wait() {
                if self.0.join(BEGUN).exists() {
                    return Ok(());
                }
                let said = std::fs::read_to_string(self.0.join(KEEPER)).unwrap_or_default();
                return Err(CommandError::Keeper(format!("its keeper ended ({status}): {}", said.trim())));
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Err(CommandError::Keeper(format!("its keeper did not begin within {} s", BEGINS.as_secs())))
    }

    /// A piece of an output from byte `from` on; empty when there is no more yet.
    pub fn output(&self, stream: Stream, from: u64) -> Result<Vec<u8>, CommandError> {
        let path = self.0.join(if stream == Stream::Out { OUT } else { ERR });
        let read = || {
            let mut file = match File::open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => return Err(error),
            };
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            file.take(PIECE_BYTES).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|error| CommandError::file(&path, error))
    }

    /// What the program wrote into its result file; empty when it wrote nothing, or more than is read.
    pub fn result(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let read = File::open(self.0.join(RESULT))
            .and_then(|file| file.take(RESULT_BYTES + 1).read_to_end(&mut bytes));
        if read.is_ok_and(|length| length as u64 <= RESULT_BYTES) { bytes } else { Vec::new() }
    }

    /// Tells the keeper to end the command.
    pub fn stop(&self) -> Result<(), CommandError> {
        let path = self.0.join(STOP);
        match File::create(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(CommandError::file(&path, error))
            }
            _ => Ok(()),
        }
    }

    /// Removes what was given to a command whose keeper is gone.
    pub fn remove_given(&self) {
        for name in [PAYLOAD, PARAMS, INVENTORY, EXTRA_VARS] {
            let _ = std::fs::remove_file(self.0.join(name));
        }
    }

    /// Removes the folder: what it tells is on record.
    pub fn remove(&self) -> Result<(), CommandError> {
        match std::fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(CommandError::file(&self.0, error))
            }
            _ => Ok(()),
        }
    }

    /// The ids of every command that has a folder in this one.
    pub fn all(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(MOST_KEPT);
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    }

    /// The folder of the command of effect `id`.
    pub fn of(folder: &Path, id: &str) -> Kept {
        let plain = |one: char| if one.is_ascii_alphanumeric() || one == '-' { one } else { '_' };
        Kept(folder.join(id.chars().map(plain).collect::<String>()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::keep;
    use super::*;
    use crate::model::value::Value;
    use crate::units::Time;
    use crate::world::clock;
    use crate::world::program::Payload;

    fn order(kept: &Kept, script: &str, within: Duration) -> Order {
        let value = Value::map([("node", Value::text("n1")), ("params", Value::map([("a", Value::Int(1))]))]);
        let args = ["-c".to_string(), script.to_string(), "{payload}".into(), "{result}".into()];
        let payload = Payload::of(&value, false).unwrap();
        Order::new(("/bin/sh", &args, &[]), &payload, None, &kept.0, clock::now().plus(within))
    }

    fn kept() -> (tempfile::TempDir, Kept) {
        let place = tempfile::tempdir().unwrap();
        let kept = Kept::of(place.path(), "r1-1-0");
        std::fs::create_dir_all(&kept.0).unwrap();
        (place, kept)
    }

    fn run(kept: &Kept, script: &str, within: Duration) -> Found {
        let order = serde_json::to_vec(&order(kept, script, within)).unwrap();
        keep(&kept.0, &order[..], clock::now).unwrap();
        kept.find().unwrap()
    }

    fn text(kept: &Kept, stream: Stream) -> String {
        String::from_utf8(kept.output(stream, 0).unwrap()).unwrap()
    }

    #[test]
    fn a_command_gets_its_payload_and_nothing_else_and_its_end_is_found() {
        let (_place, kept) = kept();
        assert_eq!(kept.find().unwrap(), Found::NotBegun);
        let script =
            "cat; echo; cat $0; echo '{\"x\": 2}' > $1; echo bad >&2; env | sort | cut -d= -f1; exit 3";
        assert_eq!(run(&kept, script, Duration::from_secs(60)), Found::Ended(Ending::Exited { code: 3 }));
        let payload = r#"{"node":"n1","params":{"a":1}}"#;
        let names = "HOME\nLANG\nPATH\nPWD\nRACKWRIGHT_PARAMS\nRACKWRIGHT_PAYLOAD\nRACKWRIGHT_RESULT\n";
        assert_eq!(text(&kept, Stream::Out), format!("{payload}\n{payload}{names}"));
        assert_eq!(text(&kept, Stream::Err), "bad\n");
        assert_eq!(kept.result(), b"{\"x\": 2}\n");
        // What was given is gone, and nobody begins it again.
        assert!(!kept.0.join(PAYLOAD).exists());
        assert_eq!(run(&kept, "exit 0", Duration::from_secs(60)), Found::Ended(Ending::Exited { code: 3 }));
        kept.remove().unwrap();
        assert_eq!(kept.find().unwrap(), Found::NotBegun);
    }

    #[test]
    fn a_command_whose_time_is_over_is_killed_with_what_it_started() {
        let (place, kept) = kept();
        let mark = place.path().join("mark");
        let script = format!("(sleep 600; touch {}) & echo $!; wait", mark.display());
        assert_eq!(run(&kept, &script, Duration::from_millis(300)), Found::Ended(Ending::TimedOut));
        let child: i32 = text(&kept, Stream::Out).trim().parse().unwrap();
        let gone = |_: &i32| nix::sys::signal::kill(nix::unistd::Pid::from_raw(child), None).is_err();
        let is_zombie = |_: &i32| {
            let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            stat.contains(") Z ") || stat.is_empty()
        };
        let ended = (0..500).any(|round| {
            std::thread::sleep(Duration::from_millis(10));
            gone(&round) || is_zombie(&round)
        });
        assert!(ended && !mark.exists());
    }

    #[test]
    fn what_cannot_be_started_and_what_was_lost_are_told_apart() {
        let (place, kept) = kept();
        let payload = Payload::of(&Value::Null, false).unwrap();
        let order = Order::new(("no-such-program", &[], &[]), &payload, None, &kept.0, Time(i64::MAX));
        keep(&kept.0, &serde_json::to_vec(&order).unwrap()[..], clock::now).unwrap();
        let Found::Ended(Ending::NotStarted { why }) = kept.find().unwrap() else { panic!() };
        assert!(why.contains("no-such-program"), "{why}");
        let lost = Kept(place.path().join("lost"));
        std::fs::create_dir_all(&lost.0).unwrap();
        File::create(lost.0.join(LOCK)).unwrap();
        File::create(lost.0.join(BEGUN)).unwrap();
        assert_eq!(lost.find().unwrap(), Found::Lost);
        // An order that was cut off begins nothing.
        let other = Kept(place.path().join("other"));
        std::fs::create_dir_all(&other.0).unwrap();
        assert!(keep(&other.0, &b"{\"program\": \"x"[..], clock::now).is_err());
        assert_eq!(other.find().unwrap(), Found::NotBegun);
    }

    #[test]
    fn a_running_command_is_seen_to_run_by_its_lock() {
        let (_place, kept) = kept();
        let order =
            serde_json::to_vec(&order(&kept, "read line < $0; sleep 600", Duration::from_secs(2))).unwrap();
        let folder = kept.0.clone();
        let keeper = std::thread::spawn(move || keep(&folder, &order[..], clock::now));
        let running = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            kept.find().unwrap() == Found::Running
        });
        assert!(running);
        keeper.join().unwrap().unwrap();
        assert_eq!(kept.find().unwrap(), Found::Ended(Ending::TimedOut));
    }
}
