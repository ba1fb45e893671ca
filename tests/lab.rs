//! The lab design from beginning to end: every promise of the spine, on a virtual rack over the real protocols.
//!
//! Each test is one story. Most use a rack in a process of its own, whose log says what was asked of the
//! machines: it, and not Rackwright, is the witness.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{COMMAND_LIMIT, Lab, Output, RackProcess, Running, installs, mutating, rackwright, until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// How long a story waits for something to begin.
const BEGINS: Duration = Duration::from_secs(180);
/// Every request takes its time: a run lasts long enough to be met in its middle.
const SLOW: &str = "7:slow=0.3";

fn apply(lab: &Lab, rack: &RackProcess, more: &[&str]) -> Output {
    rackwright(&[&["apply", lab.design(), "--rack", rack.file()], more].concat())
}

fn plan(lab: &Lab, rack: &RackProcess, more: &[&str]) -> Output {
    rackwright(&[&["plan", lab.design(), "--refresh", "--rack", rack.file()], more].concat())
}

/// A rack whose machines are all as designed.
fn deployed(lab: &Lab) -> RackProcess {
    let rack = RackProcess::start(lab);
    apply(lab, &rack, &["--yes"]).exits(0);
    rack
}

/// A node of a plan.
#[track_caller]
fn node<'a>(plan: &'a Value, name: &str) -> &'a Value {
    let nodes = plan["nodes"].as_array().unwrap();
    nodes.iter().find(|node| node["name"] == name).unwrap_or_else(|| panic!("{name} is not in {plan:#}"))
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().or(item["node"].as_str()).unwrap())
        .collect()
}

fn of_node<'a>(lines: &[&'a Value], name: &str) -> Vec<&'a Value> {
    lines.iter().copied().filter(|line| line["node"] == name).collect()
}

fn change_profile(lab: &Lab) {
    lab.edit("nodes.kdl", "SysProfile \"PerfOptimized\"", "SysProfile \"PowerSaver\"");
}

/// Sends a signal at a moment that a test has waited for.
fn in_the_middle(running: &Running, rack: &RackProcess, signal: &str) {
    let begun = until(BEGINS, || (!installs(&rack.log(), None).is_empty()).then_some(()));
    assert!(begun.is_some(), "no install began");
    running.signal(signal);
}

#[test]
fn eight_nodes_come_up_and_a_second_apply_changes_nothing() {
    let lab = Lab::new();
    let first = rackwright(&["apply", lab.design(), "--virtual", "--yes"]).exits(0).says("8 succeeded");
    assert!(first.stdout.contains("8 to create"), "{}", first.stdout);
    let log = lab.virtual_log();
    assert_eq!(installs(&log, None).len(), 8);
    rackwright(&["apply", lab.design(), "--virtual", "--yes"])
        .exits(0)
        .says("Nothing has to change: 8 nodes as designed.");
    let second = lab.virtual_log();
    let new: Vec<&Value> = mutating(&second[log.len()..]);
    assert!(new.is_empty(), "the second apply asked for {new:?}");
    assert_eq!(installs(&second, None).len(), 8);
}

#[test]
fn every_bmc_is_read_before_nothing_is_said_to_change() {
    let lab = Lab::small(2);
    let rack = deployed(&lab);
    let before = rack.mutations();
    apply(&lab, &rack, &["--yes"]).exits(0).says("Nothing has to change");
    assert_eq!(rack.mutations(), before);
    // It was not the record alone that was believed: with a BMC gone, the same apply cannot say so.
    rack.patch("lab-n02", json!({"responding": false}));
    let blind = apply(&lab, &rack, &["--yes"]).exits(4).says("lab-n02: unknown");
    assert!(!blind.stdout.contains("Nothing has to change"), "{}", blind.stdout);
    assert_eq!(rack.mutations(), before);
}

