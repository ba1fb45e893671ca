//! A controller that is killed at each single moment of its journal goes on when it is started again.
//!
//! The moments are not drawn but enumerated: before the intent of each effect, after it, between the device's answer and
//! its record, after that, and so for the beginning and the end of each attempt. This program is its own victim: it starts
//! itself as `rackwright` with a subscriber that kills the process, with SIGKILL, inside the very moment that the journal
//! names. Afterwards the binary itself goes on. The witnesses are the journal and the rack's own log.

#![expect(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use common::{Lab, Output, RackProcess, mutating, rackwright, witness};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// What the victim does at its moments: `kill=NUMBER`, or `list=FILE`.
const ORDER: &str = "RACKWRIGHT_TEST_ORDER";
/// The arguments of the victim, one a line.
const ARGS: &str = "RACKWRIGHT_TEST_ARGS";
/// The target of the events that tell the moments of the journal.
const JOURNAL: &str = "rackwright::journal";
/// Moments that are tried at once: each is mostly waiting.
const AT_ONCE: usize = 4;
/// Starts that a story allows itself to converge.
const STARTS: usize = 3;

/// The victim, when it is told to be one; else that the victim is the same program as the binary.
#[test]
fn the_victim_is_rackwright() {
    if let (Ok(order), Ok(args)) = (std::env::var(ORDER), std::env::var(ARGS)) {
        let witness = Witness { order, seen: Mutex::default() };
        tracing::subscriber::set_global_default(tracing_subscriber::registry().with(witness)).unwrap();
        let args = std::iter::once("rackwright").chain(args.lines()).map(Into::into);
        let code = rackwright::cli::main(args);
        std::process::exit(if code == std::process::ExitCode::SUCCESS { 0 } else { 1 });
    }
    let said = victim("kill=none", &["--version"]).output().unwrap();
    let binary = rackwright(&["--version"]).exits(0).stdout;
    assert!(String::from_utf8_lossy(&said.stdout).contains(&binary), "{said:?}");
}

/// This program again, as the victim.
fn victim(order: &str, args: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "the_victim_is_rackwright", "--nocapture"]);
    command.env_clear().env(ORDER, order).env(ARGS, args.join("\n")).stdin(Stdio::null());
    command
}

/// Hears the moments, and carries the order out.
struct Witness {
    order: String,
    seen: Mutex<usize>,
}

impl<S: tracing::Subscriber> Layer<S> for Witness {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != JOURNAL {
            return;
        }
        let mut moment = Moment::default();
        event.record(&mut moment);
        let mut seen = self.seen.lock().unwrap();
        if let Some(file) = self.order.strip_prefix("list=") {
            let mut file = std::fs::OpenOptions::new().append(true).create(true).open(file).unwrap();
            writeln!(file, "{}", moment.name()).unwrap();
        } else if self.order == format!("kill={seen}")
            || self.order.strip_prefix("at=") == Some(&moment.name())
        {
            kill(Pid::this(), Signal::SIGKILL).unwrap();
        }
        *seen += 1;
    }
}

#[derive(Default)]
struct Moment(BTreeMap<&'static str, String>);

impl Moment {
    fn name(&self) -> String {
        let part = |key: &str| self.0.get(key).map(String::as_str).unwrap_or_default();
        format!("{} {} {} {}", part("step"), part("sequence"), part("effect"), part("moment"))
    }
}

impl Visit for Moment {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}").trim_matches('"').to_string());
    }
}

/// A lab of one node with its rack, and the arguments of an apply to it.
struct Stage {
    lab: Lab,
    rack: RackProcess,
}

impl Stage {
    fn args(&self) -> [&str; 7] {
        ["apply", self.lab.design(), "--rack", self.rack.file(), "--yes", "--approve", "reboot"]
    }

    fn apply(&self) -> Output {
        rackwright(&self.args())
    }

