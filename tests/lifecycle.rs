//! The whole way of a machine with the blueprints of the standard library: the site, every part verified and made, the
//! install, production, and the way out until nothing is left on it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Lab, RackProcess, http, installs, mutating, rackwright};
use serde_json::Value;

const PARTS: &str = r#"
    firmware "bios" version="1.4.2"
    pci "uplink" vendor="15b3" device="1017" count=2
    drives "data" media="ssd" least-size="100GiB" count=2
    alias "left" bus="scsi" address="Bay 0"
    alias "right" bus="scsi" address="Bay 1"
    volume "os" level="1" size="100GiB" { drive "left" "right" }
"#;
const WIRING: &str = r#"
network "prod" { cidr "10.21.0.0/20"; vlan 208 }
link "prod" { trunk; allow "prod" }
switch "sw1" { uri "https://10.16.0.5"; user "ops"; password (secret)"env:SWITCH" }
"#;
const STEPS: &[&str] = &[
    "verify",
    "manifest",
    "firmware",
    "pci",
    "drives",
    "health",
    "bios",
    "raid-clear",
    "raid",
    "port-boot",
    "commission",
    "install",
    "port-production",
    "power",
];

/// Two machines of which the design says everything, on one switch.
fn lab() -> Lab {
    let lab = Lab::small(2);
    lab.edit("site.kdl", "first-install \"allow\"", "first-install \"allow\"\n    lifecycle \"std/site\"");
    lab.edit("site.kdl", "cidr \"10.20.0.0/21\"", "cidr \"10.20.0.0/21\"; vlan 20");
    lab.edit("nodes.kdl", "pxe-interface \"nic1\"", &format!("pxe-interface \"nic1\"\n{PARTS}"));
    lab.edit(
        "nodes.kdl",
        "profile \"compute\" extends=\"base\" {",
        "profile \"compute\" extends=\"base\" {\n    lifecycle \"std/full-bring-up\"\n    interface \"nic1\" link=\"prod\" { network \"prod\" }",
    );
    let cables = [1, 2].map(|slot| {
        format!("node \"lab-n{slot:02}\" {{ cable \"nic1\" switch=\"sw1\" port=\"Ethernet1/{slot}\" }}\n")
    });
    lab.write("wiring.kdl", &format!("{WIRING}{}", cables.concat()));
    lab
}

fn port(rack: &RackProcess, port: &str) -> Value {
    let answer = http("GET", &format!("{}/rack/switches/sw1", rack.control()), None);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let switch: Value = serde_json::from_str(&answer.body).unwrap();
    switch["ports"][port].clone()
}

fn step_names(plan: &Value) -> Vec<&str> {
    let steps = plan["nodes"][0]["steps"].as_array().unwrap();
    steps.iter().map(|step| step["step"].as_str().unwrap()).collect()
}

#[test]
fn a_machine_is_brought_up_whole_and_destroyed_whole_and_comes_back() {
    let lab = lab();
    rackwright(&["validate", lab.design(), "--strict"]).exits(0);
    let rack = RackProcess::start(&lab);
    let on_rack = ["--rack", rack.file()];
    let plan = || {
        rackwright(&[&["plan", lab.design(), "--refresh", "--json"], &on_rack[..]].concat()).exits(0).json()
    };
    let apply = |more: &[&str]| rackwright(&[&["apply", lab.design(), "--yes"], &on_rack[..], more].concat());
    let planned = plan();
    assert_eq!(step_names(&planned), STEPS);
    assert!(planned["site_work"].is_object(), "{planned}");

    apply(&[]).exits(0).says("2 succeeded");
    assert_eq!(installs(&rack.log(), None).len(), 2);
    for node in ["lab-n01", "lab-n02"] {
        let machine = rack.node(node);
        assert_eq!(machine["volumes"][0]["name"], "os", "{machine}");
        assert_eq!(machine["power"], "On", "{machine}");
    }
    assert_eq!(port(&rack, "Ethernet1/1")["trunk-vlans"], serde_json::json!([208]));
    let mutations = mutating(&rack.log()).len();
    apply(&[]).exits(0).says("Nothing has to change: 2 nodes as designed");
    assert_eq!(mutating(&rack.log()).len(), mutations);

    // Destroying is another decision than taking a machine out of care.
    let destroy = |more: &[&str]| {
        let words = ["release", "lab-n01", "--design", lab.design(), "--wipe", "--yes"];
        rackwright(&[&words, &on_rack[..], more].concat())
    };
    destroy(&["--approve", "reboot"]).exits(6).says("--approve data-loss");
    assert_eq!(mutating(&rack.log()).len(), mutations);
    destroy(&["--approve", "reboot,data-loss"]).exits(0);
    let machine = rack.node("lab-n01");
    assert_eq!(machine["power"], "Off", "{machine}");
    assert_eq!(machine["volumes"], serde_json::json!([]), "{machine}");
    assert!(machine["disk"].is_null(), "{machine}");
    assert_eq!(port(&rack, "Ethernet1/1")["enabled"], false);
    assert_eq!(port(&rack, "Ethernet1/2")["enabled"], true);

    // What was destroyed is new, and comes back by the same way when somebody says so.
    let planned = plan();
    assert_eq!(planned["nodes"].as_array().unwrap().len(), 1, "{planned}");
    assert_eq!(
        (&planned["nodes"][0]["name"], &planned["nodes"][0]["action"]),
        (&"lab-n01".into(), &"create".into())
    );
    assert_eq!(step_names(&planned), STEPS);
    apply(&[]).exits(6).says("--approve data-loss");
    apply(&["--approve", "data-loss"]).exits(0).says("1 succeeded");
    assert_eq!(installs(&rack.log(), Some("lab-n01")).len(), 2);
    apply(&[]).exits(0).says("Nothing has to change: 2 nodes as designed");
}

#[test]
fn each_phase_does_its_part_and_no_more() {
    let lab = lab();
    let until =
        |phase: &str| rackwright(&["apply", lab.design(), "--virtual", "--yes", "--until", phase]).exits(0);
    let kinds = |kind: &str| lab.virtual_log().iter().filter(|line| line["kind"] == kind).count();
    until("verify-site");
    until("verify");
    assert_eq!(mutating(&lab.virtual_log()).len(), 0);
    until("prepare");
    assert!(kinds("request") > 0 && kinds("boot") > 0);
    assert_eq!(installs(&lab.virtual_log(), None).len(), 0);
    until("deploy");
    assert_eq!(installs(&lab.virtual_log(), None).len(), 2);
    until("configure");
    rackwright(&["apply", lab.design(), "--virtual", "--yes"]).exits(0).says("Nothing has to change");
}

#[test]
fn the_lab_as_it_comes_can_have_the_whole_bring_up() {
    let lab = Lab::small(1);
    lab.edit(
        "nodes.kdl",
        "profile \"compute\" extends=\"base\" {",
        "profile \"compute\" extends=\"base\" { lifecycle \"std/full-bring-up\"",
    );
    rackwright(&["apply", lab.design(), "--virtual", "--yes"]).exits(0).says("1 succeeded");
    rackwright(&["apply", lab.design(), "--virtual", "--yes"])
        .exits(0)
        .says("Nothing has to change: 1 node as designed");
}