#[test]
fn one_changed_bios_attribute_plans_one_step_on_the_affected_nodes_only() {
    let lab = Lab::small(2);
    lab.append(
        "nodes.kdl",
        "hardware \"virtual-2u\" { vendor \"Rackwright\"; boot-mode \"uefi\"; pxe-interface \"nic1\"
             bios { SysProfile \"Dense\"; LogicalProc \"Enabled\" } }
         node \"lab-n09\" profile=\"base\" {
             hardware \"virtual-2u\"
             power \"on\"
             bmc \"redfish\" address=\"https://10.17.1.9\" user=\"root\" password=(secret)\"env:BMC_PASSWORD\"
             boot-mac \"52:54:00:12:34:09\"
         }",
    );
    let rack = deployed(&lab);
    rackwright(&["plan", lab.design(), "--exit-code"]).exits(0);
    let before = rack.log();
    lab.edit("nodes.kdl", "SysProfile \"Dense\"", "SysProfile \"Roomy\"");

    let planned = rackwright(&["plan", lab.design(), "--exit-code", "--json"]).exits(2).json();
    assert_eq!(names(&planned["nodes"]), ["lab-n09"], "{planned:#}");
    let steps = node(&planned, "lab-n09")["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 1, "{planned:#}");
    let step = &steps[0];
    assert_eq!(
        (&step["step"], &step["action"], &step["hazard"]),
        (&json!("bios"), &json!("change"), &json!("reboot"))
    );
    assert_eq!(step["reason"]["kind"], "changed");
    assert_eq!(
        step["changes"],
        json!([{"path": "hardware.bios.SysProfile", "before": "Dense", "after": "Roomy"}])
    );
    rackwright(&["plan", lab.design()]).exits(0).says("hardware.bios.SysProfile: \"Dense\" → \"Roomy\"");
    plan(&lab, &rack, &["--exit-code"]).exits(2).says("\"Dense\" → \"Roomy\"");

    apply(&lab, &rack, &["--yes", "--approve", "reboot"]).exits(0);
    assert_eq!(rack.node("lab-n09")["bios"]["SysProfile"], "Roomy");
    let log = rack.log();
    let new = &log[before.len()..];
    assert!(installs(new, None).is_empty(), "a BIOS attribute re-imaged: {new:#?}");
    let patched = mutating(new);
    assert_eq!(of_node(&patched, "lab-n09").len(), patched.len(), "other nodes were asked too: {patched:#?}");
    assert!(patched.iter().any(|line| line["body"]["Attributes"]["SysProfile"] == "Roomy"), "{patched:#?}");
    rackwright(&["plan", lab.design(), "--exit-code"]).exits(0);
    plan(&lab, &rack, &["--exit-code"]).exits(0);
}

#[test]
fn comments_task_versions_scripts_and_keys_reimage_nothing() {
    let lab = Lab::small(2);
    let rack = deployed(&lab);
    let before = rack.mutations();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib");
    for script in ["install", "bios"] {
        let text = std::fs::read_to_string(root.join(format!("{script}.rhai"))).unwrap();
        lab.write(
            &format!("scripts/{script}.rhai"),
            &format!("// Our own now.\n{text}\nfn unused() {{ 1 }}\n"),
        );
    }
    lab.append("nodes.kdl", "// A new comment.");
    lab.append(
        "site.kdl",
        "task \"std/install\" script=\"install.rhai\" {
             doc \"Another version of the same.\"
             realizes \"image.name\" \"image.checksum\"
             seeds \"kernel-params\" \"authorized-keys\"
             uses \"image\"
             hazard \"reinstall\"
             scope \"os\"
             allow \"bmc\" \"pxe\" \"wait\" \"log\"
             timeout \"80m\"
             settle \"4m\"
         }
         task \"std/bios\" script=\"bios.rhai\" {
             doc \"Another version of the same.\"
             realizes \"hardware.bios\"
             hazard \"reboot\"
             allow \"bmc\" \"wait\"
             timeout \"19m\"
         }",
    );
    lab.edit(
        "site.kdl",
        "    authorized-key",
        "    authorized-key \"ssh-ed25519 AAAANewKey new@lab\"\n    authorized-key",
    );

    let planned = plan(&lab, &rack, &["--json"]).exits(0).json();
    assert_eq!(planned["nodes"], json!([]), "{planned:#}");
    let available = planned["available"].as_array().unwrap();
    for name in ["lab-n01", "lab-n02"] {
        let shown = available.iter().any(|item| {
            item["node"] == name
                && item["step"] == "install"
                && item["changes"].to_string().contains("AAAANewKey")
        });
        assert!(shown, "the new key is not shown as available on {name}: {planned:#}");
    }
    plan(&lab, &rack, &["--exit-code"]).exits(0).says("nothing is redone for it").says("authorized-keys");
    apply(&lab, &rack, &["--yes", "--approve", "reboot,reinstall,data-loss"]).exits(0);
    assert_eq!(rack.mutations(), before);
    // The overriding scripts are the ones in use: a step that is needed runs them.
    change_profile(&lab);
    lab.edit("scripts/bios.rhai", "bmc::power_cycle(node);", "throw \"our own script\";");
    apply(&lab, &rack, &["--yes", "--approve", "reboot", "--on", "lab-n01"]).exits(4).says("our own script");
}

