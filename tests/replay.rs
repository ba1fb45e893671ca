//! `replay` evaluates a run again from its journal, with no rack anywhere: the same end, the same error, the same line.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Lab, RackProcess, rackwright};
use serde_json::Value;

/// A step that looks, writes, and then fails two calls deep.
const PICKY: &str = r#"
fn apply(node) {
    let power = bmc::power(node);
    bmc::set_boot_override(node, "disk", "once");
    try { wait::powered_off(node, "200ms"); } catch (error) { log::warn(error.message); }
    judge(power);
}

fn judge(power) {
    if power == "on" { throw `a machine that is ${power} is not wanted here`; }
}
"#;
const DESIGN: &str = r#"
task "picky" script="picky.rhai" { doc "Fail late."; allow "bmc" "wait" "log" }
blueprint "picky" {
    step "power" task="std/power" phase="prepare"
    step "picky" task="picky" phase="configure" after="power"
}
"#;

fn picky() -> (Lab, RackProcess) {
    let lab = Lab::small(2);
    lab.write("scripts/picky.rhai", PICKY);
    lab.append("nodes.kdl", DESIGN);
    let hardware = "hardware \"virtual-1u\"\n";
    lab.edit("nodes.kdl", hardware, &format!("{hardware}    lifecycle \"picky\"\n"));
    let rack = RackProcess::start(&lab);
    (lab, rack)
}

fn attempt<'a>(replayed: &'a Value, node: &str, step: &str) -> &'a Value {
    let attempts = replayed["attempts"].as_array().unwrap();
    attempts.iter().find(|one| one["node"] == node && one["step"] == step).unwrap()
}

#[test]
fn a_failed_run_fails_again_at_the_same_line_without_its_rack() {
    let (lab, rack) = picky();
    let said = rackwright(&["apply", lab.design(), "--rack", rack.file(), "--yes"]).exits(4);
    let error = "a machine that is on is not wanted here at scripts/picky.rhai:10:24, called from scripts/picky.rhai:6:5";
    assert!(said.stderr.contains(error), "{}", said.stderr);
    drop(rack);

    let files = lab.fingerprint();
    let replay = |more: &[&str]| rackwright(&[&["replay", "--design", lab.design()], more].concat());
    let replayed = replay(&["--json"]).exits(0).json();
    assert_eq!(replayed["attempts"].as_array().unwrap().len(), 4, "{replayed:#}");
    for node in ["lab-n01", "lab-n02"] {
        let picky = attempt(&replayed, node, "picky");
        assert_eq!(picky["end"]["why"], error);
        assert_eq!(picky["error"], error);
        let effects = picky["effects"].as_array().unwrap();
        let told: Vec<(&str, &str)> = effects
            .iter()
            .map(|one| (one["effect"].as_str().unwrap(), one["at"].as_str().unwrap()))
            .collect();
        assert_eq!(
            told,
            [
                ("bmc.power", "scripts/picky.rhai:3:22"),
                ("bmc.set_boot_override", "scripts/picky.rhai:4:10"),
                ("wait.powered_off", "scripts/picky.rhai:5:17"),
                ("log.warn", "scripts/picky.rhai:5:68"),
            ]
        );
        assert_eq!(effects[0]["answer"], "on");
        assert_eq!(effects[1]["wrote"], true);
        assert!(
            effects[2]["failure"].as_str().unwrap().starts_with("not off within 200ms"),
            "{}",
            effects[2]
        );
        assert_eq!(attempt(&replayed, node, "power")["end"]["is"], "returned");
    }
    replay(&["--node", "lab-n02", "--step", "picky"])
        .exits(0)
        .says("as it did then")
        .says("1 attempt replayed, all as they were.");

    // Today's script is another one: the run keeps its own, and with today's it would have ended otherwise.
    lab.edit("scripts/picky.rhai", "power == \"on\"", "power == \"melting\"");
    replay(&["--node", "lab-n01", "--step", "picky"])
        .exits(0)
        .says("its script has changed since")
        .says(error);
    replay(&["--node", "lab-n01", "--step", "picky", "--edited"])
        .exits(4)
        .says("the script returns")
        .says("OTHERWISE THAN THEN");
    lab.edit("scripts/picky.rhai", "\"disk\", \"once\"", "\"cd\", \"once\"");
    replay(&["--node", "lab-n01", "--step", "picky", "--edited"]).exits(4).says(
        "the script goes another way than its journal: effect 1 of the journal is `bmc.set_boot_override",
    );
    // A design that cannot be read is no hindrance.
    lab.write("nodes.kdl", "oops {");
    replay(&["--step", "picky"]).exits(0).says("The design cannot be read").says(error);
    assert_eq!(
        lab.fingerprint().keys().collect::<Vec<_>>(),
        files.keys().collect::<Vec<_>>(),
        "a replay made a file"
    );
    replay(&["--node", "lab-n09"]).exits(64).says("has no attempt of that node and step");
}

#[test]
fn a_whole_bring_up_is_replayed_as_it_was() {
    let lab = Lab::small(2);
    rackwright(&["apply", lab.design(), "--virtual", "--yes"]).exits(0);
    let replayed = rackwright(&["replay", "--design", lab.design(), "--virtual", "--json"]).exits(0).json();
    let attempts = replayed["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 8);
    assert!(attempts.iter().all(|one| one["agrees"] == true && one["script"] == "same"), "{replayed:#}");
    let install = attempt(&replayed, "lab-n01", "install");
    assert_eq!(install["end"]["is"], "returned");
    assert_eq!(install["effects"].as_array().unwrap().len(), 8);
    // It was on already when its turn came.
    assert_eq!(attempt(&replayed, "lab-n01", "power")["end"]["is"], "not-called");
}
