//! No more nodes are down at once than the budget says, from one run to the next.

#![expect(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use common::{Lab, Output, RackProcess, rackwright};
use std::collections::BTreeSet;

const TASKS: &str = r#"
task "maintain" script="maintain.rhai" { doc "Maintain it."; hazard "reboot"; allow "log"; param "level" type="int" default=1 }
blueprint "maintained" {
    step "verify" task="std/verify" phase="verify"
    step "install" task="std/install" phase="deploy" after="verify"
    step "power" task="std/power" phase="configure" after="install"
    step "maintain" task="maintain" phase="configure" after="power" { param "level" 1 }
}
"#;
const MAINTAIN: &str =
    "fn apply(node, params) { log::info(\"begins\"); if params.level == 2 { throw \"it broke\"; } }";

fn apply(lab: &Lab, rack: &RackProcess) -> Output {
    rackwright(&["apply", lab.design(), "--rack", rack.file(), "--yes", "--approve", "reboot"])
}

/// The nodes that the last run has begun to maintain.
fn begun(lab: &Lab) -> BTreeSet<String> {
    let said = rackwright(&["logs", "--design", lab.design(), "--step", "maintain"]).exits(0).stdout;
    let begins = said.lines().filter(|line| line.ends_with("info: begins"));
    begins.map(|line| line.split_whitespace().nth(1).unwrap().to_string()).collect()
}

#[test]
fn a_node_that_is_down_holds_its_place_in_the_runs_after_it() {
    let lab = Lab::small(3);
    lab.append("nodes.kdl", TASKS);
    lab.write("scripts/maintain.rhai", MAINTAIN);
    lab.edit("nodes.kdl", "profile \"base\" {", "profile \"base\" {\n    lifecycle \"maintained\"");
    let rack = RackProcess::start(&lab);
    rackwright(&["apply", lab.design(), "--rack", rack.file(), "--yes"]).exits(0);

    // One of three at a time: the first that breaks keeps the others up.
    lab.edit("nodes.kdl", "param \"level\" 1", "param \"level\" 2");
    apply(&lab, &rack).exits(4).says("1 failed").says("2 waiting");
    let first = begun(&lab);
    assert_eq!(first.len(), 1, "{first:?}");
    for _ in 0..2 {
        apply(&lab, &rack).exits(4).says("failed nodes use up the budget");
        assert_eq!(begun(&lab), first, "another one was taken down");
    }

    // Once it is mended the others take their turns.
    lab.edit("nodes.kdl", "param \"level\" 2", "param \"level\" 3");
    apply(&lab, &rack).exits(4);
    apply(&lab, &rack).exits(0);
    apply(&lab, &rack).exits(0).says("Nothing has to change");
}
