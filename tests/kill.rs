//! A controller that is killed at any moment goes on when it is started again, and does nothing twice.
//!
//! The rack runs in its own process. `apply --rack` is killed with SIGKILL once the rack has seen a
//! number of things happen (drawn from a printed seed; `RACKWRIGHT_KILL_SEED` draws the same again), and started again. What
//! counts is in two places that the killed process cannot falsify: the journal and the rack's own log.

mod common;

use common::{COMMAND_LIMIT, Lab, RackProcess, command, rackwright, until};
use serde_json::Value;
use sqlx::{Connection, Row};
use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

/// How often the controller is killed, and how often of those at least inside the run.
const KILLS: usize = 20;
const INSIDE: usize = 15;
/// Enough work that twenty kills do not outlast it.
const NODES: usize = 40;
/// Starts that the test allows itself to converge after the last kill.
const LAST_STARTS: usize = 5;

#[test]
fn killed_at_twenty_moments_it_converges_and_repeats_nothing() {
    let seed = seed();
    println!("seed {seed}: RACKWRIGHT_KILL_SEED={seed} draws the same moments again");
    let mut draw = Draw(seed);
    let lab = Lab::small(NODES);
    let rack = RackProcess::start(&lab);
    let mut inside = 0;
    for kill in 0..KILLS {
        let moment =
            Moment { lines: draw.below(20) as usize, pause: Duration::from_micros(draw.below(30_000)) };
        let was_inside = apply_and_kill(&lab, &rack, &moment);
        inside += usize::from(was_inside);
        println!("kill {kill}: {moment:?}, inside the run: {was_inside}");
    }
    assert!(inside >= INSIDE, "only {inside} of {KILLS} kills were inside the run");

    let last: Vec<_> = (0..LAST_STARTS)
        .map(|_| rackwright(&["apply", lab.design(), "--rack", rack.file(), "--yes"]))
        .collect();
    let converged =
        last.iter().any(|output| output.code == Some(0) && output.stdout.contains("Nothing has to change"));
    assert!(converged, "it does not converge: {last:#?}");

    let log = rack.log();
    let effects = journal(&lab);
    let seen = occurrences(&log);
    for effect in &effects {
        let times = seen.get(&effect.id).copied().unwrap_or(0);
        match (effect.answered, effect.wrote) {
            (true, true) => assert_eq!(times, 1, "{effect:?} was answered after a write"),
            _ => assert!(times <= 1, "{effect:?} is in the rack's log {times} times"),
        }
    }
    assert!(effects.iter().any(|effect| effect.answered && effect.wrote), "the journal is empty");
    let known: Vec<&str> = effects.iter().map(|effect| effect.id.as_str()).collect();
    for id in seen.keys() {
        assert!(known.contains(&id.as_str()), "the rack saw {id}, which is in no journal");
    }
    installed_once(&lab, &log);
    nothing_is_running(&lab);
}

/// When the controller is killed: once the rack has seen so many more things happen, and a moment more.
#[derive(Debug)]
struct Moment {
    lines: usize,
    pause: Duration,
}

/// Starts an apply and kills it; true when it was inside a run, begun and not finished.
fn apply_and_kill(lab: &Lab, rack: &RackProcess, moment: &Moment) -> bool {
    let target = rack.log().len() + moment.lines;
    let mut child = command(&[], &["apply", lab.design(), "--rack", rack.file(), "--yes"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until(COMMAND_LIMIT, || {
        let ended = child.try_wait().unwrap().is_some();
        (ended || rack.log().len() >= target).then_some(())
    });
    std::thread::sleep(moment.pause);
    // SIGKILL, by process id.
    child.kill().unwrap();
    child.wait().unwrap();
    lab.store().exists() && !query(lab, "SELECT id FROM run WHERE state = 'running'").is_empty()
}

#[derive(Debug)]
struct Effect {
    id: String,
    answered: bool,
    wrote: bool,
}

fn journal(lab: &Lab) -> Vec<Effect> {
    let rows = query(
        lab,
        "SELECT id, name, answered_at IS NOT NULL, coalesce(wrote, 0) FROM effect WHERE name LIKE 'bmc.%'",
    );
    rows.iter()
        .map(|row| Effect {
            id: row.get(0),
            answered: row.get::<i64, _>(2) == 1,
            wrote: row.get::<i64, _>(3) == 1,
        })
        .collect()
}

/// How often each effect id is in the rack's log.
fn occurrences(log: &[Value]) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    for line in log.iter().filter(|line| line["kind"] == "request") {
        let id =
            line["effect"].as_str().unwrap_or_else(|| panic!("a mutating request without an effect: {line}"));
        *seen.entry(id.to_string()).or_default() += 1;
    }
    seen
}

fn installed_once(lab: &Lab, log: &[Value]) {
    let mut installs: BTreeMap<&str, usize> = BTreeMap::new();
    for line in log.iter().filter(|line| line["kind"] == "install" && line["phase"] == "end") {
        *installs.entry(line["node"].as_str().unwrap()).or_default() += 1;
    }
    assert_eq!(installs.len(), NODES, "{installs:?}");
    for (node, _) in installs.iter().filter(|(_, times)| **times != 1) {
        let lines: Vec<String> =
            log.iter().filter(|line| line["node"] == **node).map(|line| format!("{line}\n")).collect();
        let story = rackwright(&["logs", "--design", lab.design(), "--node", node]).stdout;
        panic!("{node} was installed again:\n{story}\n{}", lines.concat());
    }
}

fn nothing_is_running(lab: &Lab) {
    for table in [
        "SELECT state FROM step_run WHERE state IN ('running', 'in-doubt')",
        "SELECT state FROM attempt WHERE state NOT IN ('succeeded', 'failed')",
        "SELECT state FROM run WHERE state <> 'succeeded'",
        "SELECT outcome FROM step_record WHERE outcome <> '{\"is\":\"done\"}'",
    ] {
        let left = query(lab, table);
        assert!(left.is_empty(), "{table} finds {} rows", left.len());
    }
}

fn query(lab: &Lab, sql: &'static str) -> Vec<sqlx::sqlite::SqliteRow> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(lab.store()).read_only(true);
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query(sql).fetch_all(&mut connection).await.unwrap()
    })
}

/// The seed named in the environment, or one from the system.
fn seed() -> u64 {
    match std::env::var("RACKWRIGHT_KILL_SEED") {
        Ok(text) => text.parse().expect("RACKWRIGHT_KILL_SEED is a number"),
        Err(_) => {
            let mut bytes = [0; 8];
            getrandom::fill(&mut bytes).unwrap();
            u64::from_le_bytes(bytes) % 1_000_000
        }
    }
}

/// A small generator (Marsaglia's xorshift64), so that a seed draws the same moments everywhere.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.max(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
