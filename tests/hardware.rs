//! What a machine is made of, held against its hardware profile: firmware, PCI devices, drives, health, and the volumes of
//! its storage controller, on a virtual rack whose parts change behind everybody's back.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Lab, Output, RackProcess, mutating, rackwright, witness};
use serde_json::{Value, json};

/// What the machines must be made of.
const PARTS: &str = r#"
    firmware "bios" version="1.4.2"
    firmware "nic" version="22.31.1"
    pci "uplink" vendor="15b3" device="1017" count=2
    pci "accelerator" called="Turbo"
    drives "data" media="hdd" least-size="4TB" count=2
    alias "left" bus="scsi" address="Bay 0"
    alias "right" bus="scsi" address="Bay 1"
    volume "os" level="1" size="200GiB" boot=#true { drive "left" "right" }
    volume "scratch" level="1" { drive "left" "right" }
"#;

const EQUIP: &str = r#"
blueprint "equip" {
    doc "See that the machine is what was bought, make its volumes, install it."
    step "verify"     task="std/verify"          phase="verify"
    step "manifest"   task="std/manifest"        phase="verify"    after="verify"
    step "firmware"   task="std/verify-firmware" phase="verify"    after="manifest"
    step "pci"        task="std/verify-pci"      phase="verify"    after="manifest"
    step "drives"     task="std/verify-drives"   phase="verify"    after="manifest"
    step "health"     task="std/verify-health"   phase="verify"    after="manifest"
    step "raid-clear" task="std/raid-clear"      phase="prepare"   after="firmware,pci,drives,health"
    step "raid"       task="std/raid"            phase="prepare"   after="raid-clear"
    step "install"    task="std/install"         phase="deploy"    after="raid"
    step "power"      task="std/power"           phase="configure" after="install"
}
"#;

fn lab(nodes: usize) -> Lab {
    let lab = Lab::small(nodes);
    lab.edit("nodes.kdl", "pxe-interface \"nic1\"", &format!("pxe-interface \"nic1\"\n{PARTS}"));
    lab.edit("nodes.kdl", "profile \"base\" {", "profile \"base\" {\n    lifecycle \"equip\"");
    lab.append("nodes.kdl", EQUIP);
    lab
}

fn apply(lab: &Lab, rack: &RackProcess, more: &[&str]) -> Output {
    rackwright(&[&["apply", lab.design(), "--rack", rack.file(), "--yes"], more].concat())
}

fn plan(lab: &Lab, rack: &RackProcess) -> Value {
    rackwright(&["plan", lab.design(), "--refresh", "--rack", rack.file(), "--json"]).exits(0).json()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Names and levels of a machine's volumes.
fn volumes(rack: &RackProcess, node: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_string();
    let machine = rack.node(node);
    let mut found: Vec<_> =
        list(&machine["volumes"]).iter().map(|it| (text(&it["name"]), text(&it["level"]))).collect();
    found.sort();
    found
}

fn named(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, level)| ((*name).to_string(), (*level).to_string())).collect()
}

#[test]
fn a_rehearsal_verifies_makes_volumes_and_then_only_looks() {
    let lab = lab(2);
    rackwright(&["validate", lab.design(), "--strict"]).exits(0);
    rackwright(&["apply", lab.design(), "--virtual", "--yes"]).exits(0);
    let log = lab.virtual_log();
    let posts: Vec<&Value> = mutating(&log)
        .into_iter()
        .filter(|line| line["path"].as_str().unwrap().ends_with("/Volumes"))
        .collect();
    assert_eq!(posts.len(), 4, "two volumes of two machines: {posts:#?}");
    assert_eq!(posts[0]["body"]["CapacityBytes"], 200u64 << 30, "what has a size is made first");
    let before = mutating(&log).len();
    rackwright(&["apply", lab.design(), "--virtual", "--yes"]).exits(0).says("Nothing has to change");
    assert_eq!(mutating(&lab.virtual_log()).len(), before, "the second apply wrote");
    // The manifest is on record.
    let rows = witness::rows(
        &lab.virtual_store(),
        "SELECT source || char(10) || value FROM fact WHERE node = 'lab-n01'",
    );
    let facts = |source: &str| {
        let of = |row: &String| {
            row.split_once('\n').filter(|(name, _)| *name == source).map(|it| it.1.to_string())
        };
        let value = rows.iter().find_map(of).unwrap_or_else(|| panic!("no fact {source}"));
        serde_json::from_str::<Value>(&value).unwrap()
    };
    assert_eq!(facts("firmware")["bios"], "1.4.2");
    let devices = facts("pci-devices");
    assert_eq!(list(&devices).iter().filter(|device| device["vendor"] == "15b3").count(), 2, "{devices:#}");
    assert!(list(&facts("drives")).len() >= 4);
    assert_eq!(facts("volumes"), json!([]), "recorded before they were made");
}