#[test]
fn drift_is_shown_by_a_refreshed_plan_and_repaired_by_apply() {
    let lab = Lab::small(2);
    let rack = deployed(&lab);
    rack.patch("lab-n02", json!({"bios": {"SriovGlobalEnable": "Disabled"}}));
    let planned = plan(&lab, &rack, &["--json", "--exit-code"]).exits(2).json();
    assert_eq!(names(&planned["nodes"]), ["lab-n02"]);
    let drift = planned["drift"].as_array().unwrap();
    assert_eq!(drift.len(), 1, "{planned:#}");
    assert_eq!(drift[0]["node"], "lab-n02");
    assert_eq!(drift[0]["path"], "hardware.bios.SriovGlobalEnable");
    assert_eq!((&drift[0]["seen"], &drift[0]["expected"]), (&json!("Disabled"), &json!("Enabled")));
    assert_eq!(node(&planned, "lab-n02")["steps"][0]["reason"]["kind"], "drift");
    assert_eq!(node(&planned, "lab-n02")["action"], "repair");
    // Repairing reboots: it wants a word too.
    apply(&lab, &rack, &["--yes"]).exits(6).says("--approve reboot");
    apply(&lab, &rack, &["--yes", "--approve", "reboot"]).exits(0);
    assert_eq!(rack.node("lab-n02")["bios"]["SriovGlobalEnable"], "Enabled");
    plan(&lab, &rack, &["--exit-code"]).exits(0);
}

#[test]
fn an_unreachable_bmc_is_unknown_and_only_its_own_node_waits() {
    let lab = Lab::small(3);
    let rack = deployed(&lab);
    change_profile(&lab);
    rack.patch("lab-n02", json!({"responding": false}));
    let before = rack.log().len();
    let planned = plan(&lab, &rack, &["--json"]).exits(0).json();
    assert_eq!(names(&planned["unplanned"]), ["lab-n02"]);
    assert!(planned["unplanned"][0]["why"].as_str().unwrap().starts_with("unknown:"), "{planned:#}");
    assert_eq!(planned["drift"], json!([]), "what was not seen is no drift");
    apply(&lab, &rack, &["--yes", "--approve", "reboot"]).exits(4).says("lab-n02: unknown");
    let log = rack.log();
    let asked = mutating(&log[before..]);
    assert!(of_node(&asked, "lab-n02").is_empty(), "{asked:#?}");
    for name in ["lab-n01", "lab-n03"] {
        assert_eq!(rack.node(name)["bios"]["SysProfile"], "PowerSaver", "{name} did not go on");
    }
    rack.patch("lab-n02", json!({"responding": true}));
    apply(&lab, &rack, &["--yes", "--approve", "reboot"]).exits(0);
    assert_eq!(rack.node("lab-n02")["bios"]["SysProfile"], "PowerSaver");
}

#[test]
fn a_node_deleted_from_the_design_is_orphaned_untouched_and_can_be_released() {
    let lab = Lab::small(3);
    let rack = deployed(&lab);
    let before = (rack.mutations(), rack.node("lab-n03"));
    lab.edit("nodes.kdl", "slot=\"1..3\"", "slot=\"1..2\"");
    let planned = plan(&lab, &rack, &["--json"]).exits(0).json();
    assert_eq!(planned["orphaned"], json!(["lab-n03"]));
    assert_eq!(planned["nodes"], json!([]));
    apply(&lab, &rack, &["--yes", "--approve", "reboot,reinstall,data-loss"])
        .exits(0)
        .says("lab-n03")
        .says("rackwright release NODE");
    assert_eq!((rack.mutations(), rack.node("lab-n03")), before, "an orphaned node was touched");

    let release = ["release", "lab-n03", "--design", lab.design(), "--rack", rack.file(), "--yes"];
    rackwright(&release).exits(6).says("--approve reboot");
    assert_eq!(rack.mutations(), before.0);
    rackwright(&[&release[..], &["--approve", "reboot"]].concat()).exits(0).says("lab-n03 is released");
    let after = rack.node("lab-n03");
    assert_eq!(after["power"], "Off", "{after:#}");
    assert_eq!(after["disk"], before.1["disk"], "a release keeps the disk");
    assert_eq!(plan(&lab, &rack, &["--json"]).exits(0).json()["orphaned"], json!([]));
    rackwright(&[&release[..], &["--approve", "reboot"]].concat()).exits(4).says("lab-n03");
}

