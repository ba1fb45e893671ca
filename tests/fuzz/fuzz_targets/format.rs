//! KDL for the formatter: what it writes it writes again, and it never has to refuse its own work.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rackwright::design::format::{Refusal, format};

fuzz_target!(|data: &[u8]| {
    let name = "x.kdl".into();
    match format(&name, data) {
        Ok(once) => {
            let twice = format(&name, once.as_bytes());
            assert_eq!(twice.ok().as_deref(), Some(&*once));
        }
        Err(Refusal::WouldChange) => panic!("the formatter would change what is said"),
        Err(Refusal::Findings(findings)) => assert!(!findings.is_empty()),
    }
});