    /// The same by another build.
    fn apply_with(&self, build: &Path) -> Output {
        let output = Command::new(build).args(self.args()).env_clear().stdin(Stdio::null()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The moments of an apply that nobody kills.
    fn moments(&self) -> Vec<String> {
        let file = self.lab.beside("moments");
        let order = format!("list={}", file.display());
        let output = victim(&order, &self.args()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        std::fs::read_to_string(file).unwrap().lines().map(str::to_string).collect()
    }

    /// An apply that is killed at its moment of this number.
    #[track_caller]
    fn killed_at(&self, number: usize) {
        let output = victim(&format!("kill={number}"), &self.args()).output().unwrap();
        assert_eq!(output.status.signal(), Some(9), "it was not killed: {output:?}");
    }

    /// Goes on until nothing is left to do.
    #[track_caller]
    fn converges(&self) {
        self.converges_by(&|| self.apply());
    }

    #[track_caller]
    fn converges_by(&self, apply: &dyn Fn() -> Output) {
        let said: Vec<Output> = (0..STARTS).map(|_| apply()).collect();
        let done =
            |output: &Output| output.code == Some(0) && output.stdout.contains("Nothing has to change");
        assert!(said.iter().any(done), "it does not converge: {said:#?}");
        witness::nothing_twice(&self.lab, &self.rack);
        witness::nothing_is_running(&self.lab);
    }
}

/// Runs a story for each number, some at once; a story that fails names its moment.
fn for_each(moments: &[String], story: impl Fn(usize, &str) + Sync) {
    let next = Mutex::new(0..moments.len());
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(number) = next.lock().unwrap().next() else { return };
                    let told = std::panic::AssertUnwindSafe(|| story(number, &moments[number]));
                    if std::panic::catch_unwind(told).is_err() {
                        failed.lock().unwrap().push(moments[number].clone());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "killed at these moments it does not end well: {failed:#?}");
}

fn bring_up() -> Stage {
    let lab = Lab::small(1);
    let rack = RackProcess::start(&lab);
    Stage { lab, rack }
}

#[test]
fn killed_at_every_moment_of_a_bring_up_it_goes_on_and_repeats_nothing() {
    let moments = bring_up().moments();
    let count = |word: &str| moments.iter().filter(|moment| moment.ends_with(word)).count();
    // Four steps; each effect has its moments, and what is no read has an intent.
    assert_eq!((count(" begun"), count(" ending"), count(" ended")), (4, 4, 4), "{moments:#?}");
    assert!(count("wanted") >= 12 && count("intended") >= 8, "{moments:#?}");
    assert_eq!((count("answered"), count("recorded")), (count("wanted"), count("wanted")));
    println!("{} moments", moments.len());
    for_each(&moments, |number, _| {
        let stage = bring_up();
        stage.killed_at(number);
        stage.converges();
        witness::installed_once(&stage.lab, &stage.rack.log(), 1);
    });
}

/// A lifecycle with a step that must not be done twice: a forced restart.
const RESTARTING: &str = r#"
task "restart-once" script="restart.rhai" { doc "Restart it, once."; hazard "reboot"; allow "bmc" "log" }
blueprint "restarting" {
    step "restart" task="restart-once" phase="prepare"
    step "power" task="std/power" phase="configure" after="restart"
}
"#;
const SCRIPT: &str = "fn apply(node) { bmc::power_on(node); bmc::restart(node); log::info(\"restarted\"); }";

fn restarting(faults: Option<&str>) -> Stage {
    let lab = Lab::small(1);
    lab.append("nodes.kdl", RESTARTING);
    lab.write("scripts/restart.rhai", SCRIPT);
    let hardware = "hardware \"virtual-1u\"\n";
    lab.edit("nodes.kdl", hardware, &format!("{hardware}    lifecycle \"restarting\"\n"));
    let rack = RackProcess::start_with(lab.design(), &lab.beside("endpoints.json"), faults);
    Stage { lab, rack }
}

fn restarts(stage: &Stage) -> usize {
    let log = stage.rack.log();
    mutating(&log).iter().filter(|line| line["body"]["ResetType"] == "ForceRestart").count()
}

#[test]
fn a_restart_is_found_again_by_what_the_bmc_shows_of_it() {
    let moments = restarting(None).moments();
    for_each(&moments, |number, _| {
        let stage = restarting(None);
        stage.killed_at(number);
        stage.converges();
        assert_eq!(restarts(&stage), 1);
    });
}

#[test]
fn where_the_bmc_shows_nothing_of_a_restart_a_person_is_asked_and_it_is_never_repeated() {
    const SILENT: Option<&str> = Some("1:silent-resets=1");
    let moments = restarting(SILENT).moments();
    for_each(&moments, |number, moment| {
        let stage = restarting(SILENT);
        stage.killed_at(number);
        let sent = restarts(&stage);
        let in_doubt = ["bmc.restart intended", "bmc.restart answered"].iter().any(|it| moment.ends_with(it));
        if !in_doubt {
            stage.converges();
            assert_eq!(restarts(&stage), 1);
            return;
        }
        assert_eq!(sent, usize::from(moment.ends_with("answered")));
        for _ in 0..STARTS {
            stage.apply().exits(4).says("nobody knows whether it was done").says("rackwright skip ");
            assert_eq!(restarts(&stage), sent, "it was repeated blindly");
        }
    });
}

/// What the standard install says when the image is written, and what another build's says.
const SAYS: &[u8] = b"is on the disk";
const SAYS_THERE: &[u8] = b"was put there ";

/// Another build: the binary with another `stdlib/install.rhai` in it.
fn other_build(folder: &Path) -> PathBuf {
    let mut bytes = std::fs::read(env!("CARGO_BIN_EXE_rackwright")).unwrap();
    let places: Vec<usize> =
        (0..bytes.len() - SAYS.len()).filter(|at| bytes[*at..].starts_with(SAYS)).collect();
    assert!(!places.is_empty(), "the binary does not hold its library as text");
    for at in places {
        bytes[at..at + SAYS.len()].copy_from_slice(SAYS_THERE);
    }
    let build = folder.join("rackwright-of-tomorrow");
    std::fs::write(&build, bytes).unwrap();
    std::fs::set_permissions(
        &build,
        std::fs::metadata(env!("CARGO_BIN_EXE_rackwright")).unwrap().permissions(),
    )
    .unwrap();
    build
}

#[test]
fn a_run_that_one_build_began_is_finished_by_another_with_the_scripts_that_it_began_with() {
    let folder = tempfile::tempdir().unwrap();
    let build = other_build(folder.path());
    let moments = bring_up().moments();
    let touched = moments.iter().position(|moment| moment == "bios 0 bmc.set_bios intended").unwrap();
    for_each(&moments, |number, moment| {
        let stage = bring_up();
        stage.killed_at(number);
        stage.converges_by(&|| stage.apply_with(&build));
        witness::installed_once(&stage.lab, &stage.rack.log(), 1);
        let messages =
            witness::query(&stage.lab, "SELECT text FROM message WHERE step = 'install' ORDER BY id");
        let said = messages.first().map(|row| sqlx::Row::get::<String, _>(row, 0)).unwrap();
        // A run that had begun to change the machine is the first build's to its end; what had not is planned anew.
        let first = number >= touched;
        assert_eq!(said.ends_with("is on the disk"), first, "{moment}: {said}");
        let plan = stage.apply_with(&build).exits(0);
        assert!(!first || plan.stdout.contains("its task has other scripts now"), "{}", plan.stdout);
    });
}

/// What was interrupted on its way to a disk, and has not come there, wants its word again.
#[test]
fn a_reinstall_that_was_killed_before_it_touched_the_disk_is_agreed_to_again() {
    let stage = bring_up();
    stage.apply().exits(0);
    // The image has another content from now on.
    let image = format!("{}\nnewer\n", stage.lab.read("files/images/debian-12.img").lines().next().unwrap());
    stage.lab.write("files/images/debian-12.img", &image);
    let checksum: String = Sha256::digest(&image).iter().map(|byte| format!("{byte:02x}")).collect();
    stage.lab.edit(
        "images.kdl",
        "3842152a13f65e1dec6ab5ed7d286cc3c2bc52b180b7aff88c7798302493e2e2",
        &checksum,
    );
    let place = ["apply", stage.lab.design(), "--rack", stage.rack.file(), "--yes", "--approve"];
    let approving = |hazards: &'static str| -> Vec<&str> { place.iter().copied().chain([hazards]).collect() };
    let killed = victim("at=install 0 bmc.power_off recorded", &approving("reinstall")).output().unwrap();
    assert_eq!(killed.status.signal(), Some(9), "it was not killed: {killed:?}");
    let installed = common::installs(&stage.rack.log(), None).len();
    rackwright(&approving("reboot")).exits(6).says("--approve reinstall");
    assert_eq!(common::installs(&stage.rack.log(), None).len(), installed);
    rackwright(&approving("reinstall")).exits(0);
    assert_eq!(common::installs(&stage.rack.log(), None).len(), installed + 1);
}
