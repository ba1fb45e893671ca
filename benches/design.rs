//! What loading and compiling a design costs, as whole processes of `validate`: explicit nodes, a pattern, a table.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot measure has failed, and its numbers are what it prints"
)]

#[path = "support/cost.rs"]
mod cost;
#[path = "support/growth.rs"]
mod growth;
mod support;

use cost::{Cost, measure, report, run_if_wrapper};
use growth::growth;
use std::fmt::Write;
use std::path::Path;
use support::{copy_payloads, sizes};

/// Runs of each; the cheapest is reported, since everything else on the machine only adds.
const RUNS: usize = 3;

/// How the nodes of a design are written down.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Explicit,
    Pattern,
    Table,
}

const SITE: &str = r#"
site "fleet" { domain "fleet.example.net"; dns "10.0.0.2" }
network "pxe" { cidr "10.0.0.0/8"; range "static" "10.0.0.10" "10.199.255.250"
                dhcp mode="server" { range "10.200.0.1" "10.203.255.250" } }
hardware "virtual-1u" { vendor "Rackwright"; bios { ProcVirtualization "Enabled"; LogicalProc "Enabled"; Cores 4 } }
profile "base" {
    hardware "virtual-1u"; image "debian-12"; power "on"; kernel-param "console" "ttyS0,115200"
    bmc "redfish" user="root" password=(secret)"env:BMC_PASSWORD"
}
profile "compute" extends="base" {
    tag "k8s"; label "role" "worker"
    disk "sda" { partition "root" size=">20GiB" bootable=#true { filesystem "ext4" mount="/" } }
}
"#;

fn main() {
    run_if_wrapper();
    let sizes = sizes(&[10_000, 100_000]);
    let (few, many) = (sizes[0], sizes[sizes.len() - 1]);
    let cold = cost("explicit, in one file, cold", Form::Explicit, few, false);
    let kept = cost("explicit, its reading kept", Form::Explicit, few, true);
    println!("a kept reading saves {:.0} % of the CPU time", 100.0 * (1.0 - kept.cpu / cold.cpu));
    for (what, form) in [("by pattern", Form::Pattern), ("by table", Form::Table)] {
        let (small, large) = (cost(what, form, few, false), cost(what, form, many, false));
        println!("growth of CPU time: n^{:.2}", growth((few, many), (small.cpu, large.cpu)));
        println!("growth of memory:   n^{:.2}", growth((few, many), (small.memory, large.memory)));
    }
}

/// The cheapest of several runs; `warm` runs find what an earlier one has kept in the cache.
fn cost(what: &str, form: Form, nodes: usize, warm: bool) -> Cost {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), form, nodes);
    let path = folder.path().to_str().expect("a path");
    let arguments = ["validate", path, "--json"];
    let kept = tempfile::tempdir().expect("a folder");
    if warm {
        measure(&arguments, 0, kept.path());
    }
    let runs = (0..RUNS).map(|_| {
        let empty = tempfile::tempdir().expect("a folder");
        measure(&arguments, 0, if warm { kept.path() } else { empty.path() })
    });
    let best = runs.min_by(|a, b| a.cpu.total_cmp(&b.cpu)).expect("a cost");
    report(&format!("validate, {what}"), nodes, best);
    best
}

fn write(folder: &Path, form: Form, nodes: usize) {
    copy_payloads(folder);
    std::fs::write(folder.join("site.kdl"), SITE).expect("the site");
    let text = match form {
        Form::Explicit => explicit(nodes),
        Form::Pattern => pattern(nodes),
        Form::Table => {
            std::fs::create_dir(folder.join("inventory")).expect("a folder");
            std::fs::write(folder.join("inventory/fleet.csv"), table(nodes)).expect("the table");
            "inventory \"inventory/fleet.csv\" profile=\"compute\"\n".to_string()
        }
    };
    std::fs::write(folder.join("nodes.kdl"), text).expect("the nodes");
}

/// Forty nodes a rack; names, addresses and MACs follow from the number.
fn explicit(nodes: usize) -> String {
    let mut text = String::new();
    for n in 0..nodes {
        let (rack, slot) = (n / 40, n % 40);
        writeln!(
            text,
            "node \"r{rack}-n{slot:02}\" profile=\"compute\" {{\n    rack \"r{rack}\" unit={}\n    bmc \"redfish\" address=\"https://bmc-{n}.example.net\"\n    boot-mac \"{}\"\n    address \"pxe\" \"{}\"\n    tag \"a\" \"b\"; label \"slot\" \"{slot}\"\n}}",
            slot + 1,
            mac(n),
            address(n)
        )
        .expect("a text");
    }
    text
}

fn pattern(nodes: usize) -> String {
    format!(
        r#"nodes "r{{rack}}-n{{slot:02}}" rack="1..{}" slot="1..40" profile="compute" {{
    rack "r{{rack}}" unit="{{slot}}"
    bmc "redfish" address="https://bmc-{{rack}}-{{slot}}.example.net"
    boot-mac "5254{{rack:04x}}{{slot:04x}}"
    address "pxe" "auto"
    label "slot" "{{slot}}"
}}
"#,
        nodes / 40
    )
}

fn table(nodes: usize) -> String {
    let mut text = "name,rack,unit,bmc.address,boot-mac,addresses.pxe,tags\n".to_string();
    for n in 0..nodes {
        let (rack, slot) = (n / 40, n % 40);
        let (mac, address) = (mac(n), address(n));
        writeln!(
            text,
            "r{rack}-n{slot:02},r{rack},{},https://bmc-{n}.example.net,{mac},{address},\"a,b\"",
            slot + 1
        )
        .expect("a text");
    }
    text
}

fn mac(n: usize) -> String {
    format!("52:54:{:02x}:{:02x}:{:02x}:{:02x}", n >> 24 & 255, n >> 16 & 255, n >> 8 & 255, n & 255)
}

/// 250 in each /24, inside the static range.
fn address(n: usize) -> String {
    let (block, host) = (n / 250 + 1, n % 250);
    format!("10.{}.{}.{}", block >> 8, block & 255, host + 1)
}
