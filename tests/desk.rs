//! Tasks at a desk, through the binary: `task test` answers the effects of scripts from what their tests expect, and
//! `task check` reads scripts without running them, `task console` evaluates what is typed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Lab, Output, RackProcess, mutating, program, rackwright};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

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

/// What a console says to these lines.
fn typed(lab: &Lab, place: &str, text: &str) -> Output {
    let file = lab.beside("typed.rhai");
    std::fs::write(&file, text).unwrap();
    let line = format!(
        "exec '{}' task console '{}' --node lab-n01 {place} < '{}'",
        env!("CARGO_BIN_EXE_rackwright"),
        lab.design(),
        file.display()
    );
    program("/bin/sh", &["-c", &line])
}

#[test]
fn a_console_acts_on_the_virtual_rack_and_keeps_its_variables() {
    let lab = Lab::small(1);
    let said = typed(
        &lab,
        "--virtual",
        "let before = bmc::power(node);\nbmc::power_on(node);\nwait::powered_on(node, \"1m\");\n\
         fn both(a, b) {\n    [a, b]\n}\nboth(before, bmc::power(node))\nlog::info(`it is ${node.name}`);\n\
         node.spec.hardware.vendor\nimport \"std/power\" as power;\npower::observe(node)\n",
    )
    .exits(0);
    assert_eq!(said.stdout, "[\"off\", \"on\"]\n\"Rackwright\"\n#{power: \"on\"}\n", "{}", said.stderr);
    assert_eq!(said.stderr.matches("no run records it").count(), 1, "{}", said.stderr);
    assert!(
        said.stderr.contains("ensure bmc::power_on(node)") && said.stderr.contains("info: it is lab-n01")
    );
    let on = |line: &serde_json::Value| line["body"]["ResetType"] == "On";
    assert_eq!(mutating(&lab.virtual_log()).iter().filter(|line| on(line)).count(), 1);
    // Nothing is recorded of it, and nothing is left to resume.
    let runs = rackwright(&[
        "runs",
        lab.design(),
        "--store",
        &format!("sqlite:{}", lab.virtual_store().display()),
        "--json",
    ]);
    assert_eq!(runs.exits(0).json()["runs"], json!([]));
}

#[test]
fn what_fails_at_a_console_has_its_place_and_ends_nothing() {
    let lab = Lab::small(1);
    typed(&lab, "--virtual", "let x = 1;\nbmc::powr(node)\nx +\npxe::ticket(node);\nfn open() {\n")
        .exits(4)
        .says("at console:1:6")
        .says("    bmc::powr(node)\n         ^^^^");
    let statements = "let x = 1;\nx + nothing\nx\npxe::ticket(node)\npxe::agent_ticket(node)\n";
    let said = typed(&lab, "--virtual --json", statements).exits(4);
    let lines = said.events();
    assert_eq!((&lines[0], &lines[2]), (&json!({ "value": null }), &json!({ "value": "1" })));
    assert_eq!(lines[1]["at"], json!(["console:1:5"]));
    for line in &lines[3..5] {
        assert!(line["error"].as_str().unwrap().contains("only while an attempt is under way"), "{lines:?}");
    }
}

#[test]
fn a_console_holds_the_site_and_takes_no_real_machines() {
    let lab = Lab::small(1);
    typed(&lab, "", "1").exits(64).says("takes no real machines").says("--virtual");
    rackwright(&["task", "console", lab.design(), "--node", "lab-n1", "--virtual"]).exits(64).says("lab-n01");
    let rack = RackProcess::start(&lab);
    let place = ["--rack", rack.file()];
    let mut console = Console::start(&lab, &place);
    console.type_in("bmc::power(node)\n");
    console.shows("\"off\"");
    // It answers, so it holds the site.
    rackwright(&[&["apply", lab.design(), "--yes"], &place[..]].concat()).exits(7);
    rackwright(&[&["task", "console", lab.design(), "--node", "lab-n01"], &place[..]].concat()).exits(7);
    assert_eq!(console.ends(), Some(0));
    assert_eq!(rack.mutations(), 0);
}

#[test]
fn an_interrupt_ends_the_statement_and_not_the_console() {
    let lab = Lab::small(1);
    let mut console = Console::start(&lab, &["--virtual"]);
    console.type_in("let x = 1;\nx = 2; wait::time(\"1h\");\n");
    console.shows("wait   wait::time(\"1h\")");
    console.interrupt();
    console.shows("The statement is ended");
    console.type_in("x + 10\n");
    console.shows("11");
    // A statement failed, and nobody sat at a terminal.
    assert_eq!(console.ends(), Some(4));
}

/// A console that is typed at line by line.
struct Console {
    child: Child,
    input: Option<ChildStdin>,
    /// Lines of both streams.
    lines: Receiver<String>,
}

impl Console {
    fn start(lab: &Lab, place: &[&str]) -> Console {
        let args = [&["task", "console", lab.design(), "--node", "lab-n01"], place].concat();
        let mut child = common::command(&[], &args).stdin(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        send_lines(child.stdout.take().unwrap(), sender.clone());
        send_lines(child.stderr.take().unwrap(), sender);
        Console { input: child.stdin.take(), child, lines }
    }

    fn type_in(&mut self, text: &str) {
        self.input.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Waits for a line with this text.
    #[track_caller]
    fn shows(&self, text: &str) {
        let mut seen = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(common::COMMAND_LIMIT) {
            if line.contains(text) {
                return;
            }
            seen.push(line);
        }
        panic!("`{text}` is not shown: {seen:?}");
    }

    fn interrupt(&self) {
        let id = self.child.id().to_string();
        assert!(std::process::Command::new("/bin/kill").args(["-INT", &id]).status().unwrap().success());
    }

    /// Closes its input; the exit code.
    fn ends(mut self) -> Option<i32> {
        drop(self.input.take());
        let ended = common::until(common::COMMAND_LIMIT, || self.child.try_wait().unwrap());
        ended.and_then(|status| status.code())
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn send_lines(stream: impl Read + Send + 'static, sender: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
}