#[test]
fn a_lost_store_does_not_reimage_the_deployed_rack() {
    let lab = Lab::small(2);
    let rack = deployed(&lab);
    assert!(lab.read("site.kdl").contains("first-install \"allow\""));
    let before = (rack.mutations(), rack.nodes());
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", lab.store().display()));
    }
    assert!(!lab.store().exists());
    apply(&lab, &rack, &["--yes"]).exits(6).says("data-loss");
    apply(&lab, &rack, &["--yes", "--approve", "reboot,reinstall"]).exits(6).says("--approve data-loss");
    assert_eq!((rack.mutations(), rack.nodes()), before);
}

#[test]
fn swapped_bmc_addresses_are_refused_before_any_write() {
    let lab = Lab::small(3);
    let file = lab.beside("endpoints.json");
    let swapped = Some("1:wrong-machine=lab-n01/lab-n02");
    // Before anything is on record, the boot MACs tell.
    {
        let rack = RackProcess::start_with(lab.design(), &file, swapped);
        apply(&lab, &rack, &["--yes"]).exits(4).says("another machine answers at its BMC address");
        let log = rack.log();
        let asked = mutating(&log);
        assert_eq!(of_node(&asked, "lab-n03").len(), asked.len(), "{asked:#?}");
        assert_eq!(installs(&log, None).len(), 1);
    }
    {
        let rack = RackProcess::start_with(lab.design(), &file, None);
        apply(&lab, &rack, &["--yes"]).exits(0);
    }
    change_profile(&lab);
    let rack = RackProcess::start_with(lab.design(), &file, swapped);
    let before = rack.log().len();
    let output = apply(&lab, &rack, &["--yes", "--approve", "reboot,reinstall,data-loss"]).exits(4);
    for name in ["lab-n01", "lab-n02"] {
        assert!(output.stdout.contains(&format!("{name}: another machine answers")), "{}", output.stdout);
    }
    let log = rack.log();
    let asked = mutating(&log[before..]);
    assert!(!asked.is_empty());
    assert_eq!(of_node(&asked, "lab-n03").len(), asked.len(), "{asked:#?}");
}

#[test]
fn another_machine_behind_a_recorded_address_is_refused() {
    let lab = Lab::small(2);
    let rack = deployed(&lab);
    change_profile(&lab);
    // The same MACs, so that only the recorded identity can tell.
    rack.patch("lab-n01", json!({"uuid": "00000000-0000-4000-8000-000000000001"}));
    let before = rack.log().len();
    apply(&lab, &rack, &["--yes", "--approve", "reboot,reinstall,data-loss"])
        .exits(4)
        .says("lab-n01: another machine answers at its BMC address: its system UUID is");
    let log = rack.log();
    let asked = mutating(&log[before..]);
    assert!(!asked.is_empty());
    assert_eq!(of_node(&asked, "lab-n02").len(), asked.len(), "{asked:#?}");
}

#[test]
fn a_second_apply_at_the_same_time_exits_7() {
    let lab = Lab::small(2);
    let rack = RackProcess::start_with(lab.design(), &lab.beside("endpoints.json"), Some(SLOW));
    let mut first = Running::start(&[], &["apply", lab.design(), "--rack", rack.file(), "--yes"]);
    // Stopped in its middle, it cannot end before the second has been refused.
    in_the_middle(&first, &rack, "STOP");
    assert!(first.is_running());
    let before = rack.mutations();
    apply(&lab, &rack, &["--yes"]).exits(7).says("held by another process").says("rackwright status");
    rackwright(&["release", "lab-n01", "--design", lab.design(), "--rack", rack.file(), "--yes"]).exits(7);
    let status = rackwright(&["status", lab.design(), "--json"]).exits(0).json();
    assert_eq!(status["held"], true);
    assert_eq!(status["run"]["state"], "running");
    // Looking is always possible.
    rackwright(&["plan", lab.design()]).exits(0);
    assert_eq!(rack.mutations(), before);
    first.signal("CONT");
    first.wait(COMMAND_LIMIT).exits(0);
    apply(&lab, &rack, &["--yes"]).exits(0);
}