#[test]
fn a_machine_that_is_not_what_was_bought_is_stopped_with_the_reason() {
    let lab = lab(1);
    let rack = RackProcess::start(&lab);
    let node = "lab-n01";
    let nothing_written = |wrong: Value, right: Value, reasons: &[&str]| {
        rack.patch(node, wrong);
        let said = apply(&lab, &rack, &[]).exits(4);
        let said = format!("{}{}", said.stdout, said.stderr);
        reasons.iter().for_each(|reason| assert!(said.contains(reason), "`{reason}` is not in {said}"));
        assert_eq!(rack.mutations(), 0, "something was written to a machine that is not the right one");
        rack.patch(node, right);
    };
    // First: a step that only verifies and went well is not done again.
    nothing_written(
        json!({ "parts": { "drive/2": { "health": "Critical" }, "psu/1": { "health": "Critical" } },
                "log": { "severity": "Critical", "message": "Power supply 1 lost its input." } }),
        json!({ "parts": { "drive/2": null, "psu/1": null }, "log": null }),
        &[
            "drive Disk 2 is critical",
            "power supply PSU 1 is critical",
            "Power supply 1 lost its input.",
            "/redfish/v1/Systems/1/Storage/1/Drives/2",
        ],
    );
    nothing_written(
        json!({ "firmware": { "bios": "1.4.1", "nic": "21.0" } }),
        json!({ "firmware": { "bios": "1.4.2", "nic": "22.31.1" } }),
        &[
            "the firmware of bios is 1.4.1, the design says 1.4.2",
            "the firmware of nic is 21.0, the design says 22.31.1",
        ],
    );
    let is =
        |part: &str| (json!({ "parts": { part: { "absent": true } } }), json!({ "parts": { part: null } }));
    let machine = rack.node(node);
    assert_eq!(machine["parts"], json!({}));
    // The machine's own devices stand before those that the design expects.
    let (gone, back) = is("pci/4");
    nothing_written(
        gone,
        back,
        &["PCI devices uplink (vendor 15b3, device 1017): 1 seen, the design says 2"],
    );
    let (gone, back) = is("drive/3");
    nothing_written(
        gone,
        back,
        &["drives data (hdd, 4TB or more): 1 seen, the design says 2; there is 1 (ssd, "],
    );
    apply(&lab, &rack, &[]).exits(0);
    // Firmware that changes later is drift, and nothing that this lifecycle could repair.
    rack.patch(node, json!({ "firmware": { "bios": "1.4.1" } }));
    let planned = plan(&lab, &rack);
    let drift = &planned["drift"][0];
    assert_eq!(drift["path"], "hardware.firmware.bios.version", "{planned:#}");
    assert_eq!((&drift["seen"], &drift["expected"]), (&json!("1.4.1"), &json!("1.4.2")));
    apply(&lab, &rack, &[]).exits(4).says("the firmware of bios is 1.4.1, the design says 1.4.2");
}

#[test]
fn what_is_milder_than_the_threshold_is_logged_and_stops_nobody() {
    let lab = lab(1);
    let rack = RackProcess::start(&lab);
    rack.patch("lab-n01", json!({ "parts": { "drive/2": { "predicted": true } } }));
    apply(&lab, &rack, &[]).exits(0);
    rackwright(&["logs", "--design", lab.design(), "--step", "health"])
        .exits(0)
        .says("drive Disk 2 is warning: its failure is predicted");
}

