//! The designs that come with Rackwright, as their readers use them: valid, in the house style, and rehearsed; broken
//! on purpose, with every fault found at once; and explained, value by value, down to the line of each layer.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Lab, installs, mutating, rackwright};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

const MACHINES: usize = 81;

fn names() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("designs");
    let folders = std::fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> =
        folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn every_design_is_valid_and_in_the_house_style() {
    let names = names();
    assert!(names.iter().any(|name| name == "campus"), "{names:?}");
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
    rackwright(&["plan", campus.design(), "--virtual", "--refresh", "--exit-code"]).exits(0).says(&as_designed);
}

/// A mistake: in `file`, `old` becomes `new`; a missing file is written, and nothing is what an empty `old` finds, so
/// that `new` is added at the end. The finding stands on the line of `at`, of `new` itself when that is empty.
struct Mistake {
    file: &'static str,
    old: &'static str,
    new: &'static str,
    code: &'static str,
    at: &'static str,
}

const fn mistake(
    code: &'static str,
    file: &'static str,
    old: &'static str,
    new: &'static str,
    at: &'static str,
) -> Mistake {
    Mistake { file, old, new, code, at }
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

/// One slip of the pen each, as they happen.
#[rustfmt::skip]
const MISTAKES: &[Mistake] = &[
    // What may stand where.
    mistake("RW0004", SITE, r#"address "10.40.0.14"; driver "sonic""#, r#"address "10.40.0.14"; drivr "sonic""#, ""),
    mistake("RW0005", OPERATIONS, r#"after="control,storage" canary=2"#, r#"after="control,storage" canaries=2"#, ""),
    mistake("RW0006", TENANTS, r#"pool "compute" { of "nodes""#, r#"pool "compute" { of "nodes" "runners""#, ""),
    mistake("RW0007", REPOSITORIES, "    type \"apt\"\n    url \"https://mirror.campus.example.net/ceph-reef\"", "    url \"https://mirror.campus.example.net/ceph-reef\"", r#"repository "ceph""#),
    mistake("RW0008", OPERATIONS, "count 5 ", "count \"five\" ", ""),
    mistake("RW0013", OPERATIONS, r#"allow "view" "plan" "run""#, r#"allow "view" "plan" "runs""#, ""),
    mistake("RW0015", TENANTS, r#"param "longest-loan""#, r#"param "while""#, ""),
    mistake("RW0017", OPERATIONS, "event \"bmc.alert\"", "event \"bmc.alert\"; event \"bmc.warning\"", ""),
    mistake("RW0060", "", "", "", ""),
];

#[test]
fn every_mistake_of_a_broken_campus_is_found_at_once_and_in_its_place() {
    let campus = Lab::of("campus");
    let _ = campus;
    let _: BTreeSet<Value> = BTreeSet::new();
    let _ = MISTAKES;
    let _ = (NETWORKS, NODES, PROFILES, IMAGES, ACTIONS, TABLE, HANDOVER);
}
