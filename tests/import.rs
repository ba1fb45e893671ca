//! `import`: real sites of Drydock become designs that read well and are valid; what is wrong with them is said at its
//! place in their own documents; nothing is dropped in silence; tables become inventories.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Output, rackwright};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A site of Drydock, used where it lies.
fn site(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/drydock").join(name);
    assert!(path.is_file(), "the site {} is missing; this test imports it where it lies", path.display());
    path.display().to_string()
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Writes a file and gives its name.
    fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name).display().to_string()
    }

    /// Imports into the folder `site`.
    fn import(&self, kind: &str, files: &[&str]) -> Output {
        let out = self.path("site").display().to_string();
        rackwright(&[&["import", kind, "--out", &out, "--json"], files].concat())
    }
}

fn validate(file: &str) -> Output {
    rackwright(&["import", "drydock", "--validate-only", "--json", file])
}

fn all(output: &Output) -> String {
    format!("{}{}", output.stdout, output.stderr)
}

/// Code, subject and line of every finding.
fn findings(document: &Value) -> Vec<(String, String, u64)> {
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_string();
    let findings = document["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|it| (text(it, "code"), text(it, "subject"), it["line"].as_u64().unwrap_or_default()))
        .collect()
}

#[test]
fn a_whole_site_becomes_a_design_that_is_valid_and_formatted() {
    let folder = Folder::new();
    let output = folder.import("drydock", &[&site("deckhand_fullsite.yaml")]).exits(0).json();
    assert_eq!(output["summary"]["errors"], 0, "{output}");
    let written: Vec<&str> = output["written"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let files = ["site", "networks", "racks", "hardware", "images", "profiles", "nodes", "boot-actions"];
    assert_eq!(written, files.map(|name| format!("{name}.kdl")));
    let design = folder.path("site").display().to_string();
    rackwright(&["validate", &design]).exits(0);
    rackwright(&["fmt", "--check", &design]).exits(0);
    let expected = [
        ("networks.kdl", "    range \"dhcp\" \"172.16.0.5\" \"172.16.0.254\"\n"),
        ("networks.kdl", "    dhcp mode=\"server\" { relay \"172.16.0.4\" upstream=\"172.16.5.5\" }\n"),
        ("networks.kdl", "    route \"0.0.0.0/0\" gateway=\"172.16.1.1\" metric=10\n"),
        ("networks.kdl", "    bond \"802.3ad\" hash=\"layer3+4\" peer-rate=\"slow\"; mtu 9000"),
        ("racks.kdl", "    location { clli \"HSTNTXMOCG0\"; grid \"EG12\" }\n"),
        ("hardware.kdl", "    cpuset \"sriov\" \"2,4\"\n"),
        ("images.kdl", "image \"xenial\" { rehearsal-only #true; kernels \"ga-16.04\" }\n"),
        (
            "profiles.kdl",
            "    bmc \"ipmi\" network=\"oob\" user=\"admin\" password=(secret)\"env:BMC_PASSWORD\"\n",
        ),
        (
            "profiles.kdl",
            "        partition \"boot\" size=\"1g\" { filesystem \"ext4\" mount=\"/boot\" options=\"defaults\" }\n",
        ),
        ("profiles.kdl", "leave-alone #true }\n"),
        ("nodes.kdl", "    interface \"bond0\" { network \"!private\" }\n"),
        ("nodes.kdl", "    kernel-param \"isolcpus\" (ref)\"hardware.cpuset.sriov\"\n"),
        ("nodes.kdl", "    bmc \"ipmi\" address=\"172.16.100.21\"\n"),
        ("boot-actions.kdl", "            echo 'Hello World! -from {{ node.hostname }}'\n"),
        ("boot-actions.kdl", "    on \"name:compute01\"; signal #false\n"),
        ("boot-actions.kdl", "    package \"0xffff\"\n"),
        ("site.kdl", "fylJczIjTIFb5ls0jpbA3bMA9DE7lFKVQl6vVwFmiIVBI1 samplekey\"\n"),
    ];
    for (file, part) in expected {
        let text = folder.text(&format!("site/{file}"));
        assert!(text.contains(part), "{file} lacks {part:?}:\n{text}");
    }
    let shown = rackwright(&["show", &design, "node", "compute01", "--json"]).exits(0).json();
    let spec = &shown["spec"];
    assert_eq!(spec["kernel-params"]["isolcpus"], "2,4", "{spec}");
    assert_eq!(spec["kernel-params"]["hugepages"], 300, "{spec}");
    assert_eq!(spec["kernel-params"]["quiet"], true, "{spec}");
    assert_eq!(spec["bmc"]["address"], "172.16.100.21", "{spec}");
    assert_eq!(spec["interfaces"]["bond0"]["networks"], serde_json::json!(["mgmt", "private"]), "{spec}");
    let shown = rackwright(&["show", &design, "node", "controller01", "--json"]).exits(0).json();
    assert_eq!(shown["spec"]["interfaces"]["bond0"]["networks"], serde_json::json!(["mgmt"]));
}

#[test]
fn an_imported_site_is_rehearsed_to_its_end() {
    let folder = Folder::new();
    folder.import("drydock", &[&site("deckhand_fullsite.yaml")]).exits(0);
    let design = folder.path("site").display().to_string();
    let output = rackwright(&["apply", &design, "--virtual", "--yes", "--json"]).exits(0);
    let last = output.events().pop().unwrap();
    assert_eq!((&last["event"], &last["result"]), (&"finished".into(), &"succeeded".into()), "{last}");
    assert_eq!(last["nodes"]["succeeded"], 3, "{last}");
}

#[test]
fn what_does_not_go_over_is_listed_and_a_credential_is_shown_nowhere() {
    let folder = Folder::new();
    let text = std::fs::read_to_string(site("deckhand_fullsite.yaml")).unwrap();
    let text = text.replacen("credential: admin", "credential: hunter2\n    novelty: [1, 2]", 1);
    let text = text + "---\nschema: pegleg/SiteDefinition/v1\nmetadata: {name: x}\ndata: {}\n";
    let file = folder.write("site.yaml", &text);
    let output = folder.import("drydock", &[&file]).exits(0);
    let json = output.json();
    let notes: BTreeSet<(&str, &str, &str)> = json["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| ["kind", "document", "field"].map(|key| it[key].as_str().unwrap()))
        .map(|[kind, document, field]| (kind, document, field))
        .collect();
    for note in [
        ("dropped", "drydock/Region/v1 sitename", "repositories.remove_unlisted"),
        ("dropped", "drydock/Rack/v1 rack1", "local_networks.0"),
        ("dropped", "drydock/HostProfile/v1 defaults", "oob.novelty"),
        ("dropped", "pegleg/SiteDefinition/v1 x", "schema"),
        ("changed", "drydock/HostProfile/v1 defaults", "oob.credential"),
        ("changed", "drydock/HostProfile/v1 defaults", "platform.image"),
        ("changed", "drydock/BaremetalNode/v1 compute02", "metadata.rack"),
        ("changed", "drydock/BaremetalNode/v1 compute02", "metadata.boot_mac"),
        ("changed", "drydock/Network/v1 pxe", "dhcp_relay"),
    ] {
        assert!(notes.contains(&note), "{note:?} is not among {notes:#?}");
    }
    let design = folder.path("site");
    for entry in std::fs::read_dir(&design).unwrap() {
        let path = entry.unwrap().path();
        assert!(!std::fs::read_to_string(&path).unwrap().contains("hunter2"), "{}", path.display());
    }
    assert!(!all(&output).contains("hunter2"));
    // A finding beside the credential shows the source around it.
    let broken = folder.write("broken.yaml", &text.replacen("    account: admin", "    account: [admin]", 1));
    let output = rackwright(&["import", "drydock", "--validate-only", &broken]).exits(3);
    assert!(!all(&output).contains("hunter2"), "{}", all(&output));
}

#[test]
fn a_network_with_host_bits_is_the_only_fault_and_the_help_has_the_network() {
    let file = site("invalid_network_cidr.yaml");
    let output = validate(&file).exits(3).json();
    assert_eq!(findings(&output), [("RW0032".into(), "drydock/Network/v1 oob".into(), 128)]);
    let finding = &output["findings"][0];
    assert_eq!((&finding["file"], &finding["column"]), (&Value::from(file), &Value::from(9)));
    assert!(finding["help"].as_str().unwrap().contains("172.16.100.0/24"), "{finding}");
    assert_eq!(output["summary"]["errors"], 1);
}

#[test]
fn small_filesystems_are_the_only_faults_of_a_site() {
    let output = validate(&site("invalid_boot_storage_small.yaml")).exits(3).json();
    let found: BTreeSet<(String, u64)> =
        findings(&output).into_iter().map(|(code, _, line)| (code, line)).collect();
    // The partition that is to hold `/`, and the one that is to hold `/boot`.
    assert_eq!(found, BTreeSet::from([("RW0056".into(), 244), ("RW0057".into(), 253)]), "{output}");
}

#[test]
fn sites_without_faults_have_none() {
    for name in ["deckhand_fullsite.yaml", "deckhand_fullsite_nic_autodetect.yaml", "validation.yaml"] {
        let output = validate(&site(name)).exits(0).json();
        assert_eq!(output["summary"]["errors"], 0, "{name}: {output}");
    }
    let folder = Folder::new();
    folder.import("drydock", &[&site("deckhand_fullsite_nic_autodetect.yaml")]).exits(0);
    let hardware = folder.text("site/hardware.kdl");
    assert!(hardware.contains(r##"address-pattern=#"0000:(19|01):00\.0"#"##), "{hardware}");
    let folder = Folder::new();
    folder.import("drydock", &[&site("deckhand_routedomain.yaml")]).exits(0);
    let networks = folder.text("site/networks.kdl");
    assert!(
        networks.contains("route route-domain=\"storage\" gateway=\"172.16.1.1\" metric=10"),
        "{networks}"
    );
}

#[test]
fn several_files_are_one_site_and_a_folder_that_is_not_empty_stays_as_it_is() {
    let folder = Folder::new();
    let text = std::fs::read_to_string(site("deckhand_fullsite.yaml")).unwrap();
    let (first, second) = text.split_at(text.find("---\nschema: 'drydock/HostProfile/v1'").unwrap());
    let (first, second) = (folder.write("a.yaml", first), folder.write("b.yaml", second));
    assert_eq!(folder.import("drydock", &[&first, &second]).exits(0).json()["summary"]["errors"], 0);
    let before = folder.text("site/nodes.kdl");
    let output = folder.import("drydock", &[&first]).exits(64);
    output.says("is not empty");
    assert_eq!(folder.text("site/nodes.kdl"), before);
}

#[test]
fn broken_files_write_nothing_and_say_where() {
    let folder = Folder::new();
    let cases = [
        ("schema: drydock/Network/v1\nmetadata: {name: a}\ndata:\n\tcidr: x\n", "RW0084", 4),
        (
            "schema: drydock/Network/v1\nmetadata: {name: a, name: b}\ndata: {cidr: 10.0.0.0/24}\n",
            "RW0017",
            2,
        ),
        ("schema: drydock/Network/v1\nmetadata: {}\ndata: {}\n", "RW0085", 1),
        ("- 1\n", "RW0085", 1),
        ("a: 1\n", "RW0085", 1),
        ("", "RW0085", 1),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: *d\n", "RW0084", 3),
    ];
    for (text, code, line) in cases {
        let file = folder.write("broken.yaml", text);
        let found = findings(&validate(&file).exits(3).json());
        assert!(found.iter().any(|(held, _, at)| held == code && *at == line), "{text}: {found:?}");
        folder.import("drydock", &[&file]).exits(3);
        assert!(!folder.path("site").exists(), "{text}");
    }
    validate(&folder.path("none.yaml").display().to_string()).exits(3).says("none.yaml");
}

#[test]
fn a_table_becomes_an_inventory() {
    let folder = Folder::new();
    let table = "\u{feff}Hostname;MAC Address;BMC IP;Rack;U;Asset No\n\
                 r1-n01;52:54:00:12:34:01;10.17.1.1;r1;12;A-1\nr1-n02;52:54:00:12:34:02;10.17.1.2;r1;13;A-2\n";
    let file = folder.write("fra1.csv", table);
    let output = folder.import("csv", &[&file]).exits(0).json();
    assert_eq!(output["summary"]["errors"], 0, "{output}");
    assert_eq!(output["notes"][0]["field"], "column `Asset No`");
    assert_eq!(folder.text("site/inventory/fra1.csv"), table);
    let design = folder.path("site").display().to_string();
    rackwright(&["validate", "--strict", &design]).exits(0);
    rackwright(&["fmt", "--check", &design]).exits(0);
    let spec = rackwright(&["show", &design, "node", "r1-n02", "--json"]).exits(0).json()["spec"].clone();
    assert_eq!((&spec["rack"], &spec["unit"]), (&Value::from("r1"), &Value::from(13)));
    assert_eq!(spec["bmc"]["address"], "https://10.17.1.2");
    let file = folder.write("bad.csv", "Hostname,Password\na,hunter2\n");
    let refused = rackwright(&["import", "csv", "--validate-only", &file]).exits(3);
    assert!(all(&refused).contains("RW0014") && !all(&refused).contains("hunter2"), "{}", all(&refused));
}
