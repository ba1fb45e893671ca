//! Work orders: a task alone or a blueprint, run once on the nodes that a selector chooses, with parameters that are
//! checked before anything begins and outputs that feed later steps.

mod common;

use common::{Lab, Output, RackProcess, mutating, rackwright};

const DESIGN: &str = r#"
task "measure" script="measure.rhai" {
    doc "Look at the machine and leave what was seen."
    allow "bmc" "output" "log"
    param "unit" type="enum" default="GiB" { one-of "GiB" "MiB" }
    output "memory" doc="how much it has"
    output "power"
}
task "judge" script="judge.rhai" {
    doc "Say what was measured, against what was asked for."
    allow "log"
    param "memory" type="int" required=#true
    param "least" type="int" least=1 most=4096 default=8
    param "within" type="duration" default="5m"
    param "who" pattern="[a-z]+"
}
blueprint "inspect" {
    doc "Measure, then judge."
    param "least" type="int" required=#true
    step "judge" task="judge" after="measure" { param "memory" (ref)"step.measure.memory" }
    step "measure" task="measure"
}
task "reset" script="reset.rhai" { doc "Switch it off and on."; hazard "reboot"; allow "bmc" }
"#;
const MEASURE: &str = r#"
fn apply(node, params) {
    let seen = bmc::inventory(node);
    output::set("memory", seen.memory_gib);
    output::set("power", bmc::power(node));
    log::info(`measured in ${params.unit}`);
}
"#;
const JUDGE: &str = r#"
fn apply(node, params) {
    log::info(`${params.memory} of ${params.least} within ${params.within}`);
    if params.memory < params.least { throw `${node.name} has too little memory`; }
}
"#;

fn lab() -> (Lab, RackProcess) {
    let lab = Lab::small(3);
    lab.append("nodes.kdl", DESIGN);
    lab.write("scripts/measure.rhai", MEASURE);
    lab.write("scripts/judge.rhai", JUDGE);
    lab.write("scripts/reset.rhai", "fn apply(node) { bmc::power_off(node); bmc::power_on(node); }");
    let rack = RackProcess::start(&lab);
    (lab, rack)
}

fn run(lab: &Lab, rack: &RackProcess, words: &[&str]) -> Output {
    let place = ["--design", lab.design(), "--rack", rack.file(), "--yes"];
    rackwright(&[&["run"], words, &place].concat())
}

fn apply(lab: &Lab, rack: &RackProcess) -> Output {
    rackwright(&["apply", lab.design(), "--rack", rack.file(), "--yes"])
}

fn logs(lab: &Lab) -> String {
    rackwright(&["logs", "--design", lab.design()]).exits(0).stdout
}

#[test]
fn a_blueprint_runs_once_and_its_outputs_feed_its_later_steps() {
    let (lab, rack) = lab();
    run(&lab, &rack, &["blueprint", "inspect", "--on", "lab-n0[12]", "-p", "least=16"])
        .exits(0)
        .says("2 to run");
    let said = logs(&lab);
    for node in ["lab-n01", "lab-n02"] {
        assert!(said.contains(&format!("{node} measure: info: measured in GiB")), "{said}");
        assert!(said.contains(&format!("{node} judge: info: 64 of 16 within 5m")), "{said}");
    }
    assert!(!said.contains("lab-n03"), "{said}");
    assert!(mutating(&rack.log()).is_empty());

    // The same again runs again, and what fails is told and not retried by the next apply.
    run(&lab, &rack, &["blueprint", "inspect", "--on", "lab-n01", "-p", "least=4096"])
        .exits(4)
        .says("lab-n01 has too little memory at scripts/judge.rhai:4:39");
    apply(&lab, &rack).exits(0);
    apply(&lab, &rack).exits(0).says("Nothing has to change");
    run(&lab, &rack, &["blueprint", "inspect", "--on", "lab-n01", "-p", "least=2"]).exits(0);
    assert!(logs(&lab).contains("64 of 2 within 5m"));
    apply(&lab, &rack).exits(0).says("Nothing has to change");
    rackwright(&["replay", "--design", lab.design()]).exits(0).says("output.set(\"memory\", 64)");
}

#[test]
fn a_task_alone_takes_its_own_parameters_and_wrong_ones_are_refused_before_anything_begins() {
    let (lab, rack) = lab();
    let judge = |params: &[&str]| {
        let params: Vec<&str> = params.iter().flat_map(|param| ["-p", *param]).collect();
        run(&lab, &rack, &[&["task", "judge", "--on", "lab-n01"], &params[..]].concat())
    };
    judge(&["memory=4", "least=2", "within=90s", "who=ops"]).exits(0);
    assert!(logs(&lab).contains("4 of 2 within 90s"));
    let runs = rackwright(&["runs", lab.design(), "--json"]).exits(0).stdout;
    for (params, message) in [
        (&["least=2"][..], "`judge` wants the parameter `memory`"),
        (&["memory=much"], "the parameter `memory` must be of type int"),
        (&["memory=4", "least=5000"], "the parameter `least` must be of type int, from 1 to 4096"),
        (&["memory=4", "within=soon"], "the parameter `within` must be a duration such as \"10m\""),
        (&["memory=4", "who=Nobody1"], "the parameter `who` must be of type string, matching `[a-z]+`"),
        (&["memory=4", "leest=2"], "did you mean `least`?"),
        (&["memory"], "write -p NAME=VALUE"),
    ] {
        judge(params).exits(64).says(message);
    }
    run(&lab, &rack, &["task", "jugde", "--on", "lab-n01"]).exits(64).says("did you mean `judge`?");
    run(&lab, &rack, &["task", "judge", "--on", "nobody", "-p", "memory=1"]).exits(64);
    assert_eq!(rackwright(&["runs", lab.design(), "--json"]).exits(0).stdout, runs, "something began");
}

#[test]
fn a_hazard_of_a_work_order_wants_its_approval() {
    let (lab, rack) = lab();
    apply(&lab, &rack).exits(0);
    let before = rack.mutations();
    run(&lab, &rack, &["task", "reset", "--on", "lab-n02"]).exits(6).says("--approve reboot");
    assert_eq!(rack.mutations(), before);
    run(&lab, &rack, &["task", "reset", "--on", "lab-n02", "--approve", "reboot"]).exits(0);
    assert_eq!(rack.mutations(), before + 2);
    lab.edit(
        "nodes.kdl",
        "profile \"compute\" extends=\"base\" {",
        "profile \"compute\" extends=\"base\" {\n    protect #true",
    );
    run(&lab, &rack, &["task", "reset", "--on", "lab-n02", "--approve", "reboot"]).exits(0);
}