#[test]
fn an_interrupt_leaves_a_true_record_and_the_next_apply_goes_on() {
    let lab = Lab::small(3);
    let rack = RackProcess::start_with(lab.design(), &lab.beside("endpoints.json"), Some(SLOW));
    let first = Running::start(&[], &["apply", lab.design(), "--rack", rack.file(), "--yes"]);
    in_the_middle(&first, &rack, "INT");
    first.wait(COMMAND_LIMIT).exits(130).says("what was done is on record");
    let status = rackwright(&["status", lab.design(), "--json"]).exits(0).json();
    assert_eq!(status["held"], false);
    assert_eq!(status["run"]["state"], "interrupted", "{status:#}");
    let runs = rackwright(&["runs", lab.design(), "--json"]).exits(0).json();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1);
    rackwright(&["status", lab.design()]).exits(0).says("was interrupted; the next apply goes on with it");

    let begun: Vec<String> =
        installs(&rack.log(), None).iter().map(|line| line["node"].to_string()).collect();
    assert!(!begun.is_empty());
    apply(&lab, &rack, &["--yes"]).exits(0).says("Going on with a run that was interrupted");
    let log = rack.log();
    for name in ["lab-n01", "lab-n02", "lab-n03"] {
        let ended = log.iter().filter(|line| {
            line["kind"] == "install"
                && line["phase"] == "end"
                && line["node"] == name
                && line["outcome"] == "installed"
        });
        assert_eq!(ended.count(), 1, "{name} was installed again, or never: {:#?}", log);
        let resets: Vec<_> = mutating(&log)
            .into_iter()
            .filter(|line| line["node"] == name && line["body"]["ResetType"] == "On")
            .collect();
        assert!(resets.len() <= 2, "{name} was powered on again and again: {resets:#?}");
    }
    let status = rackwright(&["status", lab.design(), "--json"]).exits(0).json();
    assert_eq!(status["run"]["state"], "succeeded", "{status:#}");
    let before = rack.mutations();
    apply(&lab, &rack, &["--yes"]).exits(0).says("Nothing has to change");
    assert_eq!(rack.mutations(), before);
}

/// A deployed lab with a changed BIOS attribute, and the plan for it in a file.
struct Saved {
    lab: Lab,
    rack: RackProcess,
    file: String,
}

impl Saved {
    fn new() -> Saved {
        let lab = Lab::small(2);
        let rack = deployed(&lab);
        change_profile(&lab);
        let file = lab.beside("saved.json").to_str().unwrap().to_string();
        plan(&lab, &rack, &["--out", &file]).exits(0);
        Saved { lab, rack, file }
    }

    fn apply(&self) -> Output {
        rackwright(&["apply", &self.file, "--rack", self.rack.file(), "--yes", "--approve", "reboot"])
    }

    /// Applies the plan, which must be refused before any write.
    fn refused(&self, why: &str) {
        let before = self.rack.mutations();
        self.apply().exits(5).says("the plan is stale").says(why);
        assert_eq!(self.rack.mutations(), before);
    }
}

#[test]
fn a_saved_plan_is_applied_as_it_was_written() {
    let saved = Saved::new();
    let unapproved = ["apply", &saved.file, "--rack", saved.rack.file(), "--yes"];
    rackwright(&unapproved).exits(6).says("--approve reboot");
    saved.apply().exits(0).says("2 succeeded");
    for node in saved.rack.nodes() {
        assert_eq!(node["bios"]["SysProfile"], "PowerSaver");
    }
    // Once applied, the records have moved on.
    saved.refused("the record of node");
}

#[test]
fn a_saved_plan_is_stale_when_the_design_has_changed() {
    let saved = Saved::new();
    saved.lab.append("nodes.kdl", "// A comment is a change of the design.");
    saved.refused("the design changed");
}

#[test]
fn a_saved_plan_is_stale_when_the_record_has_changed() {
    let saved = Saved::new();
    apply(&saved.lab, &saved.rack, &["--yes", "--approve", "reboot", "--on", "lab-n02"]).exits(0);
    saved.refused("the record of node `lab-n02` changed");
    assert_eq!(saved.rack.node("lab-n01")["bios"]["SysProfile"], "PerfOptimized");
}

