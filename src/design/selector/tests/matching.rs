//! What selectors match, on a design whose values come from every layer.

use super::super::{Selector, declared};
use super::selector;
use crate::design::tests::{BASE, site};
use crate::model::site::Site;

const MORE: &str = r#"
profile "gpu" extends="base" {
    tag "gpu" "all"; label "role" "worker"; label "example.net/tier" "3"; kernel-param "quiet" #true
    param "memory" "512GiB"; param "cores" 64; param "load" 0.5; param "token" (secret)"env:TOKEN"
}
profile "db" extends="base" {
    tag "all" "a b"; label "role" "db"; param "memory" "256GiB"; param "cores" 16; param "version" "1.9"; protect #true
}
hardware "h2" { vendor "Other"; boot-mode "bios"; tag "old"; bios { Cores 8; "Boot.Mode" "Bios" } }
node "r1-n01" profile="gpu" {
    rack "r1" unit=1
    bmc "redfish" address="https://10.17.1.11" system="1"; boot-mac "52:54:00:ab:34:11"; address "pxe" "10.20.0.21"
}
node "r1-n02" profile="db" {
    rack "r1" unit=12
    bmc "redfish" address="https://10.17.1.12"; boot-mac "52:54:00:ab:34:12"; address "pxe" "10.20.0.101"
}
nodes "r2-n{slot:02}" slot="1..2" profile="gpu" {
    rack "r2" unit="{slot}"; hardware "h2"; label "role" "edge"
    bmc "redfish" address="https://10.17.2.{slot}"; boot-mac "52:54:00:ab:35:{slot:02x}"
}
"#;

fn sample() -> Site {
    site(&[("base.kdl", BASE), ("more.kdl", MORE)])
}

const ALL: &str = "n01 r1-n01 r1-n02 r2-n01 r2-n02";

/// A selector and the nodes that it matches.
const MATCHES: &[(&str, &str)] = &[
    ("*", ALL),
    ("r1-n01", "r1-n01"),
    ("r1-n01 | n01", "n01 r1-n01"),
    ("r{1,2}-n01", "r1-n01 r2-n01"),
    ("r1-n0[!1]", "r1-n02"),
    ("name:'r1-n01'", "r1-n01"),
    ("!r1-n01 & !r2-*", "n01 r1-n02"),
    ("rack:r1", "r1-n01 r1-n02"),
    ("rack:r*", "r1-n01 r1-n02 r2-n01 r2-n02"),
    ("!rack:r1", "n01 r2-n01 r2-n02"),
    // `!=` asks of what is set; `!` turns everything round.
    ("rack!=r1", "r2-n01 r2-n02"),
    ("!(rack=r1)", "n01 r2-n01 r2-n02"),
    ("profile:gpu", "r1-n01 r2-n01 r2-n02"),
    ("profile:base", ALL),
    ("profile=base", "n01"),
    ("profile:g* | profile:d*", "r1-n01 r1-n02 r2-n01 r2-n02"),
    ("tag:all", "r1-n01 r1-n02 r2-n01 r2-n02"),
    ("tag:'a b'", "r1-n02"),
    ("tag:old", "r2-n01 r2-n02"),
    ("tags=gpu", "r1-n01 r2-n01 r2-n02"),
    ("tags!=gpu", "r1-n02"),
    ("has:tags", "r1-n01 r1-n02 r2-n01 r2-n02"),
    ("label:role", "r1-n01 r1-n02 r2-n01 r2-n02"),
    ("label:role=w*", "r1-n01"),
    ("label:role='w*'", ""),
    ("label:role!=db", "r1-n01 r2-n01 r2-n02"),
    ("!label:role=db", "n01 r1-n01 r2-n01 r2-n02"),
    ("label:role=edge", "r2-n01 r2-n02"),
    ("label:example.net/tier=3", "r1-n01 r2-n01 r2-n02"),
    ("labels.example.net/tier>=3", "r1-n01 r2-n01 r2-n02"),
    ("labels.example.net/tier>3", ""),
    ("hardware:h2", "r2-n01 r2-n02"),
    ("image:debian-*", ALL),
    ("hardware.boot-mode=uefi", "n01 r1-n01 r1-n02"),
    ("hardware.boot-mode=uefi & !rack:r1", "n01"),
    ("hardware.boot-mode!=uefi", "r2-n01 r2-n02"),
    ("hardware.bios.Cores=4", "n01 r1-n01 r1-n02"),
    ("hardware.bios.Cores>4", "r2-n01 r2-n02"),
    ("hardware.bios.Boot.Mode=Bios", "r2-n01 r2-n02"),
    ("hardware.bios.'Boot.Mode'=B*", "r2-n01 r2-n02"),
    ("unit=1", "r1-n01 r2-n01"),
    ("unit=1*", "r1-n01 r1-n02 r2-n01"),
    ("unit={1,2}", "r1-n01 r2-n01 r2-n02"),
    ("unit<2", "r1-n01 r2-n01"),
    ("unit<=2 & unit>1", "r2-n02"),
    ("unit>=1.5", "r1-n02 r2-n02"),
    ("unit!=1", "r1-n02 r2-n02"),
    ("!unit<2", "n01 r1-n02 r2-n02"),
    ("has:unit", "r1-n01 r1-n02 r2-n01 r2-n02"),
    ("!has:unit", "n01"),
    ("has:hardware & has:bmc.system", "r1-n01"),
    ("protect=true", "r1-n02"),
    ("protect=#false & rack:*", "r1-n01 r2-n01 r2-n02"),
    ("protect!=true", "n01 r1-n01 r2-n01 r2-n02"),
    ("kernel-params.quiet=true", "r1-n01 r2-n01 r2-n02"),
    ("kernel-params.console=ttyS0", ALL),
    ("boot-mac=52:54:00:ab:34:11", "r1-n01"),
    ("boot-mac=52-54-00-AB-34-11", "r1-n01"),
    ("boot-mac=525400AB3411", "r1-n01"),
    ("boot-mac=52:54:00:AB:34:*", "r1-n01 r1-n02"),
    ("params.memory>=512GiB", "r1-n01 r2-n01 r2-n02"),
    ("params.memory<512GiB", "r1-n02"),
    ("params.memory=0.25TiB", "r1-n02"),
    ("params.memory!=0.25TiB", "r1-n01 r2-n01 r2-n02"),
    ("params.memory=5*", "r1-n01 r2-n01 r2-n02"),
    ("params.cores=64 & params.load<1", "r1-n01 r2-n01 r2-n02"),
    ("params.load=0.50", "r1-n01 r2-n01 r2-n02"),
    // A version is no number: it answers no order.
    ("params.version<1.14", ""),
    ("params.version>1.14", ""),
    ("params.version=1.9", "r1-n02"),
    ("addresses.pxe>10.20.0.21", "r1-n02"),
    ("addresses.pxe<=10.20.0.21", "n01 r1-n01"),
    ("image.kernel.url=files/*", ALL),
    // Secrets answer nothing, whatever is asked; that one is there is no secret.
    ("params.token=env:TOKEN", ""),
    ("params.token=*", ""),
    ("params.token!=x", ""),
    ("params.token>=0", ""),
    ("has:params.token", "r1-n01 r2-n01 r2-n02"),
    ("has:bmc.password", ALL),
    // Paths below what is no group.
    ("labels.nobody=*", ""),
    ("hardware.firmware.bios.version=*", ""),
];

