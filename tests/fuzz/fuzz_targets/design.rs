//! A whole design: files behind `==== NAME` lines, as the fixtures of the design language have them, so that these
//! are its corpus. No panic, every finding inside its file, the same findings twice, not more than their bound.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use rackwright_fuzz::{compiled, judge};

fuzz_target!(|text: &str| -> Corpus {
    let files: Vec<(&str, &[u8])> = text
        .split("==== ")
        .skip(1)
        .filter_map(|part| part.split_once('\n'))
        .map(|(name, text)| (name, text.as_bytes()))
        .collect();
    if files.is_empty() {
        return Corpus::Reject;
    }
    judge(&compiled(&files), &compiled(&files));
    Corpus::Keep
});
