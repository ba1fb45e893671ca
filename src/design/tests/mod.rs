//! Tests of the design floor: whole designs in, findings or specs out.
//!
//! Owns the helper `check` and the stand-in standard library. The cases of single findings are data, in
//! `tests/fixtures/design/`.

mod cached;
mod campus;
pub mod fixtures;
mod hostile;
mod lab;
mod pages;
mod resolution;
mod scale;
mod secrets;

use super::{Compiled, compile};
use crate::finding::Finding;
use crate::model::revision::{Revision, SourceTree};
use crate::model::site::Site;

/// A site on which the examples stand: everything that a node needs, and one node.
pub const BASE: &str = r#"
site "test" { domain "example.net"; dns "10.20.0.2"; authorized-key "ssh-ed25519 AAAA ops" }
network "pxe" { cidr "10.20.0.0/21"; gateway "10.20.0.1" }
hardware "h1" { vendor "Rackwright"; bios { Cores 4; ProcVirtualization "Enabled" } }
image "debian-12" {
    kernel "files/k" checksum="sha256:0000000000000000000000000000000000000000000000000000000000000001"
    initrd "files/i" checksum="sha256:0000000000000000000000000000000000000000000000000000000000000002"
    url "files/d"; checksum "sha256:0000000000000000000000000000000000000000000000000000000000000003"
}
profile "base" {
    hardware "h1"; image "debian-12"; kernel-param "console" "ttyS0"
    bmc "redfish" user="root" password=(secret)"env:BMC_PASSWORD"
}
node "n01" profile="base" {
    bmc "redfish" address="https://10.17.1.1"; boot-mac "52:54:00:12:34:01"; address "pxe" "10.20.0.11"
}
"#;

const STDLIB: &[(&str, &str)] = &[
    (
        "stdlib/tasks.kdl",
        r#"task "std/bios" script="bios.rhai" {
    doc "Make the BIOS attributes equal to the hardware's."
    realizes "hardware.bios" hazard="reboot"; uses "hardware.vendor"; timeout "20m"
}
task "std/install" script="install.rhai" {
    realizes "image" "kernel-params"; seeds "authorized-keys"; uses "boot-mac" "domain"
    hazard "reinstall"; allow "bmc" "pxe" "wait"; scope "os"
    param "mode" type="string" default="pxe"
    param "tries" type="int" doc="How often."
}"#,
    ),
    (
        "stdlib/blueprints.kdl",
        r#"blueprint "std/bring-up" {
    step "install" task="std/install" phase="deploy" after="bios" { retry 2 backoff="30s" }
    step "bios" task="std/bios" phase="prepare"
}"#,
    ),
    ("stdlib/bios.rhai", "fn apply(node) {}"),
    (
        "stdlib/install.rhai",
        "fn apply(node) { bmc::power_off(node); wait::booted(node, pxe::ticket(node), \"1m\"); }",
    ),
];

fn tree(files: &[(&str, &[u8])]) -> SourceTree {
    let revision = Revision { source: "test".into(), revision: "content".into(), digest: "0".into() };
    let (payloads, texts): (Vec<_>, Vec<_>) = files.iter().partition(|(name, _)| name.starts_with("files/"));
    let payloads = (!payloads.is_empty()).then(|| payloads.iter().map(|(name, _)| (*name).into()).collect());
    let files = texts.iter().map(|(name, bytes)| ((*name).into(), (*bytes).into())).collect();
    SourceTree { revision, files, payloads, root: None }
}

pub fn compiled(files: &[(&str, &[u8])]) -> Compiled {
    let stdlib: Vec<(&str, &[u8])> = STDLIB.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    compile(&tree(files), &tree(&stdlib))
}

/// One finding on two lines.
pub fn shown(finding: &Finding) -> String {
    let place = finding.place.as_ref().map_or("-".to_string(), |place| format!("{place}+{}", place.length));
    let help = finding.help.as_deref().unwrap_or("-");
    format!("{} {place} {}: {}\n    {help}\n", finding.code, finding.subject, finding.message)
}

pub fn findings(files: &[(&str, &[u8])]) -> String {
    let compiled = compiled(files);
    assert_eq!(compiled.site.is_some(), !compiled.findings.iter().any(Finding::is_error));
    compiled.findings.iter().map(shown).collect()
}

/// Compiles the files and compares the findings.
pub fn check(files: &[(&str, &str)], expected: &str) {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    assert_eq!(findings(&files), expected);
}

/// The site of a design that must be without findings.
pub fn site(files: &[(&str, &str)]) -> Site {
    check(files, "");
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    compiled(&files).site.unwrap()
}
