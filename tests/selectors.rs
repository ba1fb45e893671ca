//! Selectors on the command line: `find` by values from every layer, `--on` of `plan`, and what is refused.

mod common;

use common::{Lab, Output, rackwright};

/// One node more than the small lab has, so that values differ in every layer.
const ODD: &str = r#"
hardware "old-2u" { vendor "Rackwright"; boot-mode "bios"; tag "old"; bios { SysProfile "PowerSaver" } }
profile "storage" extends="compute" {
    hardware "old-2u"; label "role" "db"; tag "k8s"; param "memory" "256GiB"
}
node "store-01" profile="storage" {
    rack "r3" unit=20
    bmc "redfish" address="https://10.17.3.1" user="root" password=(secret)"env:BMC_PASSWORD"
    boot-mac "52:54:00:12:35:01"; address "pxe" "10.20.0.201"
}
"#;

fn lab() -> Lab {
    let lab = Lab::small(3);
    lab.append("nodes.kdl", ODD);
    lab
}

fn find(lab: &Lab, selector: &str) -> Output {
    rackwright(&["find", selector, "--design", lab.design()])
}

/// The names that are found, on one line.
#[track_caller]
fn found(lab: &Lab, selector: &str) -> String {
    find(lab, selector).exits(0).stdout.lines().collect::<Vec<_>>().join(" ")
}

#[test]
fn nodes_are_found_by_resolved_values_of_every_layer() {
    let lab = lab();
    let three = "lab-n01 lab-n02 lab-n03";
    for (selector, nodes) in [
        ("*", "lab-n01 lab-n02 lab-n03 store-01"),
        ("lab-n02 | store-*", "lab-n02 store-01"),
        // Built-in defaults, the site, hardware, the image, profiles, a block and a node, in this order.
        ("protect=false & store-*", "store-01"),
        ("dns=10.20.0.2 & ntp=10.20.0.3 & !rack:r1", "store-01"),
        ("hardware.boot-mode=uefi & !rack:r3", three),
        ("hardware.boot-mode=bios", "store-01"),
        ("hardware.bios.SysProfile=Perf*", three),
        ("tag:old", "store-01"),
        ("image.format=raw & unit=2", "lab-n02"),
        ("label:role=db", "store-01"),
        ("tag:compute & !label:role=db", three),
        ("profile:base & profile:storage", "store-01"),
        ("params.memory>=0.25TiB", "store-01"),
        ("rack:r1 & unit>=2", "lab-n02 lab-n03"),
        ("unit=1 | boot-mac=525400123501", "lab-n01 store-01"),
        ("addresses.pxe<10.20.0.103", "lab-n01 lab-n02"),
    ] {
        assert_eq!(found(&lab, selector), nodes, "{selector}");
    }
    // The nearest definition counts: what a node says itself is no longer what its profile said.
    lab.edit("nodes.kdl", "rack \"r3\" unit=20", "rack \"r3\" unit=20; label \"role\" \"spare\"");
    assert_eq!(found(&lab, "label:role=spare"), "store-01");
    find(&lab, "label:role=db").exits(64).says("chooses no node of site lab");
}

#[test]
fn find_prints_a_document_as_json() {
    let lab = lab();
    let output = rackwright(&["find", "tag:k8s | lab-n01", "--design", lab.design(), "--json"]).exits(0);
    assert_eq!(output.json(), serde_json::json!(["lab-n01", "store-01"]));
}

#[test]
fn a_plan_holds_what_the_selector_chooses() {
    let lab = lab();
    let planned = |selector: &str| {
        let output = rackwright(&["plan", lab.design(), "--json", "--on", selector]).exits(0);
        let plan = output.json();
        let named = |list: &str, key: &str| -> Vec<String> {
            plan[list]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| node[key].as_str().unwrap().to_string())
                .collect()
        };
        let mut names = [named("nodes", "name"), named("unplanned", "node")].concat();
        names.sort();
        names.join(" ")
    };
    assert_eq!(planned("rack:r1 & !lab-n02"), "lab-n01 lab-n03");
    assert_eq!(planned("hardware.boot-mode=bios"), "store-01");
    assert_eq!(planned("*"), "lab-n01 lab-n02 lab-n03 store-01");
}

#[test]
fn a_wrong_selector_is_shown_with_its_place_and_the_way_out() {
    let lab = lab();
    for (selector, carets, says) in [
        ("", None, "the selector is empty"),
        ("  ", None, "the selector is empty"),
        ("rack:r1 &", Some("        ^"), "nothing stands after `&`"),
        ("rack:r1 | | tag:x", Some("        ^"), "nothing stands after `|`"),
        ("(rack:r1", Some("^"), "never closed"),
        ("rack:r1 & rakc:r2", Some("          ^^^^"), "did you mean `rack:`?"),
        ("!hardware.boot-mod=uefi", Some(" ^^^^^^^^^^^^^^^^^"), "did you mean `hardware.boot-mode`?"),
        ("!lab-n1", Some(" ^^^^^^"), "did you mean `lab-n01`?"),
        ("lab-n01,lab-n02", Some("^^^^^^^^^^^^^^^"), "write `|` between names"),
        ("bmc.password=env:BMC_PASSWORD", Some("^^^^^^^^^^^^"), "is a secret and is never compared"),
        ("unit>many", Some("     ^^^^"), "neither larger nor smaller"),
        ("lab-[9-0]", Some("^^^^^^^^^"), "the glob `lab-[9-0]` is wrong"),
        ("rack:r9", Some("^^^^^^^"), "chooses no node of site lab"),
        ("lab-* & !lab-*", Some("^^^^^^^^^^^^^^"), "chooses no node of site lab"),
    ] {
        for args in [
            &["find", selector, "--design", lab.design()][..],
            &["plan", lab.design(), "--on", selector],
            &["apply", lab.design(), "--yes", "--on", selector],
        ] {
            let output = rackwright(args).exits(64).says(says).says("help: ");
            assert_eq!(output.stdout, "");
            if let Some(carets) = carets {
                let picture = format!("\n    {selector}\n    {carets}\n");
                assert!(output.stderr.contains(&picture), "{}", output.stderr);
            }
        }
    }
    assert!(!lab.own().exists(), "a wrong selector made a store");
}

#[test]
fn a_selector_cannot_write_to_the_terminal() {
    let lab = lab();
    let output = find(&lab, "tag:\u{1b}[2Jx").exits(64).says("a control character");
    assert!(!output.stderr.contains('\u{1b}'));
    let output = find(&lab, "tag:'\u{1b}[2J'").exits(64).says("chooses no node");
    assert!(!output.stderr.contains('\u{1b}'));
}
