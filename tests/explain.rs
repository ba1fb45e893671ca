//! `explain`: a page for each finding, found by its code, as text and as JSON; and the findings say that it is there.

mod common;

use common::{Lab, rackwright};

#[test]
fn a_finding_names_its_code_and_the_code_has_a_page() {
    let lab = Lab::small(1);
    lab.edit("nodes.kdl", "10.20.0.1{slot:02}", "10.99.0.1{slot:02}");
    rackwright(&["validate", lab.design()]).exits(3).says("`rackwright explain RW0030` says more.");
    let page = rackwright(&["explain", "rw0030"]).exits(0);
    page.says("# RW0030: an address is outside its network").says("## Fix");
    let page = rackwright(&["explain", "RW0030", "--json"]).exits(0).json();
    assert_eq!((&page["code"], &page["severity"]), (&"RW0030".into(), &"error".into()));
    assert!(page["example"].as_str().unwrap().contains("```kdl"), "{page}");
    assert!(page["fix"].as_str().unwrap().contains("`cidr`"), "{page}");
}

#[test]
fn without_a_code_all_are_listed_and_an_unknown_one_brings_the_nearest() {
    rackwright(&["explain"]).exits(0).says("RW0001  the KDL text cannot be parsed");
    let codes = rackwright(&["explain", "--json"]).exits(0).json();
    let codes = codes["codes"].as_array().unwrap();
    assert_eq!(codes.len(), rackwright::finding::CODES.len());
    assert!(codes.iter().all(|code| code["title"].as_str().is_some_and(|title| !title.is_empty())));
    rackwright(&["explain", "RW0029"]).exits(64).says("RW0029").says("did you mean `RW0030`?");
    rackwright(&["explain", "colour"]).exits(64).says("`rackwright explain` lists all codes");
}