#[test]
fn a_volume_that_was_lost_is_shown_and_made_again_only_with_approval() {
    let lab = lab(2);
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &[]).exits(0);
    let both = named(&[("os", "1"), ("scratch", "1")]);
    assert_eq!(volumes(&rack, "lab-n02"), both);
    rack.patch("lab-n02", json!({ "volumes": { "os": null } }));
    let planned = plan(&lab, &rack);
    let paths: Vec<&str> =
        list(&planned["drift"]).iter().map(|drift| drift["path"].as_str().unwrap()).collect();
    assert!(paths.contains(&"hardware.volumes.os.level"), "{planned:#}");
    assert!(!paths.iter().any(|path| path.contains("scratch")), "{planned:#}");
    let nodes = list(&planned["nodes"]);
    assert_eq!(nodes.len(), 1, "{planned:#}");
    let steps: Vec<(&Value, &Value)> =
        list(&nodes[0]["steps"]).iter().map(|step| (&step["step"], &step["hazard"])).collect();
    assert_eq!(steps, [(&json!("raid"), &json!("data-loss"))], "{planned:#}");
    let before = rack.mutations();
    apply(&lab, &rack, &[]).exits(6).says("data-loss");
    apply(&lab, &rack, &["--approve", "reinstall"]).exits(6).says("data-loss");
    assert_eq!(rack.mutations(), before);
    apply(&lab, &rack, &["--approve", "data-loss"]).exits(0);
    assert_eq!(volumes(&rack, "lab-n02"), both);
    assert_eq!(rack.mutations(), before + 1);
    // Its system was on that volume: the next plan installs it again, and only it.
    let planned = plan(&lab, &rack);
    assert_eq!(planned["nodes"].as_array().unwrap().len(), 1, "{planned:#}");
    assert_eq!(planned["nodes"][0]["name"], "lab-n02", "{planned:#}");
    assert!(steps_of(&planned).contains(&"install".to_string()), "{planned:#}");
    apply(&lab, &rack, &["--approve", "reinstall,data-loss"]).exits(0);
    assert_eq!(plan(&lab, &rack)["nodes"], json!([]));
    // The other volume holds no system.
    rack.patch("lab-n02", json!({ "volumes": { "scratch": null } }));
    apply(&lab, &rack, &["--approve", "data-loss"]).exits(0);
    assert_eq!(volumes(&rack, "lab-n02"), both);
    assert_eq!(plan(&lab, &rack)["nodes"], json!([]));
}

fn steps_of(plan: &Value) -> Vec<String> {
    let steps = list(&plan["nodes"]).iter().flat_map(|node| list(&node["steps"]));
    steps.map(|step| step["step"].as_str().unwrap().to_string()).collect()
}

/// What the rack saw since its log had `from` lines: method, path and body.
fn seen(rack: &RackProcess, from: usize) -> Vec<(String, String, Value)> {
    mutating(&rack.log()[from..]).into_iter().map(request).collect()
}

fn request(line: &Value) -> (String, String, Value) {
    let text = |key: &str| line[key].as_str().unwrap().to_string();
    (text("method"), text("path"), line["body"].clone())
}

fn traced(plan: &Value) -> Vec<(String, String, Value)> {
    let nodes = list(&plan["nodes"]).iter();
    let steps = nodes.flat_map(|node| list(&node["steps"]));
    let calls = steps.flat_map(|step| list(&step["trace"]["calls"]));
    calls.flat_map(|call| list(&call["requests"])).map(request).collect()
}

#[test]
fn a_volume_that_is_made_again_costs_data_and_its_trace_is_what_happens() {
    let lab = lab(1);
    lab.edit("nodes.kdl", "volume \"scratch\" level=\"1\"", "volume \"scratch\" level=\"1\" size=\"100GiB\"");
    let rack = RackProcess::start(&lab);
    let trace = |lab: &Lab| {
        let (files, lines) = (lab.fingerprint(), rack.log().len());
        let plan =
            rackwright(&["plan", lab.design(), "--rack", rack.file(), "--trace", "--json"]).exits(0).json();
        assert_eq!((lab.fingerprint(), rack.log().len()), (files, lines), "a trace wrote something");
        traced(&plan)
    };
    // From nothing: the volumes are among what a bring-up sends.
    let expected = trace(&lab);
    apply(&lab, &rack, &[]).exits(0);
    assert_eq!(seen(&rack, 0), expected);
    assert_eq!(expected.iter().filter(|(_, path, _)| path.ends_with("/Volumes")).count(), 2, "{expected:#?}");

    lab.edit("nodes.kdl", "size=\"100GiB\"", "size=\"150GiB\"");
    let planned = plan(&lab, &rack);
    let hazards: Vec<(&Value, &Value)> =
        list(&planned["nodes"][0]["steps"]).iter().map(|step| (&step["step"], &step["hazard"])).collect();
    let (clear, raid) = ((json!("raid-clear"), json!("data-loss")), (json!("raid"), json!("data-loss")));
    assert_eq!(hazards, [(&clear.0, &clear.1), (&raid.0, &raid.1)], "{planned:#}");
    apply(&lab, &rack, &["--approve", "reinstall"]).exits(6).says("data-loss");
    let lines = rack.log().len();
    let expected = trace(&lab);
    apply(&lab, &rack, &["--approve", "reinstall,data-loss"]).exits(0);
    assert_eq!(seen(&rack, lines), expected);
    let methods: Vec<&str> = expected.iter().map(|(method, ..)| method.as_str()).collect();
    assert_eq!(methods, ["DELETE", "POST"], "{expected:#?}");
    assert_eq!(rack.node("lab-n01")["volumes"][1]["bytes"], 150u64 << 30);
    assert_eq!(plan(&lab, &rack)["nodes"], json!([]));
}

