//! The lab design from beginning to end, on the virtual rack.

mod common;

use common::{Lab, installs, mutating, rackwright};

#[test]
fn eight_nodes_come_up_and_a_second_apply_changes_nothing() {
    let lab = Lab::new();
    rackwright(&["apply", lab.design(), "--virtual", "--yes"]).exits(0).says("8 succeeded");
    let log = lab.virtual_log();
    assert_eq!(installs(&log, None).len(), 8);
    let before = log.len();
    rackwright(&["apply", lab.design(), "--virtual", "--yes"]).exits(0).says("Nothing has to change");
    let log = lab.virtual_log();
    assert!(mutating(&log[before..]).is_empty(), "{:?}", &log[before..]);
}
