//! The designs that come with Rackwright, as their readers use them: valid, in the house style, and rehearsed; broken
//! on purpose, with every fault found at once; and explained, value by value, down to the line of each layer.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Lab, installs, mutating, rackwright};
use std::collections::BTreeSet;
use std::path::Path;

const MACHINES: usize = 81;

fn names() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("designs");
    let folders =
        std::fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> =
        folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn every_design_is_valid_and_in_the_house_style() {
    let names = names();
    assert!(names.contains(&"campus".to_string()), "{names:?}");
    for name in names {
        let design = Lab::of(&name);
        let said = rackwright(&["validate", design.design(), "--strict", "--json"]).exits(0).json();
        assert_eq!((&said["summary"]["errors"], &said["summary"]["warnings"]), (&0.into(), &0.into()));
        let findings = said["findings"].as_array().unwrap();
        assert!(findings.iter().all(|finding| finding["code"] == "RW0090"), "{name}: {findings:#?}");
        rackwright(&["fmt", design.design(), "--check"]).exits(0);
    }
}

#[test]
fn the_campus_comes_up_and_a_second_apply_changes_nothing() {
    let campus = Lab::of("campus");
    let as_designed = format!("Nothing has to change: {MACHINES} nodes as designed.");
    rackwright(&["plan", campus.design(), "--virtual", "--exit-code"]).exits(2);
    rackwright(&["apply", campus.design(), "--virtual", "--yes"])
        .exits(0)
        .says(&format!("{MACHINES} succeeded"));
    let log = campus.virtual_log();
    // The gateways are installed by others.
    assert_eq!(installs(&log, None).len(), MACHINES - 2);
    assert!(installs(&log, Some("gw-north")).is_empty());
    rackwright(&["apply", campus.design(), "--virtual", "--yes"]).exits(0).says(&as_designed);
    let again = campus.virtual_log();
    assert!(mutating(&again[log.len()..]).is_empty(), "{:#?}", &again[log.len()..]);
    rackwright(&["plan", campus.design(), "--virtual", "--refresh", "--exit-code"])
        .exits(0)
        .says(&as_designed);
}

/// A slip of the pen: in `file`, which holds `old` once, it becomes `new`. The finding of that code stands in `found_in`
/// on the line on which `at` ends; without one, `new` itself. `⏎` is a line break and an indent of four.
struct Mistake {
    code: &'static str,
    file: &'static str,
    old: &'static str,
    new: &'static str,
    found_in: &'static str,
    at: &'static str,
}

const fn mistake(
    code: &'static str,
    file: &'static str,
    old: &'static str,
    new: &'static str,
    at: &'static str,
) -> Mistake {
    Mistake { code, file, old, new, found_in: file, at }
}

const SITE: &str = "site.kdl";
const NETWORKS: &str = "networks.kdl";
const NODES: &str = "nodes.kdl";
const PROFILES: &str = "profiles.kdl";
const IMAGES: &str = "images.kdl";
const OPERATIONS: &str = "operations.kdl";
const TENANTS: &str = "tenants.kdl";
const ACTIONS: &str = "boot-actions.kdl";
const REPOSITORIES: &str = "templates/repositories.kdl";
const TABLE: &str = "inventory/bench.csv";
const HANDOVER: &str = "scripts/handover.rhai";
const INSTALLER: &str = "scripts/install_patiently.rhai";

