//! Any design can be rehearsed: real payloads are stood in for, a boot MAC may be the machine's own, and an address
//! that was chosen stays. None of it ever reaches a real machine.

#![expect(clippy::unwrap_used, reason = "a test ends where something is wrong")]

mod common;

use common::{Lab, Output, RackProcess, free_ports, installs, rackwright};
use std::collections::BTreeSet;

/// Nothing that a rehearsal machine could use: remote payloads, unknown payloads, and a BMC that speaks IPMI.
const DESIGN: &str = r#"
site "elsewhere" { domain "elsewhere.example.net" }
network "pxe" {
    cidr "10.20.0.0/24"; dhcp mode="server"
    range "dhcp" "10.20.0.100" "10.20.0.200"; range "static" "10.20.0.10" "10.20.0.60"
}
network "oob" { cidr "172.16.0.0/24" }
image "unknown" { rehearsal-only #true; kernels "ga" }
image "remote" {
    kernel "https://images.invalid/k" checksum="sha256:0000000000000000000000000000000000000000000000000000000000000001"
    initrd "https://images.invalid/i" checksum="sha256:0000000000000000000000000000000000000000000000000000000000000002"
    url "https://images.invalid/d"; checksum "sha256:0000000000000000000000000000000000000000000000000000000000000003"
}
profile "ipmi" { image "unknown"; kernel "ga"; power "on"; bmc "ipmi" network="oob" user="u" password=(secret)"env:NOT_SET" }
profile "redfish" { image "remote"; power "on"; bmc "redfish" user="u" password=(secret)"env:NOT_SET" }
node "n1" profile="ipmi" { bmc "ipmi" address="172.16.0.1"; boot-mac "auto"; address "pxe" "dhcp" }
node "n2" profile="redfish" { bmc "redfish" address="https://172.16.0.2"; boot-mac "auto"; address "pxe" "auto" }
node "n3" profile="redfish" { bmc "redfish" address="https://172.16.0.3"; boot-mac "52:54:00:12:34:03"; address "pxe" "auto" }
"#;

/// The lab's folder with this design in place of its own, and none of its payloads but real boot programs.
fn elsewhere() -> Lab {
    let lab = Lab::new();
    for file in ["site.kdl", "nodes.kdl", "images.kdl"] {
        lab.write(file, "");
    }
    lab.write("site.kdl", DESIGN);
    std::fs::remove_dir_all(lab.path().join("files")).unwrap();
    // As a real site has them: no rehearsal machine can run these.
    for program in ["snponly.efi", "undionly.kpxe"] {
        lab.write(&format!("files/tftp/{program}"), "MZ: a program for real firmware");
    }
    lab
}

fn address(lab: &Lab, node: &str, store: &[&str]) -> String {
    let shown =
        rackwright(&[&["show", lab.design(), "node", node, "--json"], store].concat()).exits(0).json();
    shown["spec"]["addresses"]["pxe"].as_str().unwrap().to_string()
}

#[test]
fn a_design_without_a_single_payload_comes_up_in_a_rehearsal() {
    let lab = elsewhere();
    rackwright(&["validate", lab.design()]).exits(0);
    rackwright(&["apply", lab.design(), "--virtual", "--yes"]).exits(0);
    let log = lab.virtual_log();
    for node in ["n1", "n2", "n3"] {
        assert_eq!(installs(&log, Some(node)).len(), 1, "{node}");
    }
    rackwright(&["apply", lab.design(), "--virtual", "--yes"]).exits(0).says("Nothing has to change");
    rackwright(&["plan", lab.design(), "--virtual", "--exit-code"]).exits(0);
    assert_eq!(lab.virtual_log().len(), log.len());
    // Another image behind the same name is another image, stood in for or not.
    lab.edit("site.kdl", "0000000003\"", "0000000004\"");
    let plan = rackwright(&["plan", lab.design(), "--virtual", "--json"]).exits(0).json();
    assert_eq!(plan["summary"]["reinstall"], 2, "{plan}");
}

#[test]
fn nothing_that_is_for_rehearsals_reaches_a_real_machine() {
    let lab = elsewhere();
    let plan = rackwright(&["plan", lab.design(), "--json"]).exits(0).json();
    let unplanned: Vec<&str> =
        plan["unplanned"].as_array().unwrap().iter().map(|it| it["node"].as_str().unwrap()).collect();
    assert_eq!(unplanned, ["n1"], "{plan}");
    assert!(plan.to_string().contains("for rehearsals only"));
    assert!(!plan.to_string().contains("stand-ins"), "{plan}");
    assert!(
        plan.to_string().contains("https://images.invalid") || plan["nodes"].as_array().unwrap().len() == 2
    );
}

/// The design with services on loopback, its rack, and a store of its own for what is rehearsed there.
fn on_a_rack() -> (Lab, RackProcess, String) {
    let lab = elsewhere();
    let [dhcp, tftp, http] = free_ports();
    let listen = |name: &str, port: u16| format!("{name} listen=\"127.0.0.1:{port}\"");
    let services = [listen("dhcp", dhcp), listen("tftp", tftp), listen("http", http)].join("; ");
    lab.edit(
        "site.kdl",
        "site \"elsewhere\" {",
        &format!("site \"elsewhere\" {{ services {{ {services} }}; "),
    );
    // Only two addresses are to be given.
    lab.edit("site.kdl", "\"10.20.0.10\" \"10.20.0.60\"", "\"10.20.0.10\" \"10.20.0.11\"");
    let rack = RackProcess::start(&lab);
    let store = format!("sqlite:{}", lab.beside("rehearsal.db").display());
    (lab, rack, store)
}

fn apply(lab: &Lab, rack: &RackProcess, store: &str, on: &str) -> Output {
    let args = ["--store", store, "--rack", rack.file(), "--on", on, "--yes", "--approve", "data-loss"];
    rackwright(&[&["apply", lab.design()], &args[..]].concat())
}

#[test]
fn stand_ins_reach_no_store_of_real_machines_and_no_network_but_loopback() {
    let (lab, rack, store) = on_a_rack();
    rackwright(&["apply", lab.design(), "--rack", rack.file(), "--yes"])
        .exits(64)
        .says("--store sqlite:PATH");
    assert!(!lab.store().exists());
    let site = lab.read("site.kdl");
    lab.edit("site.kdl", "dhcp listen=\"127.0.0.1", "dhcp listen=\"0.0.0.0");
    apply(&lab, &rack, &store, "n3").exits(1).says("rehearse on loopback");
    lab.write("site.kdl", &site);
    let file = lab.beside("plan.json");
    let file = file.to_str().unwrap();
    rackwright(&["plan", lab.design(), "--virtual", "--out", file]).exits(0);
    // The plan of a rehearsal is none for real machines.
    rackwright(&["apply", file, "--yes", "--approve", "data-loss"]).exits(5).says("the plan of a rehearsal");
}

#[test]
fn an_address_that_a_node_was_given_stays_whoever_comes() {
    let (lab, rack, store) = on_a_rack();
    let stored = ["--store", store.as_str()];
    apply(&lab, &rack, &store, "n2|n3").exits(0);
    let before = [address(&lab, "n2", &stored), address(&lab, "n3", &stored)];
    // Nodes with names before and after them, and room for two more: the old ones stay where they are.
    lab.edit("site.kdl", "10.20.0.11", "10.20.0.13");
    lab.append(
        "site.kdl",
        "node \"a1\" profile=\"redfish\" { bmc \"redfish\" address=\"https://172.16.0.4\"; boot-mac \"525400123404\"; address \"pxe\" \"auto\" }\nnode \"z1\" profile=\"redfish\" { bmc \"redfish\" address=\"https://172.16.0.5\"; boot-mac \"525400123405\"; address \"pxe\" \"auto\" }\n",
    );
    assert_eq!([address(&lab, "n2", &stored), address(&lab, "n3", &stored)], before);
    let all: BTreeSet<String> = ["a1", "n2", "n3", "z1"].map(|node| address(&lab, node, &stored)).into();
    assert_eq!(all.len(), 4);
    // A renamed node takes its address along.
    lab.edit("site.kdl", "node \"n2\" profile=\"redfish\"", "node \"m9\" profile=\"redfish\" was=\"n2\"");
    assert_eq!(address(&lab, "m9", &stored), before[0]);
    // One that the design has forgotten still has its own: nobody else gets it.
    lab.edit("site.kdl", "node \"n3\" profile", "/-node \"n3\" profile");
    let others: BTreeSet<String> = ["a1", "m9", "z1"].map(|node| address(&lab, node, &stored)).into();
    assert!(others.len() == 3 && !others.contains(&before[1]), "{others:?} {before:?}");
}

#[test]
fn a_boot_mac_that_is_left_to_the_machine_never_takes_another_nodes() {
    let (lab, rack, store) = on_a_rack();
    // The BMC addresses of two nodes are confused: n2's leads to the machine whose MAC n3 names.
    let site = lab.read("site.kdl");
    let confused = site
        .replace("172.16.0.2", "172.16.0.9")
        .replace("172.16.0.3", "172.16.0.2")
        .replace("172.16.0.9", "172.16.0.3");
    lab.write("site.kdl", &confused);
    apply(&lab, &rack, &store, "n2|n3").exits(4).says("which is the boot MAC of node `n3`");
    assert!(rack.log().is_empty(), "a machine was touched");
}

#[test]
fn machines_that_share_a_bmc_are_rehearsed_each_on_its_own() {
    let lab = elsewhere();
    lab.edit(
        "site.kdl",
        "bmc \"redfish\" address=\"https://172.16.0.3\"",
        "bmc \"redfish\" address=\"https://172.16.0.2\" system=\"2\"",
    );
    lab.edit(
        "site.kdl",
        "bmc \"redfish\" address=\"https://172.16.0.2\";",
        "bmc \"redfish\" address=\"https://172.16.0.2\" system=\"1\";",
    );
    rackwright(&["apply", lab.design(), "--virtual", "--yes"]).exits(0);
    let log = lab.virtual_log();
    for node in ["n2", "n3"] {
        assert_eq!(installs(&log, Some(node)).len(), 1, "{node}");
    }
}
