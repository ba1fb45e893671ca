//! Switch ports from wiring to release, on a virtual rack whose switches speak RESTCONF: the witness is the rack's log.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Lab, Output, RackProcess, http, installs, mutating, rackwright};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The boot network is carried by no port in production: without the step before the install nothing would boot.
const WIRING: &str = r#"
network "prod" { cidr "10.21.0.0/20"; vlan 208 }
network "store" { cidr "10.22.0.0/20"; vlan 7 }
network "backup" { cidr "10.23.0.0/20"; vlan 9 }
link "prod" { trunk; allow "prod" "backup" }
link "store" { allow "store" }
switch "sw1" { uri "https://10.16.0.5"; driver "openconfig"; user "ops"; password (secret)"env:SWITCH" }
switch "sw2" { uri "https://10.16.0.6"; user "ops"; password (secret)"env:SWITCH" }
profile "wired" extends="compute" {
    lifecycle "wired"
    interface "nic1" link="prod" { network "prod" }
    interface "nic2" link="store" { network "store" }
}
blueprint "wired" {
    step "verify" task="std/verify" phase="verify"
    step "port-boot" task="std/port-boot" phase="prepare" after="verify"
    step "install" task="std/install" phase="deploy" after="port-boot"
    step "port-production" task="std/port-production" phase="deploy" after="install"
    step "power" task="std/power" phase="configure" after="port-production"
}
blueprint "std/release" {
    step "ports" task="std/port-shut" phase="release"
    step "retire" task="std/retire" phase="release" after="ports"
}
"#;

/// Every odd node is plugged into `sw1`, every even one into `sw2`.
fn wired(nodes: usize) -> Lab {
    let lab = Lab::small(nodes);
    lab.edit("site.kdl", "cidr \"10.20.0.0/21\"", "cidr \"10.20.0.0/21\"; vlan 20");
    let mut wiring = WIRING.to_string();
    for slot in 1..=nodes {
        let switch = if slot % 2 == 1 { "sw1" } else { "sw2" };
        wiring += &format!(
            "node \"lab-n{slot:02}\" {{ cable \"nic1\" switch=\"{switch}\" port=\"Ethernet1/{slot}\"; \
             cable \"nic2\" switch=\"{switch}\" port=\"Ethernet2/{slot}\" }}\n"
        );
    }
    lab.write("wiring.kdl", &wiring);
    lab.edit("nodes.kdl", "profile=\"compute\"", "profile=\"wired\"");
    lab
}

fn apply(lab: &Lab, rack: &RackProcess, more: &[&str]) -> Output {
    rackwright(&[&["apply", lab.design(), "--rack", rack.file(), "--yes"], more].concat())
}

fn refresh(lab: &Lab, rack: &RackProcess, more: &[&str]) -> Output {
    rackwright(&[&["plan", lab.design(), "--refresh", "--rack", rack.file()], more].concat())
}

fn switch(rack: &RackProcess, name: &str) -> Value {
    let answer = http("GET", &format!("{}/rack/switches/{name}", rack.control()), None);
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

fn port(rack: &RackProcess, name: &str, port: &str) -> Value {
    switch(rack, name)["ports"][port].clone()
}

/// Changes a switch behind everybody's back.
fn change(rack: &RackProcess, name: &str, change: Value) {
    let answer = http("PATCH", &format!("{}/rack/switches/{name}", rack.control()), Some(&change));
    assert_eq!(answer.status, 200, "{}", answer.body);
}

/// Settings that a request carries.
fn sent(line: &Value) -> (&str, Value, Value) {
    let entry = &line["body"]["openconfig-interfaces:interface"][0];
    let vlans = &entry["openconfig-if-ethernet:ethernet"]["openconfig-vlan:switched-vlan"]["config"];
    (line["method"].as_str().unwrap(), entry["config"]["enabled"].clone(), vlans.clone())
}

/// The writes to the port of one node.
fn writes<'a>(log: &'a [Value], port: &str) -> Vec<&'a Value> {
    let ends = format!("interface={}", port.replace('/', "%2F"));
    let of_port =
        |line: &&Value| line["switch"].is_string() && line["path"].as_str().unwrap().ends_with(&ends);
    mutating(log).into_iter().filter(of_port).collect()
}

/// The image has another content from now on.
fn newer_image(lab: &Lab) {
    let image = format!("{}\nnewer\n", lab.read("files/images/debian-12.img").lines().next().unwrap());
    lab.write("files/images/debian-12.img", &image);
    let checksum: String = Sha256::digest(&image).iter().map(|byte| format!("{byte:02x}")).collect();
    lab.edit("images.kdl", "3842152a13f65e1dec6ab5ed7d286cc3c2bc52b180b7aff88c7798302493e2e2", &checksum);
}

