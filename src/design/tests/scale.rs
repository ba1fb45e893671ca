//! Size: ten thousand nodes by a pattern.

use super::{BASE, compiled};
use std::time::Instant;

#[test]
fn ten_thousand_nodes_by_pattern_share_what_they_can() {
    let block = r#"nodes "r{rack}-n{slot:02}" rack="1..250" slot="1..40" profile="base" {
        rack "r{rack}" unit="{slot}"
        bmc "redfish" address="https://10.18.{rack}.{slot}"
        boot-mac "52:54:01:00:{rack:02x}:{slot:02x}"
    }"#;
    let start = Instant::now();
    let compiled = compiled(&[("base.kdl", BASE.as_bytes()), ("many.kdl", block.as_bytes())]);
    eprintln!("compiled in {:?}", start.elapsed());
    let site = compiled.site.unwrap();
    assert_eq!(site.nodes.len(), 10_001);
    let bios =
        |index: usize| site.nodes[index].spec.get("hardware").unwrap().get("bios").unwrap().as_map().unwrap();
    assert!(std::ptr::eq(bios(1), bios(10_000)));
}

#[test]
fn nodes_written_one_by_one_cost_in_proportion() {
    let cost = |count: usize| {
        let nodes: String = (0..count)
            .map(|n| format!("node \"n-{n}\" profile=\"base\" {{ bmc \"redfish\" address=\"https://a{n}\"; boot-mac \"5254{n:08x}\"; tag \"é\" }}; "))
            .collect();
        let start = Instant::now();
        let compiled = compiled(&[("base.kdl", BASE.as_bytes()), ("many.kdl", nodes.as_bytes())]);
        assert_eq!(compiled.site.unwrap().nodes.len(), count + 1);
        start.elapsed()
    };
    let (few, many) = (cost(500), cost(4_000));
    eprintln!("500: {few:?}, 4000: {many:?}");
    // Eight times the work; a square would be sixty-four times.
    assert!(many < few * 30);
}
