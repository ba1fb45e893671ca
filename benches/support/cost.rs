//! The cost of one process.
//!
//! A command is measured by a process of its own: this program starts itself again as the wrapper,
//! so that the peak memory of one measurement is never that of another.

use nix::sys::resource::{UsageWho, getrusage};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// The cost of one whole process.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub cpu: f64,
    pub wall: f64,
    /// MiB at the peak.
    pub memory: f64,
}

/// First thing in `main`: ends the process when it was started as a wrapper.
pub fn run_if_wrapper() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some("--measure") {
        return;
    }
    let program = arguments.next().expect("a program to measure");
    let began = Instant::now();
    let status =
        Command::new(program).args(arguments).stdout(Stdio::null()).status().expect("the program starts");
    let wall = began.elapsed().as_secs_f64();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the cost of the child");
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let cpu = seconds(usage.user_time()) + seconds(usage.system_time());
    // Linux counts ru_maxrss in KiB.
    println!("{cpu} {wall} {} {}", usage.max_rss() as f64 / 1024.0, status.code().unwrap_or(-1));
    std::process::exit(0);
}

/// Runs the program with a cache folder and tells what it cost; any other exit code than `expected` ends the
/// benchmark.
pub fn measure(arguments: &[&str], expected: i32, cache: &Path) -> Cost {
    let own = std::env::current_exe().expect("this program");
    let output = Command::new(own)
        .arg("--measure")
        .arg(env!("CARGO_BIN_EXE_rackwright"))
        .args(arguments)
        .env_remove("RACKWRIGHT_STORE")
        .env("XDG_CACHE_HOME", cache)
        .stderr(Stdio::null())
        .output()
        .expect("the wrapper starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text.split_whitespace().map(|word| word.parse().expect("a number")).collect();
    let [cpu, wall, memory, code] = numbers[..] else { panic!("the wrapper printed {text:?}") };
    assert_eq!(code as i32, expected, "rackwright {arguments:?}");
    Cost { cpu, wall, memory }
}

/// One row.
pub fn report(what: &str, nodes: usize, cost: Cost) {
    println!(
        "{what:<34} {nodes:>7} nodes  {:>8.3} CPU s  {:>8.3} s  {:>7.1} MiB",
        cost.cpu, cost.wall, cost.memory
    );
}