#[test]
fn a_machine_boots_in_the_boot_vlan_and_works_in_its_own() {
    let lab = wired(2);
    rackwright(&["apply", lab.design(), "--virtual", "--yes"]).exits(0).says("2 succeeded");
    let log = lab.virtual_log();
    let boot = json!({ "interface-mode": "ACCESS", "access-vlan": 20 });
    let production = json!({ "interface-mode": "TRUNK", "trunk-vlans": [9, 208] });
    let first = writes(&log, "Ethernet1/1");
    assert_eq!(first.len(), 2, "{first:#?}");
    assert_eq!(sent(first[0]), ("PATCH", Value::Null, boot), "the port was enabled already");
    assert_eq!(sent(first[1]), ("PATCH", Value::Null, production));
    assert_eq!((&first[0]["node"], &first[0]["switch"]), (&json!("lab-n01"), &json!("sw1")));
    assert_eq!(first[0]["status"], 204);
    assert!(first[0]["effect"].is_string());
    // The port at which it does not boot is shut until it is needed.
    let second = writes(&log, "Ethernet2/1");
    let store = json!({ "interface-mode": "ACCESS", "access-vlan": 7 });
    assert_eq!(sent(second[0]), ("PATCH", json!(false), Value::Null));
    assert_eq!(sent(second[1]), ("PATCH", json!(true), store));
    let at = |line: &Value| log.iter().position(|own| own == line).unwrap();
    let install = installs(&log, Some("lab-n01"))[0];
    assert!(at(first[0]) < at(install) && at(second[0]) < at(install), "{log:#?}");
    assert!(at(install) < at(first[1]) && at(install) < at(second[1]), "{log:#?}");

    rackwright(&["apply", lab.design(), "--virtual", "--yes"]).exits(0).says("Nothing has to change");
    assert_eq!(mutating(&lab.virtual_log()).len(), mutating(&log).len(), "the second apply wrote");
    let before = lab.fingerprint();
    rackwright(&["plan", lab.design(), "--virtual", "--refresh", "--exit-code"]).exits(0);
    assert_eq!(lab.fingerprint(), before, "a plan wrote something");
}

#[test]
fn drift_on_a_switch_is_shown_approved_and_repaired() {
    let lab = wired(2);
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &[]).exits(0);
    refresh(&lab, &rack, &["--exit-code"]).exits(0);
    let production = port(&rack, "sw1", "Ethernet1/1");
    assert_eq!((&production["mode"], &production["trunk-vlans"]), (&json!("TRUNK"), &json!([9, 208])));
    assert_eq!((&production["node"], &production["link"]), (&json!("lab-n01"), &json!(true)));

    let wrong = json!({ "trunk-vlans": [9, 208, 666], "description": "do not touch" });
    change(&rack, "sw1", json!({ "ports": { "Ethernet1/1": wrong } }));
    let before = rack.log().len();
    let planned = refresh(&lab, &rack, &["--exit-code", "--json"]).exits(2).json();
    assert_eq!(planned["nodes"].as_array().unwrap().len(), 1, "{planned:#}");
    let step = &planned["nodes"][0]["steps"][0];
    assert_eq!((&step["step"], &step["reason"]["kind"]), (&json!("port-production"), &json!("drift")));
    let shown = json!([{ "path": "ports.nic1.vlans", "before": [9, 208, 666], "after": [9, 208] }]);
    assert_eq!((&step["changes"], &step["hazard"]), (&shown, &json!("reboot")));
    apply(&lab, &rack, &[]).exits(6).says("--approve reboot");
    assert_eq!(rack.log().len(), before, "nothing was agreed to");

    apply(&lab, &rack, &["--approve", "reboot"]).exits(0);
    let repaired = port(&rack, "sw1", "Ethernet1/1");
    assert_eq!(repaired["trunk-vlans"], json!([9, 208]));
    assert_eq!(repaired["description"], "do not touch", "what is others' stays");
    // A VLAN can go from a trunk in one request only by replacing the port; also an untagged one.
    assert_eq!(mutating(&rack.log()[before..]).iter().map(|line| sent(line).0).collect::<Vec<_>>(), ["PUT"]);
    refresh(&lab, &rack, &["--exit-code"]).exits(0);
    change(&rack, "sw1", json!({ "ports": { "Ethernet1/1": { "native-vlan": 5 } } }));
    refresh(&lab, &rack, &["--exit-code"]).exits(2).says("ports.nic1.native-vlan: 5 → 0");
    apply(&lab, &rack, &["--approve", "reboot"]).exits(0);
    assert_eq!(port(&rack, "sw1", "Ethernet1/1")["native-vlan"], Value::Null);
    refresh(&lab, &rack, &["--exit-code"]).exits(0);
}