#[test]
fn without_the_step_that_removes_a_volume_that_is_another_one_stays() {
    let lab = lab(1);
    lab.edit("nodes.kdl", "    step \"raid-clear\" task=\"std/raid-clear\"      phase=\"prepare\"   after=\"firmware,pci,drives,health\"\n", "");
    lab.edit("nodes.kdl", "after=\"raid-clear\"", "after=\"firmware,pci,drives,health\"");
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &[]).exits(0);
    lab.edit("nodes.kdl", "size=\"200GiB\"", "size=\"100GiB\"");
    let before = rack.mutations();
    apply(&lab, &rack, &["--approve", "reinstall,data-loss"])
        .exits(4)
        .says("the design says 100GiB; std/raid-clear removes it with everything on it");
    assert_eq!(rack.mutations(), before);
}

#[test]
fn the_way_out_removes_the_volumes_of_the_design_and_others_only_when_asked() {
    let lab = lab(1);
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &[]).exits(0);
    let run = |more: &[&str]| {
        let words = ["run", "task", "std/remove-raid", "--on", "lab-n01", "--yes", "--design", lab.design()];
        rackwright(&[&words, &["--rack", rack.file()][..], more].concat())
    };
    // `scratch` is somebody else's from now on.
    lab.edit("nodes.kdl", "    volume \"scratch\" level=\"1\" { drive \"left\" \"right\" }\n", "");
    run(&[]).exits(6).says("data-loss");
    run(&["--approve", "data-loss"]).exits(0);
    assert_eq!(volumes(&rack, "lab-n01"), named(&[("scratch", "1")]));
    assert!(rack.node("lab-n01")["disk"].is_null(), "what was on the drives is gone");
    run(&["--approve", "data-loss", "-p", "others=remove"]).exits(0);
    assert_eq!(volumes(&rack, "lab-n01"), []);
}

#[test]
fn a_volume_whose_answer_is_lost_is_not_asked_for_again() {
    let lab = lab(2);
    // Some connections end without an answer, half of them after the work was done.
    let rack = RackProcess::start_with(lab.design(), &lab.beside("endpoints.json"), Some("5:drop=0.04"));
    let equip = |step: &str| format!("task=\"std/{step}\"");
    for step in
        ["raid", "verify-firmware", "verify-pci", "verify-drives", "verify-health", "manifest", "verify"]
    {
        let line =
            lab.read("nodes.kdl").lines().find(|line| line.contains(&equip(step))).unwrap().to_string();
        lab.edit("nodes.kdl", &line, &format!("{line} {{ retry 5 backoff=\"200ms\" }}"));
    }
    apply(&lab, &rack, &[]).exits(0);
    let log = rack.log();
    let made = |node: &str| {
        let posts = mutating(&log).into_iter().filter(|line| {
            line["node"] == node
                && line["status"] == 202
                && line["path"].as_str().unwrap().ends_with("/Volumes")
        });
        posts.count()
    };
    assert_eq!((made("lab-n01"), made("lab-n02")), (2, 2));
    witness::nothing_twice(&lab, &rack);
}

#[test]
fn seeded_faults_stop_a_node_with_the_words_of_the_machine() {
    let lab = lab(1);
    let endpoints = lab.beside("endpoints.json");
    {
        let rack = RackProcess::start_with(lab.design(), &endpoints, Some("3:drive-fail=1"));
        apply(&lab, &rack, &[]).exits(4).says("drive Disk 1 is critical");
        assert_eq!(rack.mutations(), 0);
    }
    {
        let rack = RackProcess::start_with(lab.design(), &endpoints, Some("3:volume-refuse=1"));
        apply(&lab, &rack, &[]).exits(4).says("a physical drive is being rebuilt");
        assert_eq!(volumes(&rack, "lab-n01"), []);
    }
    let rack = RackProcess::start_with(lab.design(), &endpoints, None);
    apply(&lab, &rack, &[]).exits(0);
    assert_eq!(volumes(&rack, "lab-n01").len(), 2);
}