#[test]
fn selectors_match_resolved_values_of_every_layer() {
    let site = sample();
    for (text, expected) in MATCHES {
        let names = selector(text).choose(site.nodes.iter(), &declared(&site)).unwrap();
        assert_eq!(names.join(" "), *expected, "{text}");
    }
}

#[test]
fn a_name_that_no_node_has_is_an_error_also_beside_others() {
    let site = sample();
    for (text, part, help) in [
        ("r1-n01 | r1-n1", "r1-n1", "did you mean `r1-n01`?"),
        ("!r1-n20", "r1-n20", "did you mean `r1-n0"),
        ("rack:r1 & !name:nowhere-at-all", "nowhere-at-all", "a glob such as"),
    ] {
        let error = selector(text).choose(site.nodes.iter(), &declared(&site)).unwrap_err();
        assert_eq!(&text[error.span.offset..error.span.end()], part);
        assert!(error.message.contains(part) && error.help.contains(help), "{error:?}");
    }
}

#[test]
fn a_thing_that_the_design_does_not_have_is_an_error_and_no_rack_without_any() {
    let site = sample();
    for (text, message, help) in [
        ("!profile:gpuu", "there is no profile `gpuu`", "did you mean `gpu`?"),
        ("r1-* & !hardware:nowhere-at-all", "there is no hardware `nowhere-at-all`", "a glob such as"),
        ("!image:debian-21", "there is no image `debian-21`", "did you mean `debian-12`?"),
        ("!region:west", "there is no region `west`", "write the name of a region"),
    ] {
        let error = selector(text).choose(site.nodes.iter(), &declared(&site)).unwrap_err();
        assert_eq!(error.message, message);
        assert!(error.help.contains(help), "{error:?}");
    }
    for text in ["!tag:nowhere", "!rack:r33", "!profile:gpuu*"] {
        assert!(selector(text).choose(site.nodes.iter(), &declared(&site)).is_ok(), "{text}");
    }
    let declares = |kind: &'static str| if kind == "rack" { vec!["r1", "r2"] } else { Vec::new() };
    let error = selector("!rack:r33").choose(site.nodes.iter(), &declares).unwrap_err();
    assert_eq!(error.message, "there is no rack `r33`");
}

#[test]
fn a_hundred_thousand_nodes_are_asked_without_compiling_anything_again() {
    let site = sample();
    let nodes: Vec<_> = site.nodes.iter().cycle().take(100_000).collect();
    for (text, every_five) in
        [("rack:r1 & tag:gpu & !label:role=db", 1), ("r1-*", 2), ("hardware.boot-mode=uefi & !rack:r3", 3)]
    {
        let selector: Selector = selector(text);
        let start = std::time::Instant::now();
        let count = nodes.iter().filter(|node| selector.matches(node)).count();
        eprintln!("`{text}`: {:?}", start.elapsed());
        assert_eq!(count, 20_000 * every_five, "{text}");
    }
}
