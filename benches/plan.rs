//! What `plan` costs at a thousand and at ten thousand nodes, as whole processes.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot measure has failed, and its numbers are what it prints"
)]

#[path = "support/cost.rs"]
mod cost;
#[path = "support/fleet.rs"]
mod fleet;
#[path = "support/growth.rs"]
mod growth;
mod support;

use cost::{measure, report, run_if_wrapper};
use fleet::design;
use growth::growth;
use support::sizes;

/// Runs of each size; the cheapest is reported, since everything else on the machine only adds.
const RUNS: usize = 3;

fn main() {
    run_if_wrapper();
    let mut rows = Vec::new();
    for nodes in sizes(&[1_000, 10_000]) {
        let folder = tempfile::tempdir().expect("a folder");
        design(folder.path(), nodes);
        let path = folder.path().to_str().expect("a path");
        let costs: Vec<_> = (0..RUNS).map(|_| measure(&["plan", path, "--json"], 0, folder.path())).collect();
        let best = costs.into_iter().min_by(|a, b| a.cpu.total_cmp(&b.cpu)).expect("a cost");
        report("plan, nothing on record", nodes, best);
        rows.push((nodes, best));
    }
    if let [(small, a), .., (large, b)] = rows[..] {
        println!("growth of CPU time: n^{:.2}", growth((small, large), (a.cpu, b.cpu)));
        println!("growth of memory:   n^{:.2}", growth((small, large), (a.memory, b.memory)));
    }
}
