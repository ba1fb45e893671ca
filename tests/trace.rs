//! `plan --trace` lists what `apply` then does: the witness is the rack's own log, and the journal beside it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Lab, RackProcess, installs, mutating, rackwright};
use serde_json::{Value, json};
use sqlx::{Connection, Row};
use std::collections::BTreeMap;

/// What a node's BMC is asked for, in order: method, path and body.
type Requests = BTreeMap<String, Vec<(String, String, Value)>>;

fn trace(lab: &Lab, rack: &RackProcess) -> Value {
    rackwright(&["plan", lab.design(), "--rack", rack.file(), "--trace", "--json"]).exits(0).json()
}

fn apply(lab: &Lab, rack: &RackProcess, more: &[&str]) {
    rackwright(&[&["apply", lab.design(), "--rack", rack.file(), "--yes"], more].concat()).exits(0);
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Every traced call with its node and step, in order.
fn calls(plan: &Value) -> Vec<(&str, &str, &Value)> {
    let mut calls = Vec::new();
    for node in list(&plan["nodes"]) {
        for step in list(&node["steps"]) {
            let names = (node["name"].as_str().unwrap(), step["step"].as_str().unwrap());
            calls.extend(list(&step["trace"]["calls"]).iter().map(|call| (names.0, names.1, call)));
        }
    }
    calls
}

fn request(line: &Value) -> (String, String, Value) {
    let text = |key: &str| line[key].as_str().unwrap().to_string();
    (text("method"), text("path"), line["body"].clone())
}

fn traced(plan: &Value) -> Requests {
    let mut requests = Requests::new();
    for (node, _, call) in calls(plan) {
        requests.entry(node.to_string()).or_default().extend(list(&call["requests"]).iter().map(request));
    }
    requests
}

/// What the rack saw since its log had `from` lines.
fn seen(rack: &RackProcess, from: usize) -> Requests {
    let mut requests = Requests::new();
    for line in mutating(&rack.log()[from..]) {
        let node = line["node"].as_str().unwrap().to_string();
        requests.entry(node).or_default().push(request(line));
    }
    requests
}

/// The writes and waits in the journal of the newest run: node, step, effect and where it stands in order.
fn journal(lab: &Lab) -> Vec<(String, String, String)> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(lab.store()).read_only(true);
    let sql = "SELECT a.node, a.step, e.name FROM effect e JOIN attempt a ON a.id = e.attempt
        WHERE e.kind <> 'read' AND a.run = (SELECT id FROM run ORDER BY started_at DESC LIMIT 1)
        ORDER BY a.node, a.id, e.sequence";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    })
}

/// Traces, applies, and holds the one against the other.
fn trace_equals_apply(lab: &Lab, rack: &RackProcess, approved: &[&str]) -> Value {
    let (files, lines) = (lab.fingerprint(), rack.log().len());
    let plan = trace(lab, rack);
    assert_eq!(lab.fingerprint(), files, "a trace wrote something");
    assert_eq!(rack.log().len(), lines, "a trace changed a machine");
    apply(lab, rack, approved);
    assert_eq!(traced(&plan), seen(rack, lines));
    let effects: Vec<_> = calls(&plan)
        .iter()
        .map(|(node, step, call)| {
            (node.to_string(), step.to_string(), call["effect"].as_str().unwrap().to_string())
        })
        .collect();
    assert_eq!(effects, journal(lab));
    for node in list(&plan["nodes"]) {
        for step in list(&node["steps"]) {
            let end = step["trace"]["end"]["is"].as_str().unwrap();
            assert!(["complete", "already-true"].contains(&end), "{step:#}");
        }
    }
    plan
}

#[test]
fn a_bring_up_is_what_its_trace_says() {
    let lab = Lab::new();
    let rack = RackProcess::start(&lab);
    let plan = trace_equals_apply(&lab, &rack, &[]);
    assert_eq!(traced(&plan).len(), 8);
    let log = rack.log();
    for (node, _, call) in calls(&plan).iter().filter(|(_, _, call)| call["effect"] == "pxe.ticket") {
        let install = installs(&log, Some(node))[0];
        assert_eq!(call["serves"]["name"], install["image"]);
        assert_eq!(call["serves"]["checksum"], install["checksum"]);
    }
    // Converged: there is nothing to trace.
    assert!(calls(&trace(&lab, &rack)).is_empty());
}

#[test]
fn drift_is_repaired_as_its_trace_says() {
    let lab = Lab::small(3);
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &[]);
    rack.patch("lab-n01", json!({ "bios": { "SysProfile": "PowerSaver" } }));
    rack.patch("lab-n02", json!({ "power": "Off" }));
    let plan = trace_equals_apply(&lab, &rack, &["--approve", "reboot"]);
    let requests = traced(&plan);
    assert_eq!(requests["lab-n01"].len(), 3, "{requests:#?}");
    assert_eq!(requests["lab-n02"].len(), 1, "{requests:#?}");
}

#[test]
fn switching_off_is_traced_softly_and_says_what_comes_when_that_fails() {
    let lab = Lab::small(1);
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &[]);
    lab.edit("nodes.kdl", "power \"on\"", "power \"off\"");
    let plan = trace_equals_apply(&lab, &rack, &["--approve", "reboot"]);
    let calls = calls(&plan);
    let wait = calls.iter().find(|(_, _, call)| call["effect"] == "wait.powered_off").unwrap().2;
    assert_eq!(wait["otherwise"], "log.warn");
    assert!(wait["at"].as_str().unwrap().starts_with("stdlib/power.rhai:"), "{wait}");
}

/// An install whose script decides by what the installed system says of itself.
const PICKY: &str = r#"
fn observe(node) { let seen = pxe::report(node); #{ image: #{ name: seen.image.name, checksum: seen.image.checksum } } }
fn apply(node) {
    bmc::power_off(node);
    bmc::set_boot_override(node, "pxe", "once");
    let ticket = pxe::ticket(node);
    bmc::power_on(node);
    let system = wait::booted(node, ticket, "5m");
    log::info(`it is ${system.boot_id}`);
    if system.image.name == "debian-12" {
        log::info("as wanted");
    }
}
"#;

#[test]
fn a_trace_ends_where_only_the_machine_can_answer() {
    let lab = Lab::small(1);
    lab.write("scripts/picky.rhai", PICKY);
    lab.append(
        "images.kdl",
        r#"task "std/install" script="picky.rhai" {
            doc "Install, and look closely."
            realizes "image.name" "image.checksum"; uses "image"
            hazard "reinstall"; scope "os"; allow "bmc" "pxe" "wait" "log"
        }"#,
    );
    let rack = RackProcess::start(&lab);
    let plan = trace(&lab, &rack);
    let steps = list(&plan["nodes"][0]["steps"]);
    let step = |name: &str| steps.iter().find(|step| step["step"] == name).unwrap();
    let install = &step("install")["trace"];
    let said = list(&install["calls"]).last().unwrap();
    assert_eq!(said["args"]["text"], "it is {wait.booted.boot_id}");
    assert_eq!(
        install["end"],
        json!({ "is": "depends", "on": "wait.booted.image.name", "at": "scripts/picky.rhai:10:26" })
    );
    assert_eq!(step("power")["trace"]["end"], json!({ "is": "untraced", "after": "install" }));
    rackwright(&["plan", lab.design(), "--rack", rack.file(), "--trace"])
        .exits(0)
        .says("what comes next depends on the answer of wait.booted.image.name (scripts/picky.rhai:10:")
        .says("cannot be known before step install is done");
}
