//! The example on the page of a finding brings that finding.
//!
//! A page's `kdl` block is one file of the example. Another block is one too when its first line is a comment with the
//! file's path, such as `// scripts/x.rhai`. The example stands on the base design; alone; or where `files/` is empty.

use super::{BASE, compiled};
use crate::finding::{CODES, Code, FILE_UNREADABLE, IMPORT_DOCUMENT, IMPORT_SYNTAX, NOT_UTF8};
use std::path::PathBuf;

/// Codes whose example cannot be shown as text (other bytes, and a file that the system does not let anyone read), or
/// is no design: what is imported.
const NOT_SHOWN: &[Code] = &[NOT_UTF8, FILE_UNREADABLE, IMPORT_SYNTAX, IMPORT_DOCUMENT];

/// That every code has a page is the business of `tests/tidy`.
fn page(code: Code) -> Option<String> {
    let file = format!("src/design/rules/pages/{code}.md");
    std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file)).ok()
}

/// The files of a page's blocks.
fn files(page: &str) -> Vec<(&str, &[u8])> {
    let blocks = page.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    blocks
        .filter_map(|(language, text)| {
            let first = text.lines().next().unwrap_or_default();
            let name = first.trim_start_matches(['/', '#', ' ']).trim();
            match language {
                "kdl" => Some(("x.kdl", text.as_bytes())),
                // A table has no comments.
                "csv" => Some((name, text.split_once('\n')?.1.as_bytes())),
                _ => name.contains('/').then_some((name, text.as_bytes())),
            }
        })
        .collect()
}

#[test]
fn the_example_of_every_page_has_its_finding() {
    let mut wrong = Vec::new();
    for code in CODES.iter().filter(|code| !NOT_SHOWN.contains(code)) {
        let Some(page) = page(*code) else { continue };
        let example = files(&page);
        let with = |more: &[(&'static str, &'static [u8])]| {
            let files = [&example[..], more].concat();
            compiled(&files).findings.iter().any(|finding| finding.code == *code)
        };
        let base = ("base.kdl", BASE.as_bytes());
        if !with(&[base]) && !with(&[]) && !with(&[base, ("files/other", b"")]) {
            wrong.push(code.to_string());
        }
    }
    assert!(wrong.is_empty(), "the examples on these pages do not bring their findings: {wrong:?}");
}
