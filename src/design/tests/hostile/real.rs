//! Real designs and every fixture with pieces taken out, doubled, exchanged and put in.

use super::{cases, judged, pieces};
use crate::design::tests::fixtures;
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

type Files = Vec<(String, Vec<u8>)>;

/// The designs of `designs/` and the fixtures. One file of each is changed, and the others stand around it.
static DESIGNS: LazyLock<Vec<Files>> = LazyLock::new(|| {
    let fixtures = fixtures::all().into_iter().map(|(_, text)| {
        let (files, _) = fixtures::parts(&text);
        files.into_iter().map(|(name, bytes)| (name.to_string(), bytes.to_vec())).collect()
    });
    // A large one is compiled too slowly for hundreds of cases.
    let small = |files: &Files| files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>() < 20_000;
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("designs");
    let designs = std::fs::read_dir(root).unwrap().map(|entry| {
        let folder = entry.unwrap().path();
        let mut files = Files::new();
        if folder.is_dir() {
            walk(&folder, &folder, &mut files);
        }
        files
    });
    designs.chain(fixtures).filter(|files: &Files| !files.is_empty() && small(files)).collect()
});

/// The texts of a design; what `files/` holds is never read.
fn walk(root: &Path, folder: &Path, files: &mut Files) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        match path.is_dir() {
            true if name == "files" || name.starts_with('.') => {}
            true => walk(root, &path, files),
            false => files.push((name, std::fs::read(path).unwrap())),
        }
    }
    files.sort();
}

/// What is put in: words and signs of the language, and what text editors and spreadsheets leave behind.
const PUT: &[&str] = &[
    "",
    "{",
    "}",
    "\"",
    "\\",
    "(ref)",
    "(var)",
    "(text)",
    "(secret)",
    "(ref)\"hardware.x\"",
    "(text)\"{a}\"",
    "/-",
    "/*",
    "*/",
    "//",
    "=",
    ";",
    "\n",
    "\r\n",
    "\r",
    "\0",
    "\u{feff}",
    "\u{7f}",
    "é",
    "#null",
    "#true",
    "#\"",
    "\"\"\"",
    "{{",
    "{x:99}",
    "{x:02x}",
    "99999999999999999999",
    "-1",
    "1e999",
    "!",
    "*",
    "&",
    "|",
    "[",
    "10.20.0.11",
    "0.0.0.0/0",
    ">20GiB",
    "100%",
    "auto",
    "dhcp",
    "swap",
    "..",
    "/",
    "\"env:\"",
    ",",
    "\t",
    "==== ",
];

#[derive(Clone, Debug)]
enum Edit {
    Delete,
    Double,
    Exchange(prop::sample::Index),
    Put(&'static str),
}

fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, Edit)>> {
    let edit = prop_oneof![
        Just(Edit::Delete),
        Just(Edit::Double),
        any::<prop::sample::Index>().prop_map(Edit::Exchange),
        prop::sample::select(PUT).prop_map(Edit::Put),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), edit), 1..5)
}

/// The text with its pieces changed.
fn changed(text: &str, edits: &[(prop::sample::Index, Edit)], by_line: bool) -> String {
    let mut pieces: Vec<String> = match by_line {
        true => text.split_inclusive('\n').map(str::to_string).collect(),
        false => pieces(text),
    };
    for (at, edit) in edits {
        if pieces.is_empty() {
            break;
        }
        let at = at.index(pieces.len());
        match edit {
            Edit::Delete => drop(pieces.remove(at)),
            Edit::Double => pieces.insert(at, pieces[at].clone()),
            Edit::Exchange(other) => {
                let other = other.index(pieces.len());
                pieces.swap(at, other);
            }
            Edit::Put(text) => pieces.insert(at, (*text).to_string()),
        }
    }
    pieces.concat()
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn a_changed_design_has_findings_with_places(
        design in any::<prop::sample::Index>(),
        file in any::<prop::sample::Index>(),
        by_line in any::<bool>(),
        edits in edits(),
    ) {
        let design = &DESIGNS[design.index(DESIGNS.len())];
        let file = file.index(design.len());
        let mut files = design.clone();
        let text = String::from_utf8_lossy(&files[file].1).into_owned();
        files[file].1 = changed(&text, &edits, by_line).into_bytes();
        judged(&files);
    }

    #[test]
    fn a_design_with_changed_bytes_has_findings_with_places(
        design in any::<prop::sample::Index>(),
        bytes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut files = DESIGNS[design.index(DESIGNS.len())].clone();
        for (at, byte) in bytes {
            let file = at.index(files.len());
            let length = files[file].1.len();
            if length > 0 {
                files[file].1[at.index(length)] = byte;
            }
        }
        judged(&files);
    }
}

#[test]
fn there_are_designs_to_change() {
    assert!(DESIGNS.len() > 50, "{}", DESIGNS.len());
}
