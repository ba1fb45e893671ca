//! `export`: the lab for other programs, as they would read it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Lab, rackwright};
use serde_json::{Value, json};

/// Everything in the answer that is text; the reference of the BMC's password must not be in it.
fn without_secrets(answer: &Value) {
    assert!(!answer.to_string().contains("BMC_PASSWORD"), "{answer}");
}

fn hosts<'a>(inventory: &'a Value, group: &str) -> Vec<&'a str> {
    let hosts = inventory[group]["hosts"].as_array().unwrap_or_else(|| panic!("no {group}: {inventory}"));
    hosts.iter().map(|host| host.as_str().unwrap()).collect()
}

#[test]
fn the_site_as_json_is_whole_and_holds_no_secret() {
    let lab = Lab::small(3);
    let site = rackwright(&["export", "json", lab.design()]).exits(0).json();
    without_secrets(&site);
    assert_eq!(
        (&site["format"], &site["site"], &site["first_install"]),
        (&json!(1), &json!("lab"), &json!("allow"))
    );
    assert_eq!(site["networks"]["pxe"]["cidr"], "10.20.0.0/21");
    assert_eq!(site["networks"]["pxe"]["dhcp"]["lease_ms"], 3_600_000);
    let nodes = site["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 3);
    let shown = rackwright(&["show", lab.design(), "node", "lab-n02", "--json"]).exits(0).json();
    assert_eq!(nodes[1]["spec"], shown["spec"]);
    assert_eq!(nodes[1]["spec"]["bmc"]["password"], "(secret)");
    assert_eq!(nodes[1]["profiles"], json!(["base", "compute"]));
    assert!(site["things"]["image"]["debian-12"]["place"].as_str().unwrap().starts_with("images.kdl:"));
    assert_eq!(site["tasks"]["std/bios"]["script"], "stdlib/bios.rhai");
    assert_eq!(site["blueprints"]["std/bring-up"]["steps"][1]["after"], json!(["verify"]));
    assert!(!lab.own().exists(), "an export made a store");
}

#[test]
fn the_inventory_has_every_host_in_its_groups() {
    let lab = Lab::small(2);
    lab.edit("nodes.kdl", "    rack \"r1\"", "    tag \"gen-10\" \"gen.10\"; rack \"r1\"");
    let inventory = rackwright(&["export", "ansible", lab.design(), "--list"]).exits(0).json();
    without_secrets(&inventory);
    let both = ["lab-n01", "lab-n02"];
    let groups = [
        "rack_r1",
        "label_role_worker",
        "profile_base",
        "profile_compute",
        "hardware_virtual_1u",
        "tag_compute",
    ];
    for group in groups {
        assert_eq!(hosts(&inventory, group), both, "{group}");
    }
    let names: Vec<&str> = inventory.as_object().unwrap().keys().map(String::as_str).collect();
    let children: Vec<&str> =
        inventory["all"]["children"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let listed = |name: &&&str| !["_meta", "all"].contains(*name);
    assert_eq!(names.iter().filter(listed).count(), children.len());
    assert!(children.iter().all(|name| names.contains(name)));
    // `gen-10` and `gen.10` would have one name.
    let tags = names.iter().filter(|name| name.starts_with("tag_gen_10_")).count();
    assert_eq!(tags, 2, "{names:?}");
    assert_eq!(hosts(&inventory, "ungrouped"), Vec::<&str>::new());
    let variables = &inventory["_meta"]["hostvars"]["lab-n01"];
    assert_eq!(variables["ansible_host"], "10.20.0.101");
    assert_eq!(variables["rackwright"]["boot_mac"], "52:54:00:12:34:01");
    assert_eq!(variables["rackwright"]["bmc"].get("password"), None);
    let one = rackwright(&["export", "ansible", lab.design(), "--host", "lab-n01"]).exits(0).json();
    assert_eq!(&one, variables);
    rackwright(&["export", "ansible", lab.design(), "--host", "lab-n1"])
        .exits(64)
        .says("did you mean `lab-n01`?");
}

#[test]
fn a_host_without_one_address_has_its_full_name_and_no_text_is_a_template() {
    let lab = Lab::small(1);
    lab.append("site.kdl", "network \"data\" { cidr \"10.30.0.0/24\" }\n");
    lab.append("nodes.kdl", "node \"odd\" profile=\"compute\" {\n    bmc \"redfish\" address=\"https://10.17.1.99\" user=\"root\" password=(secret)\"env:BMC_PASSWORD\"\n    boot-mac \"52:54:00:12:34:99\"; address \"pxe\" \"10.20.0.99\"; address \"data\" \"10.30.0.99\"\n    label \"motd\" \"{{ lookup('pipe', 'id') }}\"\n}\n");
    let odd = rackwright(&["export", "ansible", lab.design(), "--host", "odd"]).exits(0).json();
    assert_eq!(odd["ansible_host"], "odd.lab.example.net");
    let motd = &odd["rackwright"]["labels"]["motd"];
    assert_eq!(motd, &json!({"__ansible_unsafe": "{{ lookup('pipe', 'id') }}"}));
}

#[test]
fn an_address_that_was_given_is_the_one_that_others_reach() {
    let lab = Lab::small(2);
    lab.edit("nodes.kdl", "address \"pxe\" \"10.20.0.1{slot:02}\"", "address \"pxe\" \"auto\"");
    rackwright(&["apply", lab.design(), "--virtual", "--yes"]).exits(0);
    let store = format!("sqlite:{}", lab.virtual_store().display());
    let address = |more: &[&str]| {
        let command = ["export", "ansible", lab.design(), "--host", "lab-n01"];
        rackwright(&[&command[..], more].concat()).exits(0).json()["ansible_host"].clone()
    };
    let given = address(&[]);
    // Without a store, another range gives another address.
    let moved = (0..8).any(|step| {
        let first = format!("\"static\" \"10.20.0.{}\"", 10 + step);
        lab.edit("site.kdl", &first, &format!("\"static\" \"10.20.0.{}\"", 11 + step));
        address(&[]) != given
    });
    assert!(moved, "no range gives another address than {given}");
    assert_eq!(address(&["--store", &store]), given);
}

#[test]
fn blueprints_are_graphs() {
    let lab = Lab::small(1);
    let dot = rackwright(&["export", "graph", lab.design()]).exits(0);
    dot.says("digraph rackwright {")
        .says("\"std/bring-up: bios\" -> \"std/bring-up: install\";")
        .says("std/release");
    let chosen = ["export", "mermaid", lab.design(), "--blueprint", "std/bring-up"];
    let mermaid = rackwright(&chosen).exits(0);
    mermaid.says("flowchart LR").says("b0s1[\"bios<br>std/bios<br>prepare\"]").says("b0s1 --> b0s2");
    let one = rackwright(&[&chosen[..], &["--json"]].concat()).exits(0).json();
    assert_eq!(one["language"], "mermaid");
    assert!(!one["text"].as_str().unwrap().contains("std/release"));
    let unknown = ["export", "graph", lab.design(), "--blueprint", "std/bring-upp"];
    rackwright(&unknown).exits(64).says("did you mean `std/bring-up`?");
}