#[rustfmt::skip]
const MISTAKES: &[Mistake] = &[
    // What may stand where, and what it must be.
    mistake("RW0004", SITE, r#"address "10.40.0.14"; driver "sonic""#, r#"address "10.40.0.14"; drivr "sonic""#, ""),
    mistake("RW0005", OPERATIONS, r#"max-unavailable "10%" per="rack""#, r#"max-unavailable "10%" pre="rack""#, ""),
    mistake("RW0006", TENANTS, r#"pool "compute" { of "nodes""#, r#"pool "compute" { of "nodes" "runners""#, ""),
    mistake("RW0007", REPOSITORIES, r#"    type "apt"⏎url "https://mirror.campus.example.net/ceph-reef""#, r#"    url "https://mirror.campus.example.net/ceph-reef""#, r#"repository "ceph""#),
    mistake("RW0008", OPERATIONS, "count 5 ", r#"count "five" "#, ""),
    mistake("RW0008", OPERATIONS, r#"window "nightly" cron="0 1 * * *" for="4h""#, r#"window "nightly" cron="0 1 * * *" for="4 hours""#, ""),
    mistake("RW0013", OPERATIONS, r#""plan" "run""#, r#""plan" "runs""#, ""),
    mistake("RW0015", TENANTS, r#"param "longest-loan""#, r#"param "while""#, ""),
    mistake("RW0017", OPERATIONS, r#"event "bmc.alert""#, r#"event "bmc.alert"; event "bmc.warning""#, ""),
    mistake("RW0009", OPERATIONS, r#"role "lab" {"#, r#"role "operators" {  // of the lab"#, r#"role "operators" {  // of the lab"#),
    // What is named is there, in no circle, and no secret.
    mistake("RW0010", TENANTS, r#"leaders 3⏎blueprint "on-the-books""#, r#"leaders 3⏎blueprint "on-the-boks""#, r#"blueprint "on-the-boks""#),
    mistake("RW0010", NETWORKS, r#"domain (text)"mgmt.{zone}""#, r#"domain (text)"mgmt.{zon}""#, ""),
    mistake("RW0010", SITE, r#"include "templates/repositories.kdl""#, r#"include "templates/repositories.kdl"; include "templates/common.kdl""#, ""),
    mistake("RW0011", PROFILES, r#"profile "bench-next" extends="bench" {"#, r#"profile "bench-last" extends="bench-next"; profile "bench-next" extends="bench-last" {"#, ""),
    mistake("RW0014", TENANTS, r#"param "join-token" (secret)"vault:campus/k8s#join""#, r#"param "join-token" (secret)"hunter2""#, ""),
    mistake("RW0020", NODES, r#"param "peer" (ref)"node:ctl-3""#, r#"param "peer" (ref)"node:ctl-4""#, ""),
    mistake("RW0020", NODES, r#"kernel-param "isolcpus" "8-31,40-63""#, r#"kernel-param "isolcpus" (ref)"hardware.cpuset.guest""#, ""),
    // The table.
    Mistake { found_in: TABLE, ..mistake("RW0018", NODES, r#"ignore "Serial" "Remarks""#, r#"ignore "Serial""#, "Inventory No.") },
    mistake("RW0019", TABLE, "T-1052;bench-12;", "T-1052;;", ""),
    mistake("RW0008", TABLE, "00-25-90-5A-3C-0A", "00-25-90-5A-3C-0G", ""),
    // Addresses, networks, links, racks.
    mistake("RW0030", NODES, r#"address "prod" "10.43.0.22""#, r#"address "prod" "10.53.0.22""#, ""),
    mistake("RW0031", NETWORKS, r#"range "static" "10.40.1.1""#, r#"range "static" "10.40.0.200""#, ""),
    mistake("RW0032", NETWORKS, r#"route "0.0.0.0/0" gateway="10.43.0.2" metric=20"#, r#"route "10.0.0.1/8" gateway="10.43.0.2" metric=20"#, ""),
    mistake("RW0033", NODES, r#"boot-mac "52:54:00:c1:02:1f""#, r#"boot-mac "52-54-00-C1-02-1E""#, ""),
    mistake("RW0034", NODES, r#"boot-mac "52:54:00:c1:01:1e""#, "// boot-mac", r#"node "ctl-1""#),
    mistake("RW0035", NODES, r#"bmc "redfish" address="https://10.40.11.40""#, r#"bmc "redfish""#, r#"node "gw-south""#),
    mistake("RW0036", NODES, r#"node "gw-north""#, r#"node "gw_north""#, ""),
    mistake("RW0041", NODES, r#"address "pxe-north" "10.41.2.31""#, r#"address "pxe-north" "10.41.9.31""#, ""),
    mistake("RW0042", NETWORKS, r#"link "boot-south" { mtu 1500"#, r#"link "boot-south" { mtu 150"#, ""),
    mistake("RW0043", NETWORKS, r#"link "bond-storage-north" { bond "active-backup" monitor-rate=100; mtu (var)"jumbo""#, r#"link "bond-storage-north" { bond "active-backup" monitor-rate=100; mtu 1500"#, "vlan 44⏎mtu"),
    mistake("RW0044", NETWORKS, r#"link "boot-north" { mtu 1500; speed "1gfull"; allow "pxe-north" }"#, r#"link "boot-north" { mtu 1500; speed "1gfull"; allow "pxe-north" "oob" }"#, ""),
    mistake("RW0045", NETWORKS, r#"link "bond-storage-south" { bond "active-backup" monitor-rate=100"#, r#"link "bond-storage-south" { bond "active-backup" hash="layer2" monitor-rate=100"#, ""),
    mistake("RW0046", NETWORKS, r#"link "bench" { leave-alone #true; allow "pxe-north" }"#, r#"link "bench" { leave-alone #true; allow "pxe-north" }; link "uplink" { allow "oob" }"#, ""),
    mistake("RW0047", PROFILES, r#"interface "nic0" link="boot-north" { network "pxe-north""#, r#"interface "nic0" link="boot-north" { network "pxe-north" "pxe-south""#, ""),
    mistake("RW0048", NETWORKS, r#"route route-domain="storage" gateway="10.44.0.1" metric=10"#, r#"route gateway="10.44.0.1" metric=10"#, ""),
    mistake("RW0049", NODES, r#"bmc "redfish" address="https://10.40.2.30""#, r#"bmc "redfish" address="10.40.2.30""#, ""),
    mistake("RW0066", NODES, r#"rack "n2" unit=31"#, r#"rack "n2" unit=30 // beside it"#, ""),
    mistake("RW0069", NODES, r#"address "prod" "10.43.0.23""#, r#"// address "prod""#, r#"node "ctl-3" "#),
    mistake("RW0078", NETWORKS, r#"relay "10.41.16.2""#, r#"relay "10.41.0.2""#, ""),
    // Images, disks, and what is on them.
    mistake("RW0037", IMAGES, r#"    checksum "sha256:e3d9"#, r#"    // checksum "sha256:e3d9"#, r#"image "debian-12""#),
    mistake("RW0039", IMAGES, r#"initrd "https://images.campus.example.net/agent/1.4/initrd.zst""#, r#"initrd "files/agent/initrd.zst""#, r#"image "debian-12""#),
    mistake("RW0056", PROFILES, r#"partition "root" size=">40GiB""#, r#"partition "root" size=">4GiB""#, ""),
    mistake("RW0057", PROFILES, r#"partition "boot" size="2GiB""#, r#"partition "boot" size="200MiB""#, ""),
    mistake("RW0058", PROFILES, r#"disk "journal" group="journal"      //"#, r#"disk "nvme9n1"; disk "journal" group="journal"      //"#, ""),
    mistake("RW0059", PROFILES, r#"partition "system" size=">200GiB" group="system""#, r#"partition "system" size=">200GiB" group="sistem""#, ""),
    mistake("RW0062", PROFILES, r#"volume "db" size="60%""#, r#"volume "db" size="70%""#, r#"volume "wal" size"#),
    mistake("RW0063", PROFILES, r#"filesystem "xfs" mount="/srv" label="scratch""#, r#"filesystem "xfs" mount="/var/log" label="scratch""#, ""),
    mistake("RW0064", PROFILES, r#"kernel-param "hugepages" #null"#, "// kernel-param", r#"kernel-param "hugepages" (ref)"#),
    mistake("RW0065", NODES, r#"kernel "6.1""#, r#"kernel "6.2""#, ""),
    mistake("RW0067", PROFILES, r#"members "nic1" "nic2""#, r#"members "nic1" "nicc2""#, ""),
    mistake("RW0068", ACTIONS, r#"package "chrony" version="4.3-2+deb12u1""#, r#"package "chrony" version=">=4.3""#, ""),
    mistake("RW0074", PROFILES, r#"raid "md1" level="1""#, r#"raid "md1" level="5""#, ""),
    mistake("RW0075", PROFILES, r#"mount="/boot/efi" label="efi-a""#, r#"mount="/boot/efi" label="efi-b""#, r#"filesystem "vfat" label="efi-b""#),
    mistake("RW0076", ACTIONS, r#"source="templates/node-exporter.service""#, r#"source="templates/node-exportr.service""#, ""),
    // What is done.
    mistake("RW0070", SITE, r#"definition="params.memory>=512GiB""#, r#"definition="params.memory>=lots of it""#, ""),
    mistake("RW0010", OPERATIONS, r#"on="tag:storage" after="control""#, r#"on="tag:storage" after="contrl""#, ""),
    mistake("RW0038", OPERATIONS, r#"one-of "GiB" "TiB" }⏎step "verify" task="std/verify" phase="verify""#, r#"one-of "GiB" "TiB" }⏎step "verify" task="std/verify" phase="deploy""#, r#"phase="deploy" { retry 2 backoff="5s" }⏎step "memory""#),
    mistake("RW0050", HANDOVER, "owner: node.spec.owner_data,⏎});", "owner: node.spec.owner_data,⏎);", "    );"),
    mistake("RW0091", INSTALLER, "log::info(`${system.image.name} is up`)", "log::info(`${sytem.image.name} is up`)", ""),
    mistake("RW0093", INSTALLER, r#"bmc::set_boot_override(node, "pxe", "once");"#, "bmc::set_boot_override(node, node.spec.boot_override.device, \"once\");", ""),
    mistake("RW0094", INSTALLER, "let report = pxe::report(node);", "log::info(\"looking\"); let report = pxe::report(node);", ""),
    mistake("RW0051", OPERATIONS, r#"script="memory_check.rhai""#, r#"script="memory_chek.rhai""#, ""),
    mistake("RW0054", OPERATIONS, r#"allow "fact""#, r#"allow "facts""#, ""),
    mistake("RW0055", OPERATIONS, r#"uses "hardware.model""#, r#"uses "hardware.modell""#, ""),
    mistake("RW0061", ACTIONS, r#"source="templates/motd""#, r#"source="../motd""#, ""),
    mistake("RW0070", OPERATIONS, r#"on "tag:compute & region:south""#, r#"on "tag:compute & regin:south""#, ""),
];

fn lines(text: &str) -> String {
    text.replace('⏎', "\n    ")
}

/// Code, file and line.
type Found = (String, String, usize);

#[test]
fn every_mistake_of_a_broken_campus_is_found_at_once_and_in_its_place() {
    let campus = Lab::of("campus");
    for mistake in MISTAKES {
        let old = lines(mistake.old);
        assert_eq!(campus.read(mistake.file).matches(&old).count(), 1, "{}: `{old}`", mistake.file);
        campus.edit(mistake.file, &old, &lines(mistake.new));
    }
    let expected: BTreeSet<Found> = MISTAKES
        .iter()
        .map(|mistake| {
            let at = lines(if mistake.at.is_empty() { mistake.new } else { mistake.at });
            let line = line_of(&campus, mistake.found_in, &at);
            (mistake.code.to_string(), mistake.found_in.to_string(), line)
        })
        .collect();
    assert_eq!(expected.len(), MISTAKES.len(), "two mistakes cannot be told apart");
    let codes: BTreeSet<&str> = MISTAKES.iter().map(|mistake| mistake.code).collect();
    assert!(codes.len() >= 50, "{codes:?}");

    let said = rackwright(&["validate", campus.design(), "--json"]).exits(3).json();
    // A mistake in a profile is said of up to three of its nodes, all in one place.
    let found: BTreeSet<Found> = said["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["severity"] != "info")
        .map(|finding| {
            let text = |key: &str| finding[key].as_str().unwrap().to_string();
            (text("code"), text("file"), finding["line"].as_u64().unwrap() as usize)
        })
        .collect();
    let missed: Vec<&Found> = expected.difference(&found).collect();
    let invented: Vec<&Found> = found.difference(&expected).collect();
    assert!(missed.is_empty() && invented.is_empty(), "missed {missed:#?}\ninvented {invented:#?}");
    // Whoever reads it gets a way out of every one of them, and the secret is not said again.
    for finding in said["findings"].as_array().unwrap().iter().filter(|finding| finding["severity"] != "info")
    {
        assert!(finding["help"].as_str().is_some_and(|help| !help.is_empty()), "{finding:#}");
    }
    let human = rackwright(&["validate", campus.design()]).exits(3);
    assert!(!format!("{said}{}{}", human.stdout, human.stderr).contains("hunter2"));
    // Nothing is planned from a design with mistakes.
    rackwright(&["plan", campus.design(), "--virtual"]).exits(3);
}

/// What `--why` says of one value: node, path, and each layer that had a say, weakest first. A layer is named as it is
/// printed, and stands in the file on the line that holds the text. The last one won.
struct Why {
    of: &'static str,
    path: &'static str,
    value: &'static str,
    layers: &'static [(&'static str, &'static str, &'static str)],
}

/// The layer without a place.
const DEFAULTS: (&str, &str, &str) = ("built-in defaults", "", "");
const SITE_SUPPORT: (&str, &str, &str) = (r#"site "campus""#, SITE, r#"label "support" "office-hours""#);
const HARDWARE: &str = "hardware.kdl";

/// Every layer of the language, as a winner and as a loser where it can be one.
#[rustfmt::skip]
const WHYS: &[Why] = &[
    Why { of: "n1-c01", path: "domain", value: "campus.example.net",
          layers: &[DEFAULTS, (r#"site "campus""#, SITE, r#"domain (var)"zone""#)] },
    Why { of: "n1-c01", path: "labels.support", value: "24x7",
          layers: &[SITE_SUPPORT, (r#"rack "n1""#, SITE, r#"label "support" "24x7""#)] },
    Why { of: "s1-c01", path: "labels.support", value: "next-day",
          layers: &[SITE_SUPPORT, (r#"region "south""#, SITE, r#"label "support" "next-day""#)] },
    Why { of: "s1-s1", path: "labels.support", value: "24x7",
          layers: &[SITE_SUPPORT, (r#"region "south""#, SITE, r#"label "support" "next-day""#),
                    (r#"profile "storage""#, PROFILES, "label \"role\" \"ceph\"\n    lifecycle \"storage-bring-up\"\n    label \"support\"")] },
    Why { of: "bench-02", path: "labels.support", value: "best-effort",
          layers: &[SITE_SUPPORT, (r#"hardware "legacy-1u""#, HARDWARE, r#"label "support""#),
                    (r#"profile "bench""#, PROFILES, r#"label "support" "best-effort""#)] },
    Why { of: "bench-01", path: "labels.support", value: "office-hours",
          layers: &[SITE_SUPPORT, (r#"hardware "legacy-1u""#, HARDWARE, r#"label "support""#),
                    (r#"profile "bench""#, PROFILES, r#"label "support" "best-effort""#),
                    ("row 2 of inventory/bench.csv", TABLE, "bench-01;")] },
    Why { of: "bench-02", path: "kernel-params.console", value: "ttyS1,115200",
          layers: &[(r#"site "campus""#, SITE, r#"kernel-param "console""#),
                    (r#"hardware "legacy-1u""#, HARDWARE, r#"kernel-param "console""#)] },
    Why { of: "n1-c01", path: "image.url", value: "https://images.campus.example.net/debian-12/2025-10/disk.raw",
          layers: &[DEFAULTS, (r#"image "debian-12""#, IMAGES, r#"    url "https"#)] },
    // The image names itself; what chose it is nearer.
    Why { of: "n1-c01", path: "image.name", value: "debian-12",
          layers: &[DEFAULTS, (r#"image "debian-12""#, IMAGES, r#"image "debian-12""#),
                    (r#"profile "base""#, PROFILES, r#"image "debian-12""#)] },
    Why { of: "n1-c01", path: "kernel-params.transparent_hugepage", value: "never",
          layers: &[(r#"profile "base""#, PROFILES, r#"transparent_hugepage" "madvise""#),
                    (r#"profile "compute""#, PROFILES, r#"transparent_hugepage" "never""#)] },
    Why { of: "n2-s2", path: "owner-data.cost-centre", value: "4200",
          layers: &[(r#"site "campus""#, SITE, r#"owner-data "cost-centre" "4000""#),
                    (r#"nodes "n{rack}-s{bay}""#, NODES, "label \"failure-domain\" \"n{rack}\"\n    owner-data")] },
    Why { of: "n1-c01", path: "bmc.address", value: "https://10.40.1.1",
          layers: &[DEFAULTS, (r#"nodes "n{rack}-c{slot:02}""#, NODES, "rack \"n{rack}\" unit=\"{slot}\"\n    bmc")] },
    // A reference is shown as it is written, and the value is what it led to.
    Why { of: "n2-c08", path: "kernel-params.isolcpus", value: "4-31,36-63",
          layers: &[(r#"profile "compute""#, PROFILES, r#"(ref)"hardware.cpuset.guests""#)] },
    Why { of: "n2-c07", path: "kernel-params.isolcpus", value: "8-31,40-63",
          layers: &[(r#"profile "compute""#, PROFILES, r#"(ref)"hardware.cpuset.guests""#),
                    (r#"node "n2-c07""#, NODES, r#"kernel-param "isolcpus""#)] },
    Why { of: "n2-c07", path: "owner-data.cost-centre", value: "4310",
          layers: &[(r#"site "campus""#, SITE, r#"owner-data "cost-centre" "4000""#),
                    (r#"node "n2-c07""#, NODES, r#"owner-data "cost-centre" "4310""#)] },
];

#[test]
fn every_layer_says_in_which_line_it_had_its_say_and_which_one_won() {
    let campus = Lab::of("campus");
    let mut winners = BTreeSet::new();
    for why in WHYS {
        let said = rackwright(&["show", campus.design(), "node", why.of, "--why", why.path, "--json"])
            .exits(0)
            .json();
        let about = format!("{} {}: {said:#}", why.of, why.path);
        assert_eq!(said["value"], why.value, "{about}");
        let layers = said["layers"].as_array().unwrap();
        assert_eq!(layers.len(), why.layers.len(), "{about}");
        for (index, (layer, (name, file, text))) in layers.iter().zip(why.layers).enumerate() {
            let won = index + 1 == layers.len();
            assert_eq!((&layer["layer"], &layer["won"]), (&(*name).into(), &won.into()), "{about}");
            let place = layer["place"].as_str().unwrap();
            if !file.is_empty() {
                let at = format!("{file}:{}:", line_of(&campus, file, text));
                assert!(place.starts_with(&at), "{place} is not {at}; {about}");
            }
            if won {
                winners.insert(name.split(' ').next().unwrap());
            }
        }
        // People are told the same.
        let told = rackwright(&["show", campus.design(), "node", why.of, "--why", why.path]).exits(0).stdout;
        let won = layers.last().unwrap();
        let line = format!("by {} at {}", won["layer"].as_str().unwrap(), won["place"].as_str().unwrap());
        assert!(told.lines().any(|told| told.starts_with('*') && told.ends_with(&line)), "{told}");
    }
    let all = ["hardware", "image", "node", "nodes", "profile", "rack", "region", "row", "site"];
    assert_eq!(winners.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn a_list_says_which_layers_it_is_made_of() {
    let campus = Lab::of("campus");
    let told = rackwright(&["show", campus.design(), "node", "bench-04", "--why", "tags"]).exits(0).stdout;
    let parts: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix("+ ")).collect();
    assert_eq!(parts.len(), 2, "{told}");
    assert!(parts[0].starts_with(r#"["bench"] by profile "bench" at profiles.kdl:"#), "{told}");
    assert!(parts[1].starts_with(r#"["gpu","loud"] by row 5 of inventory/bench.csv at "#), "{told}");
}

/// The line on which the only `text` of a file ends.
#[track_caller]
fn line_of(design: &Lab, file: &str, text: &str) -> usize {
    let whole = design.read(file);
    let places: Vec<usize> = whole.match_indices(text).map(|(start, _)| start).collect();
    let [start] = places[..] else { panic!("{file}: `{text}` stands at {places:?}") };
    whole[..start + text.len()].matches('\n').count() + 1
}