#[test]
fn a_saved_plan_is_not_made_stale_by_facts_or_by_nodes_that_it_does_not_plan() {
    let lab = Lab::small(2);
    let rack = deployed(&lab);
    rack.patch("lab-n01", json!({"bios": {"LogicalProc": "Disabled"}}));
    let file = lab.beside("saved.json").to_str().unwrap().to_string();
    plan(&lab, &rack, &["--out", &file, "--on", "lab-n01"]).exits(0);
    rack.patch("lab-n02", json!({"bios": {"LogicalProc": "Disabled"}}));
    apply(&lab, &rack, &["--yes", "--approve", "reboot", "--on", "lab-n02"]).exits(0);
    rackwright(&["apply", &file, "--rack", rack.file(), "--yes", "--approve", "reboot"]).exits(0);
    assert_eq!(rack.node("lab-n01")["bios"]["LogicalProc"], "Enabled");
}

#[test]
fn a_saved_plan_that_was_edited_is_refused() {
    let saved = Saved::new();
    let text = std::fs::read_to_string(&saved.file).unwrap();
    let edited = text.replace("\"hazard\": \"reboot\"", "\"hazard\": \"none\"");
    assert_ne!(text, edited);
    std::fs::write(&saved.file, edited).unwrap();
    saved.refused("the plan file was changed after it was written");
    std::fs::write(&saved.file, "{}").unwrap();
    saved.apply().exits(64).says("is no plan");
}

#[test]
fn a_node_whose_observed_values_moved_fails_as_stale_before_its_first_write() {
    let saved = Saved::new();
    saved.rack.patch("lab-n02", json!({"bios": {"LogicalProc": "Disabled"}}));
    let before = saved.rack.log().len();
    saved.apply().exits(5).says("lab-n02: failed: step `bios`: the plan is stale: hardware.bios.LogicalProc");
    let log = saved.rack.log();
    let asked = mutating(&log[before..]);
    assert!(of_node(&asked, "lab-n02").is_empty(), "{asked:#?}");
    assert_eq!(saved.rack.node("lab-n01")["bios"]["SysProfile"], "PowerSaver", "the other node goes on");
    assert_eq!(saved.rack.node("lab-n02")["bios"]["SysProfile"], "PerfOptimized");
}

#[test]
fn a_moved_value_of_a_later_step_stops_its_node_before_the_first_write_too() {
    let lab = Lab::small(1);
    lab.append(
        "site.kdl",
        "blueprint \"backwards\" {
             step \"power\" task=\"std/power\" phase=\"prepare\"
             step \"bios\" task=\"std/bios\" phase=\"configure\" after=\"power\"
         }",
    );
    lab.edit("nodes.kdl", "    power \"on\"\n", "    power \"on\"\n    lifecycle \"backwards\"\n");
    let rack = deployed(&lab);
    change_profile(&lab);
    rack.patch("lab-n01", json!({"power": "Off"}));
    let file = lab.beside("saved.json").to_str().unwrap().to_string();
    let planned = plan(&lab, &rack, &["--out", &file, "--json"]).exits(0).json();
    let steps = node(&planned, "lab-n01")["steps"].as_array().unwrap();
    let names: Vec<&Value> = steps.iter().map(|step| &step["step"]).collect();
    assert_eq!(names, ["power", "bios"], "{planned:#}");
    rack.patch("lab-n01", json!({"bios": {"LogicalProc": "Disabled"}}));
    let before = rack.mutations();
    rackwright(&["apply", &file, "--rack", rack.file(), "--yes", "--approve", "reboot"])
        .exits(5)
        .says("step `bios`: the plan is stale: hardware.bios.LogicalProc");
    assert_eq!(rack.mutations(), before, "the node was written to before its plan was found stale");
}

/// What has become true meanwhile is skipped: the executor may narrow a plan.
#[test]
fn a_value_that_became_true_does_not_make_a_saved_plan_stale() {
    let saved = Saved::new();
    saved.rack.patch("lab-n02", json!({"bios": {"SysProfile": "PowerSaver"}}));
    let before = saved.rack.log().len();
    saved.apply().exits(0).says("lab-n02: prepare bios was true already");
    let log = saved.rack.log();
    let asked = mutating(&log[before..]);
    assert!(!asked.is_empty() && of_node(&asked, "lab-n02").is_empty(), "{asked:#?}");
}

