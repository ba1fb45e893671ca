//! A controller that is killed at any moment goes on when it is started again, and does nothing twice.
//!
//! The rack runs in its own process. `apply --rack` is killed with SIGKILL once the rack has seen a
//! number of things happen (drawn from a printed seed; `RACKWRIGHT_KILL_SEED` draws the same again), and started again. What
//! counts is in two places that the killed process cannot falsify: the journal and the rack's own log.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something is wrong")]

mod common;

use common::witness::{self, query};
use common::{COMMAND_LIMIT, Lab, RackProcess, command, rackwright, until};
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

    witness::nothing_twice(&lab, &rack);
    witness::installed_once(&lab, &rack.log(), NODES);
    witness::nothing_is_running(&lab);
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
