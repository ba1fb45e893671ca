//! Logs that can be followed, and old runs that are let go: what a node's record, its disk and its next plan need stays.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{COMMAND_LIMIT, Lab, RackProcess, Running, rackwright, until};
use serde_json::Value;
use std::time::Duration;

fn apply(lab: &Lab, rack: &RackProcess, more: &[&str]) {
    rackwright(&[&["apply", lab.design(), "--rack", rack.file(), "--yes"], more].concat()).exits(0);
}

fn runs(lab: &Lab) -> Vec<Value> {
    rackwright(&["runs", lab.design(), "--json"]).exits(0).json()["runs"].as_array().unwrap().clone()
}

fn prune(lab: &Lab, more: &[&str]) -> Value {
    rackwright(&[&["store", "prune", lab.design(), "--json"], more].concat()).exits(0).json()["pruned"]
        .clone()
}

#[test]
fn old_runs_go_and_what_is_needed_of_them_stays() {
    let lab = Lab::small(2);
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &[]);
    for profile in ["PowerSaver", "PerfOptimized", "PowerSaver"] {
        let other = if profile == "PowerSaver" { "PerfOptimized" } else { "PowerSaver" };
        lab.edit("nodes.kdl", &format!("SysProfile \"{other}\""), &format!("SysProfile \"{profile}\""));
        apply(&lab, &rack, &["--approve", "reboot"]);
    }
    assert_eq!(runs(&lab).len(), 4);
    let first = runs(&lab)[3]["run"].as_str().unwrap().to_string();
    // Young runs stay, and so do the newest ones; a dry run changes nothing.
    assert_eq!(prune(&lab, &[])["runs"], 0);
    assert_eq!(prune(&lab, &["--older-than", "0s"])["runs"], 0);
    let would = prune(&lab, &["--older-than", "0s", "--keep", "1", "--dry-run"]);
    assert_eq!((would["runs"].as_i64(), runs(&lab).len()), (Some(3), 4));
    assert_eq!(prune(&lab, &["--older-than", "0s", "--keep", "1"]), would);
    assert_eq!(runs(&lab).len(), 1);
    rackwright(&["logs", &first, "--design", lab.design()]).exits(64).says("there is no run");

    // What the machines hold is still known: nothing is to be done, and a reinstall is still a reinstall.
    apply(&lab, &rack, &[]);
    rackwright(&["plan", lab.design(), "--rack", rack.file(), "--refresh", "--exit-code"])
        .exits(0)
        .says("Nothing has to change");
    rackwright(&["replay", "--design", lab.design()]).exits(0);
    rackwright(&[
        "release",
        "lab-n02",
        "--design",
        lab.design(),
        "--rack",
        rack.file(),
        "--yes",
        "--approve",
        "reboot",
    ])
    .exits(0);
    prune(&lab, &["--older-than", "0s", "--keep", "0"]);
    apply(&lab, &rack, &["--approve", "data-loss"]);
}

#[test]
fn a_run_is_followed_to_its_end_and_nothing_is_said_twice() {
    let lab = Lab::small(2);
    let rack = RackProcess::start_with(lab.design(), &lab.beside("endpoints.json"), Some("7:slow=0.3"));
    let run = Running::start(&[], &["apply", lab.design(), "--rack", rack.file(), "--yes"]);
    let begun = || lab.store().exists() && rackwright(&["logs", "--design", lab.design()]).code == Some(0);
    assert!(until(COMMAND_LIMIT, || begun().then_some(())).is_some());
    let followed = rackwright(&["logs", "--design", lab.design(), "--follow", "--json"]).exits(0);
    run.wait(Duration::from_secs(60)).exits(0);
    let whole = rackwright(&["logs", "--design", lab.design(), "--json"]).exits(0);
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&followed.stdout), sorted(&whole.stdout));
    // In the middle of nothing there is nothing to wait for.
    rackwright(&["logs", "--design", lab.design(), "--follow", "--node", "lab-n01"])
        .exits(0)
        .says("lab-n01 install");
}