#[test]
fn without_a_terminal_nothing_is_done_unasked_and_hazards_are_named() {
    let lab = Lab::small(1);
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &[]).exits(6).says("--yes");
    rackwright(&["apply", lab.design(), "--virtual"]).exits(6);
    assert!(mutating(&lab.virtual_log()).is_empty());
    lab.edit("site.kdl", "first-install \"allow\"", "first-install \"ask\"");
    apply(&lab, &rack, &["--yes"]).exits(6).says("--approve data-loss");
    apply(&lab, &rack, &["--yes", "--approve", "reinstall"]).exits(6).says("--approve data-loss");
    assert_eq!(rack.mutations(), 0);
    apply(&lab, &rack, &["--yes", "--approve", "data-loss"]).exits(0);
    change_profile(&lab);
    let before = rack.mutations();
    apply(&lab, &rack, &["--approve", "reboot"]).exits(6).says("--yes");
    apply(&lab, &rack, &["--yes"]).exits(6).says("--approve reboot");
    apply(&lab, &rack, &["--yes", "--approve", "data-loss,reinstall"]).exits(6).says("--approve reboot");
    apply(&lab, &rack, &["--yes", "--approve", "everything"]).exits(64).says("everything");
    assert_eq!(rack.mutations(), before);
}

#[test]
fn plan_writes_nothing_anywhere() {
    let lab = Lab::small(2);
    let untouched = lab.fingerprint();
    rackwright(&["plan", lab.design()]).exits(0).says("2 to create");
    rackwright(&["validate", lab.design()]).exits(0);
    rackwright(&["plan", lab.design(), "--virtual"]).exits(0);
    rackwright(&["status", lab.design()]).exits(0);
    rackwright(&["runs", lab.design()]).exits(0);
    assert_eq!(lab.fingerprint(), untouched, "a missing store was made");
    // The store is told elsewhere, and its folder is not there.
    let url = format!("sqlite:{}", lab.beside("nowhere/store.db").display());
    rackwright(&["--store", &url, "plan", lab.design()]).exits(0);
    assert!(!lab.beside("nowhere").exists());

    let rack = deployed(&lab);
    change_profile(&lab);
    rack.patch("lab-n01", json!({"bios": {"LogicalProc": "Disabled"}}));
    let before = (lab.fingerprint(), rack.log());
    rackwright(&["plan", lab.design(), "--exit-code"]).exits(2);
    plan(&lab, &rack, &["--exit-code"]).exits(2);
    plan(&lab, &rack, &["--exit-code", "--json", "--on", "lab-n01"]).exits(2);
    assert_eq!((lab.fingerprint(), rack.log()), before);
    // The only thing that it ever writes is the file that it was told to.
    let file = lab.beside("saved.json");
    plan(&lab, &rack, &["--out", file.to_str().unwrap()]).exits(0);
    assert!(file.exists());
    assert_eq!((lab.fingerprint(), rack.log()), before);
}

#[test]
fn a_rehearsed_plan_with_refresh_writes_nothing_either() {
    let lab = Lab::small(2);
    let untouched = lab.fingerprint();
    rackwright(&["plan", lab.design(), "--virtual", "--refresh"]).exits(0).says("2 to create");
    assert_eq!(lab.fingerprint(), untouched, "files were made");
    rackwright(&["apply", lab.design(), "--virtual", "--yes"]).exits(0);
    let before = lab.fingerprint();
    rackwright(&["plan", lab.design(), "--virtual", "--refresh", "--exit-code"]).exits(0);
    assert_eq!(lab.fingerprint(), before);
}

/// Fails unless the object has every one of these fields.
#[track_caller]
fn has(object: &Value, fields: &[&str]) {
    for field in fields {
        assert!(object.get(field).is_some(), "`{field}` is missing in {object:#}");
    }
}