#[test]
fn a_reinstall_goes_through_the_boot_vlan_and_back() {
    let lab = wired(1);
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &[]).exits(0);
    let before = rack.log().len();
    newer_image(&lab);
    // Also without a look at the machine, the port is got ready for the new image.
    let planned = rackwright(&["plan", lab.design(), "--json"]).exits(0).json();
    let steps: Vec<&str> = planned["nodes"][0]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["step"].as_str().unwrap())
        .collect();
    assert_eq!(steps, ["port-boot", "install", "port-production"], "{planned:#}");
    assert_eq!(planned["drift"], json!([]), "the intent has moved, not the machine");
    apply(&lab, &rack, &["--approve", "reboot,reinstall,data-loss"]).exits(0);
    let log = rack.log();
    let again = writes(&log[before..], "Ethernet1/1");
    let modes: Vec<Value> = again.iter().map(|line| sent(line).2["interface-mode"].clone()).collect();
    assert_eq!(modes, ["ACCESS", "TRUNK"], "{again:#?}");
    refresh(&lab, &rack, &["--exit-code"]).exits(0);
}

#[test]
fn a_released_machine_has_no_network() {
    let lab = wired(2);
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &[]).exits(0);
    lab.edit("nodes.kdl", "slot=\"1..2\"", "slot=\"1..1\"");
    let text = lab.read("wiring.kdl");
    let kept: Vec<&str> = text.lines().filter(|line| !line.contains("lab-n02")).collect();
    lab.write("wiring.kdl", &kept.join("\n"));
    let release = ["release", "lab-n02", "--design", lab.design(), "--rack", rack.file(), "--yes"];
    rackwright(&[&release[..], &["--approve", "reboot"]].concat()).exits(0).says("lab-n02 is released");
    for name in ["Ethernet1/2", "Ethernet2/2"] {
        let shut = port(&rack, "sw2", name);
        assert_eq!((&shut["enabled"], &shut["link"]), (&json!(false), &json!(false)), "{name}");
    }
    assert_eq!(port(&rack, "sw1", "Ethernet1/1")["enabled"], true);
}

#[test]
fn a_switch_that_hangs_delays_its_own_nodes_and_names_itself() {
    let lab = wired(2);
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &[]).exits(0);
    change(&rack, "sw2", json!({ "responding": false }));
    change(&rack, "sw1", json!({ "ports": { "Ethernet1/1": { "enabled": false } } }));
    let planned = refresh(&lab, &rack, &["--json"]).exits(0).json();
    assert_eq!(planned["nodes"][0]["name"], "lab-n01", "{planned:#}");
    let unplanned = planned["unplanned"].as_array().unwrap();
    assert_eq!(unplanned.len(), 1, "{planned:#}");
    assert_eq!(unplanned[0]["node"], "lab-n02");
    assert!(unplanned[0]["why"].as_str().unwrap().contains("switch `sw2`"), "{planned:#}");
    let before = rack.log().len();
    apply(&lab, &rack, &["--approve", "reboot"]).exits(4).says("switch `sw2`");
    assert_eq!(port(&rack, "sw1", "Ethernet1/1")["enabled"], true);
    assert!(mutating(&rack.log()[before..]).iter().all(|line| line["node"] == "lab-n01"));
}

#[test]
fn a_switch_that_refuses_a_write_fails_its_step_in_its_own_words() {
    let lab = wired(1);
    let rack = RackProcess::start_with(lab.design(), &lab.beside("e.json"), Some("7:switch-refuse=1"));
    apply(&lab, &rack, &[])
        .exits(4)
        .says("switch `sw1`, port `Ethernet1/1`: it answers 409 to PATCH: the configuration is locked");
    assert!(installs(&rack.log(), None).is_empty(), "nothing is installed where the port is not ready");
    assert_eq!(port(&rack, "sw1", "Ethernet1/1")["access-vlan"], 1);
}

