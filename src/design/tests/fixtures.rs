//! Every file of `tests/fixtures/design/` is a design with the findings that it must have.
//!
//! A fixture has sections that begin with `==== FILE`; the last is `==== findings`. The base design is added,
//! unless the fixture's first line is `bare`.

use super::{BASE, findings};
use std::path::PathBuf;

/// Every fixture's name and text.
pub fn all() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/design");
    let mut fixtures: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_name().unwrap().to_string_lossy().into(), std::fs::read_to_string(path).unwrap())
        })
        .collect();
    fixtures.sort();
    fixtures
}

/// A fixture's files, the base design among them, and its findings.
pub fn parts(text: &str) -> (Vec<(&str, &[u8])>, &str) {
    let mut parts = text.split("==== ");
    let bare = parts.next().unwrap_or_default().contains("bare");
    let mut files: Vec<(&str, &[u8])> = Vec::new();
    let mut expected = "";
    for part in parts {
        match part.split_once('\n').unwrap() {
            ("findings", text) => expected = text,
            (file, text) => files.push((file, text.as_bytes())),
        }
    }
    if !bare {
        files.push(("base.kdl", BASE.as_bytes()));
    }
    (files, expected)
}

#[test]
fn every_fixture_has_its_findings() {
    let mut wrong = String::new();
    for (name, text) in all() {
        let (files, expected) = parts(&text);
        let found = findings(&files);
        if found != expected {
            wrong += &format!(">>>> {name}\n{found}");
        }
    }
    assert!(wrong.is_empty(), "these fixtures have other findings:\n{wrong}<<<<");
}

/// Codes of other floors: bringing a revision in, and importing.
const OTHERS: &[u16] = &[60, 84, 85];

#[test]
fn every_code_of_this_floor_has_a_fixture() {
    let all: String = all().into_iter().map(|(_, text)| text).collect();
    // Tested in `hostile.rs`, because their inputs are no text or too large.
    let elsewhere = [crate::finding::NOT_UTF8.number];
    for code in crate::finding::CODES {
        let known = OTHERS.contains(&code.number) || elsewhere.contains(&code.number);
        assert!(known || all.contains(&code.to_string()), "{code} has no fixture");
    }
}
