//! KDL text to a KDL document, with few and sensible syntax findings.
//!
//! Owns the boundary to the `kdl` crate: its diagnostics become findings here, and the ones that only follow
//! from an earlier one are dropped. Does not know the language.

mod explain;

use super::scan::{Fault, scan};
use super::source::SourceFile;
use crate::finding::Finding;
use kdl::{KdlDiagnostic, KdlDocument};

/// A document whose offsets count from `base`, because a byte-order mark is not the parser's business.
pub struct Parsed {
    pub document: KdlDocument,
    pub base: usize,
}

/// More syntax findings than this in one file help nobody.
const MOST_FAULTS: usize = 10;

pub fn parse(file: &SourceFile) -> Result<Parsed, Vec<Finding>> {
    let (text, base) = file.body();
    if let Some(fault) = scan(text) {
        return Err(vec![finding_of_scan(file, base, fault)]);
    }
    match KdlDocument::parse_v2(text) {
        Ok(document) => Ok(Parsed { document, base }),
        Err(error) => Err(first_of_each_fault(file, base, error.diagnostics)),
    }
}

fn finding_of_scan(file: &SourceFile, base: usize, fault: Fault) -> Finding {
    Finding::new(fault.code, subject(file), fault.message)
        .at(file.place(base + fault.offset, fault.length))
        .help(fault.help)
}

/// One fault makes the parser stumble over the rest of its line: the first of a line is the one to read.
fn first_of_each_fault(file: &SourceFile, base: usize, diagnostics: Vec<KdlDiagnostic>) -> Vec<Finding> {
    let (text, _) = file.body();
    let mut findings: Vec<Finding> = explain::faults(text, &diagnostics)
        .into_iter()
        .map(|fault| finding_of_scan(file, base, fault))
        .collect();
    findings.sort_by(|a, b| a.place.cmp(&b.place));
    findings.dedup_by_key(|finding| finding.place.as_ref().map(|place| place.line));
    findings.truncate(MOST_FAULTS);
    findings
}

fn subject(file: &SourceFile) -> String {
    format!("file `{}`", file.name)
}
