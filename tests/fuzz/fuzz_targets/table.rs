//! A table of nodes: a byte for the separator, then the CSV.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rackwright_fuzz::{compiled, judge};

const SEPARATORS: [&str; 3] = ["comma", "semicolon", "tab"];

fuzz_target!(|data: &[u8]| {
    let Some((first, table)) = data.split_first() else { return };
    let separator = SEPARATORS[usize::from(*first) % SEPARATORS.len()];
    let design = format!(
        "site \"s\"\ninventory \"inventory/t.csv\" as=\"nodes\" separator=\"{separator}\" {{\n    \
         column \"bmc\" \"bmc.address\" as=\"https://{{}}\"\n    ignore \"notes\"\n}}\n"
    );
    let files = [("x.kdl", design.as_bytes()), ("inventory/t.csv", table)];
    judge(&compiled(&files), &compiled(&files));
});
