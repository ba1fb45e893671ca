//! `fmt`: designs, files and standard input, with what becomes of files that are no KDL.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Lab, Output, command, rackwright};
use std::io::Write;
use std::process::Stdio;

const UNTIDY: &str = "// before\n\n\n\nprofile   spare {\n  tag a   // beside\n}\n";
const TIDY: &str = "// before\n\nprofile \"spare\" {\n    tag \"a\"   // beside\n}\n";

/// `fmt` with something on its standard input.
fn piped(args: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut child = command(&[], &[&["fmt"], args].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// What the design comes to.
fn shown(lab: &Lab) -> Output {
    rackwright(&["show", lab.design(), "node", "lab-n01", "--json"]).exits(0)
}

#[test]
fn a_design_is_formatted_once_and_says_the_same_afterwards() {
    let lab = Lab::small(1);
    lab.edit("nodes.kdl", "    power \"on\"", "power   on");
    lab.write("spare.kdl", UNTIDY);
    lab.write("templates/no.kdl", "no  { kdl");
    let before = shown(&lab).json();
    let check = rackwright(&["fmt", lab.design(), "--check"]).exits(2);
    check.says("spare.kdl").says("nodes.kdl").says("2 files would change, 2 unchanged.");
    assert_eq!(lab.read("spare.kdl"), UNTIDY);
    rackwright(&["fmt", lab.design()]).exits(0).says("2 files formatted, 2 unchanged.");
    assert_eq!(lab.read("spare.kdl"), TIDY);
    assert_eq!(lab.read("templates/no.kdl"), "no  { kdl");
    rackwright(&["fmt", lab.design(), "--check"]).exits(0).says("0 files would change, 4 unchanged.");
    let after = shown(&lab).json();
    assert_eq!(before["spec"], after["spec"]);
    assert!(!lab.own().exists(), "formatting made a store");
}

#[test]
fn a_file_that_is_no_kdl_is_left_alone_and_others_are_formatted() {
    let lab = Lab::small(1);
    lab.write("spare.kdl", UNTIDY);
    lab.write("broken.kdl", "profile  \"x\" {\n");
    let output = rackwright(&["fmt", lab.design(), "--json"]).exits(3).json();
    assert_eq!(output["summary"]["changed"], 1);
    assert_eq!(output["summary"]["with_findings"], 1);
    let of = |name: &str| {
        let files = output["files"].as_array().unwrap();
        files.iter().find(|file| file["file"].as_str().unwrap().ends_with(name)).unwrap().clone()
    };
    assert_eq!(of("broken.kdl")["findings"][0]["code"], "RW0001");
    assert_eq!(of("spare.kdl")["changed"], true);
    assert_eq!(lab.read("broken.kdl"), "profile  \"x\" {\n");
    assert_eq!(lab.read("spare.kdl"), TIDY);
    let output = rackwright(&["fmt", lab.design()]).exits(3);
    output.says("RW0001").says("broken.kdl:1:").says("1 left as it is");
}

#[test]
fn single_files_and_standard_input() {
    let lab = Lab::small(1);
    lab.write("spare.kdl", UNTIDY);
    let file = lab.path().join("spare.kdl");
    rackwright(&["fmt", file.to_str().unwrap()]).exits(0).says("1 file formatted, 0 unchanged.");
    assert_eq!(lab.read("spare.kdl"), TIDY);
    assert_eq!(piped(&["-"], UNTIDY), (Some(0), TIDY.to_string(), String::new()));
    let (code, out, _) = piped(&["-", "--check"], UNTIDY);
    assert_eq!((code, out.lines().next()), (Some(2), Some("standard input")));
    let (code, out, error) = piped(&["-"], "a {");
    assert_eq!((code, out.as_str()), (Some(3), ""));
    assert!(error.contains("RW0001"), "{error}");
    rackwright(&["fmt", lab.path().join("none.kdl").to_str().unwrap()]).exits(3).says("none.kdl");
    rackwright(&["fmt", "git+https://example.net/x"]).exits(3).says("git+https://");
}
