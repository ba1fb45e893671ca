//! A selector: no panic, errors lie inside the text, and what is printed is the same selector.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rackwright::design::selector::Selector;

fuzz_target!(|text: &str| {
    match Selector::parse(text) {
        Err(error) => {
            let end = error.span.offset + error.span.length;
            assert!(text.get(error.span.offset..end).is_some(), "{error:?}");
        }
        Ok(selector) => {
            let shown = selector.to_string();
            let again = Selector::parse(&shown).map(|again| again.to_string());
            assert_eq!(again.as_deref(), Ok(&*shown), "{text:?}");
        }
    }
});
