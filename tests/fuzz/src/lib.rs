//! What the fuzz targets share: files to a compiled design, and what must hold of it.

use rackwright::design::{Compiled, compile};
use rackwright::finding::Finding;
use rackwright::model::revision::{Revision, SourceTree};
use std::collections::BTreeMap;
use std::sync::Arc;

/// As many findings as anybody reads; `design/report.rs` has the bound.
const MOST_FINDINGS: usize = 5_000;

/// In place of the standard library, whose scripts would be judged anew for each input.
const STANDARD: &[(&str, &[u8])] = &[
    (
        "stdlib/tasks.kdl",
        br#"task "std/install" script="install.rhai" { realizes "image"; hazard "reinstall"; allow "pxe" }
blueprint "std/bring-up" { step "install" task="std/install" }"#,
    ),
    ("stdlib/install.rhai", b"fn apply(node) {}"),
];

pub fn compiled(files: &[(&str, &[u8])]) -> Compiled {
    compile(&tree(files), &tree(STANDARD))
}

fn tree(files: &[(&str, &[u8])]) -> SourceTree {
    let revision = Revision { source: "fuzz".into(), revision: "content".into(), digest: "0".into() };
    let files = files.iter().map(|(name, bytes)| ((*name).into(), (*bytes).into())).collect();
    SourceTree { revision, files, payloads: None, root: None }
}

/// Every finding has a place inside its file, and a second time says the same.
pub fn judge(once: &Compiled, twice: &Compiled) {
    assert_eq!(once.findings, twice.findings);
    assert_eq!(once.site.is_none(), once.findings.iter().any(|finding| finding.is_error()));
    assert!(once.findings.len() <= MOST_FINDINGS);
    once.findings.iter().for_each(|finding| inside(finding, &once.texts));
}

/// The finding's place, if it has one in these texts, is a part of them.
pub fn inside(finding: &Finding, texts: &BTreeMap<Arc<str>, Arc<str>>) {
    let Some(place) = &finding.place else { return };
    let Some(text) = texts.get(&place.file) else { return };
    let (start, end) = (place.offset as usize, (place.offset + place.length) as usize);
    assert!(text.get(start..end).is_some(), "{finding:?}");
}
