//! Documents of another system: whatever they are, they become KDL that can be parsed, or findings with places.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rackwright::import::{Input, drydock};
use rackwright_fuzz::{compiled, inside};

fuzz_target!(|data: &[u8]| {
    let imported = drydock::import(&[Input { name: "x.yaml".into(), bytes: data.to_vec() }]);
    imported.findings.iter().for_each(|finding| inside(finding, &imported.texts));
    let files: Vec<(&str, &[u8])> =
        imported.files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let syntax = compiled(&files).findings.into_iter().find(|finding| finding.code.number == 1);
    assert!(syntax.is_none(), "{syntax:?}");
});