/// Two interfaces as one bond, whose aggregate is on the switch.
#[test]
fn a_bond_is_an_aggregate_that_its_boot_interface_leaves_for_an_install() {
    let lab = wired(1);
    lab.edit("wiring.kdl", "link \"prod\" { trunk;", "link \"prod\" { bond \"802.3ad\"; trunk;");
    let alone = "interface \"nic1\" link=\"prod\" { network \"prod\" }\n    interface \"nic2\" link=\"store\" { network \"store\" }";
    let bond = "interface \"bond0\" link=\"prod\" { members \"nic1\" \"nic2\"; network \"prod\" }";
    lab.edit("wiring.kdl", alone, bond);
    lab.edit(
        "wiring.kdl",
        "{ cable \"nic1\"",
        "{ cable \"bond0\" switch=\"sw1\" port=\"Port-Channel1\"; cable \"nic1\"",
    );
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &[]).exits(0);
    let bonded = || {
        let aggregate = port(&rack, "sw1", "Port-Channel1");
        assert_eq!((&aggregate["mode"], &aggregate["trunk-vlans"]), (&json!("TRUNK"), &json!([9, 208])));
        for member in ["Ethernet1/1", "Ethernet2/1"] {
            let member = port(&rack, "sw1", member);
            assert_eq!((&member["aggregate"], &member["enabled"]), (&json!("Port-Channel1"), &json!(true)));
        }
    };
    bonded();
    refresh(&lab, &rack, &["--exit-code"]).exits(0);
    let before = rack.log().len();
    newer_image(&lab);
    apply(&lab, &rack, &["--approve", "reboot,reinstall,data-loss"]).exits(0);
    let log = rack.log();
    let again = writes(&log[before..], "Ethernet1/1");
    let member = |line: &Value| {
        let entry = &line["body"]["openconfig-interfaces:interface"][0];
        entry["openconfig-if-ethernet:ethernet"]["config"]["openconfig-if-aggregate:aggregate-id"].clone()
    };
    let seen: Vec<(&str, Value)> = again.iter().map(|line| (sent(line).0, member(line))).collect();
    assert_eq!(seen, [("PUT", Value::Null), ("PATCH", json!("Port-Channel1"))], "{again:#?}");
    bonded();
    refresh(&lab, &rack, &["--exit-code"]).exits(0);
}

/// What each node's devices are asked for, in order: method, path and body.
type Requests = BTreeMap<String, Vec<(String, String, Value)>>;

fn request(line: &Value) -> (String, String, Value) {
    let text = |key: &str| line[key].as_str().unwrap().to_string();
    (text("method"), text("path"), line["body"].clone())
}

#[test]
fn a_trace_lists_the_very_requests_that_switches_then_get() {
    let lab = wired(2);
    let rack = RackProcess::start(&lab);
    let trace = ["plan", lab.design(), "--rack", rack.file(), "--trace", "--json"];
    let planned = rackwright(&trace).exits(0).json();
    assert!(mutating(&rack.log()).is_empty(), "a trace wrote");
    let mut traced = Requests::new();
    for node in planned["nodes"].as_array().unwrap() {
        let requests = traced.entry(node["name"].as_str().unwrap().to_string()).or_default();
        for step in node["steps"].as_array().unwrap() {
            let end = step["trace"]["end"]["is"].as_str().unwrap();
            assert!(["complete", "already-true"].contains(&end), "{step:#}");
            for call in step["trace"]["calls"].as_array().unwrap() {
                requests.extend(call["requests"].as_array().into_iter().flatten().map(request));
            }
        }
    }
    apply(&lab, &rack, &[]).exits(0);
    let log = rack.log();
    let mut seen = Requests::new();
    for line in mutating(&log) {
        seen.entry(line["node"].as_str().unwrap().to_string()).or_default().push(request(line));
    }
    assert_eq!(traced, seen);
    assert!(seen["lab-n01"].iter().any(|(_, path, _)| path.ends_with("interface=Ethernet1%2F1")));
}

#[test]
fn what_cannot_be_wired_is_a_finding() {
    let lab = wired(2);
    lab.edit("wiring.kdl", "port=\"Ethernet1/2\"", "port=\"Ethernet1/1\"");
    rackwright(&["validate", lab.design()]).exits(0);
    lab.edit("wiring.kdl", "cable \"nic1\" switch=\"sw2\"", "cable \"nic1\" switch=\"sw1\"");
    rackwright(&["validate", lab.design()])
        .exits(3)
        .says("RW0121")
        .says("`nic1` of node `lab-n02` is plugged into port `Ethernet1/1` of switch `sw1`");
    lab.edit("wiring.kdl", "driver \"openconfig\"", "driver \"sonic-cli\"");
    rackwright(&["validate", lab.design()]).exits(3).says("RW0122").says("write a task of your own");
}
