//! A fleet brought from powered-off to deployed, rack included, in one process; then looked at again.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot measure has failed, and its numbers are what it prints"
)]

#[path = "support/cost.rs"]
mod cost;
#[path = "support/fleet.rs"]
mod pattern;
mod support;

use cost::{measure, report, run_if_wrapper};
use pattern::design;
use support::sizes;

fn main() {
    run_if_wrapper();
    for nodes in sizes(&[1_000]) {
        let folder = tempfile::tempdir().expect("a folder");
        design(folder.path(), nodes);
        let path = folder.path().to_str().expect("a path");
        report(
            "apply --virtual, from off",
            nodes,
            measure(&["apply", path, "--virtual", "--yes"], 0, folder.path()),
        );
        report(
            "apply --virtual, again",
            nodes,
            measure(&["apply", path, "--virtual", "--yes"], 0, folder.path()),
        );
        report(
            "plan --virtual, deployed",
            nodes,
            measure(&["plan", path, "--virtual", "--exit-code"], 0, folder.path()),
        );
    }
}
