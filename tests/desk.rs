//! Tasks at a desk, through the binary: `task test` answers the effects of scripts from what their tests expect, and
//! `task check` reads scripts without running them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Lab, rackwright};
use serde_json::{Value, json};

/// A task of the lab's own that switches machines on, with a test.
const WAKE: &str = r#"fn apply(node) {
    if bmc::power(node) == "off" {
        bmc::power_on(node);
    }
}

fn test_a_machine_that_is_off_is_switched_on(world) {
    world.expects("bmc::power").gives("off");
    world.expects("bmc::power_on");
    world.apply();
}

fn test_a_machine_that_is_on_is_left_alone(world) {
    world.expects("bmc::power").gives("on");
    world.apply();
}
"#;

fn with_wake(script: &str) -> Lab {
    let lab = Lab::small(1);
    lab.write("scripts/wake.rhai", script);
    lab.append("site.kdl", r#"task "wake" script="wake.rhai" { doc "Wake a machine."; allow "bmc" }"#);
    lab.append("site.kdl", r#"task "wake-up" script="wake.rhai" { doc "The same."; allow "bmc" }"#);
    lab
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

#[test]
fn every_task_of_the_library_has_tests_and_they_pass() {
    let lab = Lab::small(1);
    let before = lab.fingerprint();
    let tested = rackwright(&["task", "test", lab.design(), "--json"]).exits(0).json();
    assert_eq!(lab.fingerprint(), before, "a test wrote something");
    let tests = list(&tested["tests"]);
    assert_eq!(tested["summary"], json!({ "passed": tests.len(), "failed": 0 }));
    let tasks: std::collections::BTreeSet<String> =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/stdlib/tasks.kdl"))
            .unwrap()
            .lines()
            .filter_map(|line| Some(line.strip_prefix("task \"")?.split_once('"')?.0.to_string()))
            .collect();
    assert!(tasks.len() >= 6);
    for task in &tasks {
        assert!(tests.iter().any(|test| test["task"] == **task), "{task} has no test");
    }
}

#[test]
fn every_task_of_the_example_designs_has_tests_and_they_pass() {
    let lab = Lab::of("campus");
    let tested = rackwright(&["task", "test", lab.design(), "--json"]).exits(0).json();
    for script in std::fs::read_dir(lab.path().join("scripts")).unwrap() {
        let file = format!("scripts/{}", script.unwrap().file_name().to_string_lossy());
        let has = |test: &&Value| test["file"] == *file;
        assert!(list(&tested["tests"]).iter().any(|test| has(&test)), "{file} has no test");
    }
}

#[test]
fn a_script_that_two_tasks_share_is_tested_once() {
    let lab = with_wake(WAKE);
    let tested = rackwright(&["task", "test", lab.design(), "wake-up", "wake", "--json"]).exits(0).json();
    assert_eq!(tested["summary"], json!({ "passed": 2, "failed": 0 }));
    rackwright(&["task", "test", lab.design(), "wake"]).exits(0).says("2 tests passed.");
}

#[test]
fn a_broken_task_fails_with_its_line_and_that_of_its_test() {
    let lab = with_wake(&WAKE.replace("bmc::power_on(node);", "bmc::power_off(node);"));
    let tested = rackwright(&["task", "test", lab.design(), "wake", "--json"]).exits(4).json();
    assert_eq!(tested["format"], 1);
    assert_eq!(tested["summary"], json!({ "passed": 1, "failed": 1 }));
    assert_eq!(
        tested["tests"][0],
        json!({
            "task": "wake",
            "file": "scripts/wake.rhai",
            "name": "test_a_machine_that_is_off_is_switched_on",
            "passed": false,
            "failure": {
                "message": "the script asks for another effect than the test expects",
                "at": "scripts/wake.rhai:9:11",
                "script": ["scripts/wake.rhai:3:14"],
                "expected": "bmc::power_on(node)",
                "came": "bmc::power_off(node)",
                "differences": [],
            },
        })
    );
    assert_eq!(tested["tests"][1]["passed"], true);
    rackwright(&["task", "test", lab.design(), "wake"])
        .exits(4)
        .says("FAILED  test_a_machine_that_is_off_is_switched_on")
        .says("expected bmc::power_on(node)")
        .says("came     bmc::power_off(node)")
        .says("in the test: scripts/wake.rhai:9:11")
        .says("world.expects(\"bmc::power_on\");")
        .says("in the script: scripts/wake.rhai:3:14")
        .says("        bmc::power_off(node);\n                 ^^^^^^^^^")
        .says("1 test failed, 1 passed.");
}

#[test]
fn what_cannot_be_tested_has_its_exit_code() {
    let lab = with_wake("fn apply(node) { bmc::power_on(node }");
    rackwright(&["task", "test", lab.design()]).exits(3).says("scripts/wake.rhai:1:37");
    let lab = with_wake(WAKE);
    rackwright(&["task", "test", lab.design(), "wakee"]).exits(64).says("did you mean `wake`?");
}

#[test]
fn a_test_cannot_hang_and_its_functions_change_no_run() {
    let lab = with_wake(&format!("{WAKE}\nfn test_forever(world) {{ loop {{ }} }}\n"));
    rackwright(&["task", "test", lab.design(), "wake"]).exits(4).says("the test computes for too long");
    rackwright(&["apply", lab.design(), "--virtual", "--yes", "--until", "verify"]).exits(0);
}

#[test]
fn what_comes_with_rackwright_has_nothing_to_say_to() {
    for name in ["lab", "campus"] {
        let lab = Lab::of(name);
        rackwright(&["task", "check", lab.design(), "--strict"]).exits(0).says("Nothing is wrong with");
    }
}

#[test]
fn a_script_is_checked_without_being_run() {
    let lab = with_wake(
        "fn observe(node) {\n    bmc::power_on(node);\n    #{ power: powr(node) }\n}\nfn apply(node) { node.spec.rack; }\n",
    );
    lab.append("site.kdl", r#"task "idle" script="std/power" { allow "log" }"#);
    lab.edit("site.kdl", "std/power", "idle.rhai");
    lab.write("scripts/idle.rhai", "fn apply(node) { }");
    let found = rackwright(&["task", "check", lab.design(), "wake", "--json"]).exits(3).json();
    let codes: Vec<&str> = list(&found["findings"]).iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["RW0094", "RW0091", "RW0093", "RW0093"]);
    assert_eq!(found["findings"][1]["line"], 3);
    // A warning fails only when it is asked to; what is said of other tasks is not shown.
    rackwright(&["task", "check", lab.design(), "idle"]).exits(0).says("RW0092");
    rackwright(&["task", "check", lab.design(), "idle", "--strict"]).exits(3);
    rackwright(&["task", "check", lab.design(), "std/bios"]).exits(0).says("Nothing is wrong with 1 task.");
    rackwright(&["task", "check", lab.design(), "std/bois"]).exits(64).says("did you mean `std/bios`?");
    // The same is found by `validate`.
    rackwright(&["validate", lab.design()]).exits(3).says("RW0091").says("RW0093").says("RW0094");
}

#[test]
fn the_reference_is_printed_in_each_of_its_forms() {
    rackwright(&["task", "docs"]).exits(0).says("task std/bios").says("effect bmc::power(node)");
    rackwright(&["task", "docs", "std/power"]).exits(0).says("reboot when it is to become \"off\"");
    let effects = rackwright(&["task", "docs", "--effects", "--json"]).exits(0).json();
    assert!(list(&effects["tasks"]).is_empty() && list(&effects["modules"]).len() >= 5);
    let lab = with_wake(WAKE);
    let own = rackwright(&["task", "docs", lab.design(), "--json"]).exits(0).json();
    assert_eq!(
        (&own["tasks"][0]["name"], &own["tasks"][0]["script"]),
        (&json!("wake"), &json!("scripts/wake.rhai"))
    );
    rackwright(&["task", "docs", lab.design(), "wakee"]).exits(64);
    let folder = lab.beside("definitions");
    let said = rackwright(&["task", "docs", "--definitions", folder.to_str().unwrap()]).exits(0);
    assert_eq!(said.stdout.lines().count(), std::fs::read_dir(&folder).unwrap().count());
    let log = std::fs::read_to_string(folder.join("log.d.rhai")).unwrap();
    assert!(log.starts_with("module log;\n") && log.contains("\nfn info(text: String) -> ();\n"), "{log}");
}