#[test]
fn json_has_the_shapes_of_the_contract() {
    let lab = Lab::small(2);
    let valid = rackwright(&["validate", lab.design(), "--json"]).exits(0).json();
    has(&valid, &["format", "findings"]);
    assert_eq!(
        valid["summary"],
        json!({"errors": 0, "warnings": valid["findings"].as_array().unwrap().len()})
    );
    let rack = RackProcess::start(&lab);
    let planned = plan(&lab, &rack, &["--json"]).exits(0).json();
    has(&planned, &["format", "site", "design", "basis", "nodes", "drift", "unplanned", "summary", "digest"]);
    has(&planned["design"], &["source", "revision", "digest"]);
    has(&planned["basis"], &["serial"]);
    has(
        &planned["summary"],
        &["create", "change", "repair", "reinstall", "release", "adopt", "unchanged", "blocked"],
    );
    has(node(&planned, "lab-n01"), &["name", "action", "hazard", "steps"]);
    let steps = node(&planned, "lab-n01")["steps"].as_array().unwrap();
    assert!(!steps.is_empty());
    for step in steps {
        has(step, &["step", "phase", "action", "hazard", "reason", "changes", "waiting"]);
        has(&step["reason"], &["kind"]);
        for change in step["changes"].as_array().unwrap() {
            has(change, &["path", "before", "after"]);
        }
    }

    let events = apply(&lab, &rack, &["--yes", "--json"]).exits(0).events();
    for event in &events {
        has(event, &["at", "run", "event"]);
    }
    let last = events.last().unwrap();
    assert_eq!((&last["event"], &last["result"]), (&json!("finished"), &json!("succeeded")));
    assert_eq!(last["nodes"], json!({"succeeded": 2, "failed": 0, "skipped": 0, "waiting": 0}));
    let words: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    for word in ["started", "step-started", "step-ended", "node-ended"] {
        assert!(words.contains(&word), "{words:?}");
    }
    let nothing = apply(&lab, &rack, &["--yes", "--json"]).exits(0).events();
    assert_eq!(nothing.last().unwrap()["event"], "finished");
    assert_eq!(nothing.last().unwrap()["result"], "succeeded");

    let run = last["run"].as_str().unwrap();
    let runs = rackwright(&["runs", lab.design(), "--json"]).exits(0).json();
    assert_eq!(runs["runs"][0]["run"], run);
    has(&runs["runs"][0], &["state", "command", "design", "started_at", "ended_at", "nodes"]);
    assert_eq!(runs["runs"][0]["nodes"], last["nodes"]);
    let status = rackwright(&["status", lab.design(), "--json"]).exits(0).json();
    assert_eq!((&status["held"], &status["run"]["run"]), (&json!(false), &json!(run)));
    let logged = rackwright(&["logs", run, "--design", lab.design(), "--json"]).exits(0).events();
    let mut by_event: BTreeMap<&str, usize> = BTreeMap::new();
    for line in &logged {
        has(line, &["at", "node", "step", "event"]);
        *by_event.entry(line["event"].as_str().unwrap()).or_default() += 1;
    }
    assert_eq!(by_event["attempt-started"], by_event["attempt-ended"], "{by_event:?}");
    assert!(by_event["message"] >= 4, "two nodes say two things each: {by_event:?}");
}

#[test]
fn findings_in_json_name_file_line_and_column() {
    let lab = Lab::small(1);
    lab.edit("nodes.kdl", "boot-mode \"uefi\"", "boot-mdoe \"uefi\"");
    let invalid = rackwright(&["validate", lab.design(), "--json"]).exits(3).json();
    assert_eq!(invalid["summary"]["errors"], 1, "{invalid:#}");
    let finding = &invalid["findings"][0];
    has(finding, &["code", "severity", "message", "subject", "file", "line", "column", "help"]);
    assert_eq!(
        (&finding["severity"], &finding["file"], &finding["line"]),
        (&json!("error"), &json!("nodes.kdl"), &json!(5))
    );
    let code = finding["code"].as_str().unwrap();
    assert!(code.len() == 6 && code.starts_with("RW"), "{code}");
    assert!(finding["help"].as_str().unwrap().contains("boot-mode"), "{finding:#}");
}

#[test]
fn switching_nodes_off_is_a_hazard_and_asks_the_operating_system_first() {
    let lab = Lab::small(2);
    let rack = RackProcess::start(&lab);
    apply(&lab, &rack, &["--yes"]).exits(0);
    lab.edit("nodes.kdl", "power \"on\"", "power \"off\"");
    let before = rack.mutations();
    apply(&lab, &rack, &["--yes"]).exits(6).says("--approve reboot");
    assert_eq!(rack.mutations(), before);
    apply(&lab, &rack, &["--yes", "--approve", "reboot"]).exits(0);
    let log = rack.log();
    for name in ["lab-n01", "lab-n02"] {
        assert_eq!(rack.node(name)["power"], "Off");
        let asked: Vec<_> =
            mutating(&log)[before..].iter().filter(|line| line["node"] == name).cloned().collect();
        assert_eq!(asked.len(), 1, "{asked:#?}");
        assert_eq!(asked[0]["body"]["ResetType"], "GracefulShutdown", "{asked:#?}");
    }
    apply(&lab, &rack, &["--yes"]).exits(0).says("Nothing has to change");
    // Switching on harms nobody.
    lab.edit("nodes.kdl", "power \"off\"", "power \"on\"");
    apply(&lab, &rack, &["--yes"]).exits(0);
    assert_eq!(rack.node("lab-n01")["power"], "On");
}
