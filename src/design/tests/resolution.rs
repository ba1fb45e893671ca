//! Resolution: what a node's spec comes to, and from which layers.

use super::{BASE, site};
use crate::model::path::Path;
use crate::model::value::Value;

fn with(text: &str) -> crate::model::site::Site {
    site(&[("base.kdl", BASE), ("x.kdl", text)])
}

#[test]
fn a_small_node_has_every_field() {
    insta::assert_json_snapshot!(site(&[("base.kdl", BASE)]).nodes[0].spec);
}

#[test]
fn layers_stand_from_weakest_to_strongest() {
    let site = with(
        r#"profile "a" { label "x" "a"; tag "a" }
        profile "b" { label "x" "b"; tag "b" }
        profile "c" extends="a,base" { extends "b"; tag "c" "!a" }
        node "n02" profile="c" { bmc "redfish" address="https://10.17.1.2"; boot-mac "525400123402"; tag "own" }"#,
    );
    let node = site.node("n02").unwrap();
    let labels: Vec<&str> = node.layers.iter().map(|layer| &*layer.label).collect();
    assert_eq!(
        labels,
        [
            "built-in defaults",
            "site \"test\"",
            "hardware \"h1\"",
            "image \"debian-12\"",
            "profile \"a\"",
            "profile \"base\"",
            "profile \"b\"",
            "profile \"c\"",
            "node \"n02\""
        ]
    );
    assert_eq!(node.spec.get("tags").unwrap().to_string(), r#"["own","c","b"]"#);
    assert_eq!(node.spec.str_at("labels.x"), Some("b"));
    assert_eq!(node.spec.str_at("boot-mac"), Some("52:54:00:12:34:02"));
    assert!(node.is_written(&Path::parse("image.kernel.checksum")));
    assert!(!node.is_written(&Path::parse("hardware.boot-mode")));
    let place = node.layers.iter().nth(7).unwrap().places.get(&Path::parse("tags.0")).unwrap();
    assert_eq!((place.line, &*place.file), (3, "x.kdl"));
}

#[test]
fn null_removes_and_the_nearest_wins() {
    let site = with(
        r#"profile "child" extends="base" {
            kernel-param "console" #null; kernel-param "quiet" #true; power "on"; param "a" (secret)"env:A" version=2
        }
        node "n02" profile="child" was="old" {
            bmc "redfish" address="https://10.17.1.2" system="1"; boot-mac "52:54:00:12:34:02"; power "off"
            boot-override "pxe"; protect #true; domain "other.net"; dns "10.20.0.9"
        }"#,
    );
    let node = site.node("n02").unwrap();
    assert_eq!(node.was.as_deref(), Some("old"));
    assert_eq!(node.spec.get("kernel-params").unwrap().to_string(), r#"{"quiet":true}"#);
    assert_eq!(node.spec.str_at("power"), Some("off"));
    assert_eq!(node.spec.get("params").unwrap().get("a"), Some(&Value::Secret("env:A#version=2".into())));
    assert_eq!(node.spec.get("dns").unwrap().to_string(), r#"["10.20.0.9","10.20.0.2"]"#);
    assert_eq!(node.spec.str_at("boot-override.persistence"), Some("continuous"));
    assert_eq!(node.spec.get("was"), None);
}

#[test]
fn a_block_gives_each_node_its_own_values() {
    let site = with(
        r#"nodes "r{rack}-n{slot:02}" rack="2..3" slot="9..10" profile="base" was="old-{rack}-{slot}" {
            rack "r{rack}" unit="{slot}"
            bmc "redfish" address="https://10.17.{rack}.{slot}" password=(secret)"env:BMC_{rack}"
            boot-mac "52:54:00:12:{rack:02x}:{slot:02x}"; tag "rack-{rack}" "all"; label "slot" "{slot}"
        }"#,
    );
    assert_eq!(site.nodes.len(), 5);
    let node = site.node("r3-n10").unwrap();
    assert_eq!(node.spec.get("unit"), Some(&Value::Int(10)));
    assert_eq!(node.spec.str_at("boot-mac"), Some("52:54:00:12:03:0a"));
    assert_eq!(node.spec.get("bmc").unwrap().get("password"), Some(&Value::Secret("env:BMC_3".into())));
    assert_eq!(node.spec.get("tags").unwrap().to_string(), r#"["rack-3","all"]"#);
    assert_eq!(node.was.as_deref(), Some("old-3-10"));
    assert_eq!(&*node.layers.iter().last().unwrap().label, "nodes \"r{rack}-n{slot:02}\"");
}

#[test]
fn tasks_and_blueprints_are_typed_and_can_be_overridden() {
    let site = site(&[
        ("base.kdl", BASE),
        ("x.kdl", r#"task "std/bios" script="mine.rhai" { realizes "hardware.bios"; hazard "data-loss" }"#),
        ("scripts/mine.rhai", "fn apply(node) {}"),
    ]);
    assert_eq!(&*site.tasks["std/bios"].script.file, "scripts/mine.rhai");
    let steps: Vec<&str> = site.blueprints["std/bring-up"].steps.iter().map(|step| &*step.name).collect();
    assert_eq!(steps, ["bios", "install"]);
    assert_eq!(site.blueprints["std/bring-up"].steps[1].retry.count, 2);
    let install = &site.tasks["std/install"];
    assert_eq!(install.realizes.len(), 2);
    assert_eq!(install.params.len(), 2);
    assert_eq!(site.scripts.len(), 3);
}

#[test]
fn regions_racks_rows_and_nodes_stand_in_their_order() {
    let text = r#"region "west" { label "x" "region"; tag "region"; ntp "10.20.0.3" }
        rack "r1" { region "west"; label "x" "rack"; label "y" "rack"; tag "rack" }
        hardware "h2" { label "y" "hardware"; label "z" "hardware" }
        profile "p" extends="base" { hardware "h2"; label "z" "profile"; label "v" "profile" }
        nodes "m{n}" n="1..3" profile="p" { rack "r1" unit="{n}"; label "v" "block"; label "w" "block"; bmc "redfish" address="https://m{n}"; boot-mac "52540012350{n}" }
        inventory "inventory/x.csv" { column "W" "labels.w"; column "U" "labels.u" }
        node "m2" { label "u" "node"; tag "!rack" }"#;
    let table = "name,W,U,tags,boot-mac\nm2,row,row,\"row, more\",\nm3,row,,,52:54:00:12:36:03\n";
    let site = site(&[("base.kdl", BASE), ("x.kdl", text), ("inventory/x.csv", table)]);
    let label = |node: &str, name: &str| {
        site.node(node).unwrap().spec.str_at(&format!("labels.{name}")).map(str::to_string)
    };
    let all = |node: &str| {
        ["x", "y", "z", "v", "w", "u"].map(|name| label(node, name).unwrap_or_default()).join(" ")
    };
    assert_eq!(all("m1"), "rack hardware profile block block ");
    assert_eq!(all("m2"), "rack hardware profile block row node");
    assert_eq!(all("m3"), "rack hardware profile block row ");
    let spec =
        |node: &str, path: &str| site.node(node).unwrap().spec.at(&Path::parse(path)).unwrap().to_string();
    assert_eq!(spec("m2", "tags"), r#"["row","more","region"]"#);
    assert_eq!(spec("m3", "boot-mac"), r#""52:54:00:12:36:03""#);
    assert_eq!(
        (spec("m1", "region"), spec("m1", "ntp"), spec("m3", "name")),
        (r#""west""#.into(), r#"["10.20.0.3"]"#.into(), r#""m3""#.into())
    );
    let labels: Vec<&str> = site.node("m2").unwrap().layers.iter().map(|layer| &*layer.label).collect();
    assert_eq!(
        labels[1..],
        [
            "site \"test\"",
            "region \"west\"",
            "rack \"r1\"",
            "hardware \"h2\"",
            "image \"debian-12\"",
            "profile \"base\"",
            "profile \"p\"",
            "nodes \"m{n}\"",
            "nodes \"m{n}\"",
            "row 2 of inventory/x.csv",
            "node \"m2\""
        ]
    );
    assert_eq!(site.node("m3").unwrap().place.to_string(), "inventory/x.csv:3:1");
}

#[test]
fn cells_keep_what_is_written() {
    let table = "name,boot-mac,bmc.address,params.a,params.b,params.c,authorized-keys,tags,,\n\
        m6,52:54:00:12:35:06,https://10.17.2.6,00123,+5,-5,\"from=\"\"10.0.0.1,10.0.0.2\"\" ssh-ed25519 A x\",a;b,,\n";
    let inventory = "inventory \"inventory/a.csv\" profile=\"base\"";
    let site = site(&[("base.kdl", BASE), ("x.kdl", inventory), ("inventory/a.csv", table)]);
    let spec = &site.node("m6").unwrap().spec;
    assert_eq!(spec.get("params").unwrap().to_string(), r#"{"a":"00123","b":"+5","c":-5}"#);
    let keys = spec.get("authorized-keys").unwrap().as_list().unwrap();
    assert_eq!(keys[0].as_str(), Some("from=\"10.0.0.1,10.0.0.2\" ssh-ed25519 A x"));
    assert_eq!(spec.get("tags").unwrap().to_string(), r#"["a","b"]"#);
}

#[test]
fn a_pattern_takes_out_of_a_list() {
    let site = with(
        r#"profile "many" extends="base" { tag "rack-1" "rack-2" "all" }
        nodes "m{rack}" rack="1..2" profile="many" {
            bmc "redfish" address="https://10.17.2.{rack}"; boot-mac "52:54:00:12:35:{rack:02x}"; tag "!rack-{rack}"
        }"#,
    );
    assert_eq!(site.node("m1").unwrap().spec.get("tags").unwrap().to_string(), r#"["rack-2","all"]"#);
    assert_eq!(site.node("m2").unwrap().spec.get("tags").unwrap().to_string(), r#"["rack-1","all"]"#);
}

/// A design in which what ports carry follows from all that has a say in it.
const WIRED: &str = r#"
    hardware "h2" { vendor "Rackwright"; pxe-interface "nic0" }
    network "boot" { cidr "10.30.0.0/24"; vlan 30; dhcp mode="server" { range "10.30.0.100" "10.30.0.200" } }
    network "prod" { cidr "10.31.0.0/24"; vlan 31 }
    network "store" { cidr "10.32.0.0/24"; vlan 7 }
    link "prod" { bond "802.3ad"; trunk native="boot"; allow "prod" "boot" "store" }
    link "theirs" { leave-alone #true }
    switch "sw1" { uri "https://10.16.0.5"; user "ops"; password (secret)"env:SWITCH" }
    rack "r1" { cable "nic0" switch="sw1"; cable "nic1" switch="sw1" }
    task "ports" script="ports.rhai" { realizes "ports"; uses "interfaces" }
    blueprint "wired" { step "ports" task="ports" }
    node "n02" profile="base" {
        rack "r1"; hardware "h2"; lifecycle "wired"
        bmc "redfish" address="https://10.17.1.2"; boot-mac "52:54:00:12:34:02"
        interface "bond0" link="prod" { members "nic1" "nic2"; network "prod" }
        interface "nic3" link="theirs"
        cable "nic0" port="Ethernet1/1"; cable "nic1" port="Ethernet1/2"; cable "nic3" switch="sw1" port="Ethernet1/3"
    }"#;

#[test]
fn what_ports_carry_follows_from_cables_links_and_networks() {
    let files = [("base.kdl", BASE), ("x.kdl", WIRED), ("scripts/ports.rhai", "fn apply(node) {}")];
    let notes: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let compiled = super::compiled(&notes);
    let shown: String = compiled.findings.iter().map(super::shown).collect();
    let site = compiled.site.unwrap_or_else(|| panic!("{shown}"));
    let node = site.node("n02").unwrap();
    let shown = |path: &str| node.spec.at(&Path::parse(path)).unwrap().to_string();
    assert_eq!(
        shown("ports.nic1"),
        r#"{"enabled":true,"mode":"trunk","native-vlan":30,"port":"Ethernet1/2","switch-name":"sw1","vlans":[7,31]}"#
    );
    assert_eq!(shown("ports.nic0"), r#"{"enabled":false,"port":"Ethernet1/1","switch-name":"sw1"}"#);
    assert_eq!(node.spec.at(&Path::parse("ports.nic3")), None);
    let image = format!("debian-12 {}", node.spec.str_at("image.checksum").unwrap());
    assert_eq!(
        shown("boot-ports"),
        format!(
            r#"{{"nic0":{{"enabled":true,"image":"{image}","mode":"access","native-vlan":30,"vlans":[]}},"nic1":{{"enabled":false}}}}"#
        )
    );
    assert_eq!(node.spec.str_at("port-switches.sw1.uri"), Some("https://10.16.0.5"));
    assert!(node.is_written(&Path::parse("ports.nic1.vlans")));
    let place = |path: &str| crate::design::resolve::place_in(node, path).line;
    assert_eq!((place("ports.nic1.vlans"), place("ports.nic1.port"), place("boot-ports.nic0")), (6, 17, 3));
}

#[test]
fn members_of_a_bond_with_a_cable_are_members_of_its_aggregate() {
    let bonded = WIRED
        .replace("pxe-interface \"nic0\"", "pxe-interface \"nic1\"")
        .replace("cable \"nic0\" port=\"Ethernet1/1\"", "cable \"nic0\" #null")
        .replace("cable \"nic3\"", "cable \"bond0\" switch=\"sw1\" port=\"Port-Channel5\"; cable \"nic3\"");
    let files = [("base.kdl", BASE), ("x.kdl", &bonded), ("scripts/ports.rhai", "fn apply(node) {}")];
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let compiled = super::compiled(&files);
    let found: String = compiled.findings.iter().map(super::shown).collect();
    let site = compiled.site.unwrap_or_else(|| panic!("{found}"));
    let node = site.node("n02").unwrap();
    let shown = |path: &str| node.spec.at(&Path::parse(path)).unwrap().to_string();
    assert_eq!(
        shown("ports.nic1"),
        r#"{"aggregate":"Port-Channel5","enabled":true,"port":"Ethernet1/2","switch-name":"sw1"}"#
    );
    assert_eq!(
        shown("ports.bond0"),
        r#"{"enabled":true,"mode":"trunk","native-vlan":30,"port":"Port-Channel5","switch-name":"sw1","vlans":[7,31]}"#
    );
    // Firmware knows no aggregates, and one without members carries nothing.
    let boot = node.spec.get("boot-ports").unwrap().as_map().unwrap();
    assert_eq!(boot.keys().map(|name| &**name).collect::<Vec<_>>(), ["nic1"]);
    assert_eq!(node.spec.str_at("boot-ports.nic1.aggregate"), Some(""));
}
