//! What an import says besides the design: what was left out or changed, what is wrong, what must not be shown.
//!
//! Owns its order. The sentences that go with single fields stand where the fields are read.

use crate::finding::{self, Finding, Place};
use crate::model::imported::{Note, NoteKind};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most notes that are kept; a file that is all notes is not what it was taken for.
const MOST_NOTES: usize = 10_000;

#[derive(Default)]
pub struct Report {
    notes: RefCell<Vec<Note>>,
    findings: RefCell<Vec<Finding>>,
    hidden: RefCell<Vec<Place>>,
}

impl Report {
    pub fn note(&self, kind: NoteKind, place: Place, document: &Arc<str>, field: String, why: String) {
        let mut notes = self.notes.borrow_mut();
        if notes.len() < MOST_NOTES {
            notes.push(Note { kind, place, document: document.clone(), field, why });
        }
    }

    pub fn find(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    /// A text that is shown nowhere.
    pub fn hide(&self, place: Place) {
        self.hidden.borrow_mut().push(place);
    }

    pub fn into_parts(self) -> (Vec<Note>, Vec<Finding>, Vec<Place>) {
        let mut notes = self.notes.into_inner();
        notes.sort_by(|a, b| (&a.place, &a.field).cmp(&(&b.place, &b.field)));
        notes.dedup();
        let mut findings = self.findings.into_inner();
        finding::tidy(&mut findings);
        (notes, findings, self.hidden.into_inner())
    }
}

/// The texts with stars in place of what is hidden, byte for byte, so that places stay true.
pub fn starred(texts: &mut BTreeMap<Arc<str>, Arc<str>>, hidden: &[Place]) {
    for (file, text) in texts.iter_mut() {
        let mut bytes = text.as_bytes().to_vec();
        for place in hidden.iter().filter(|place| place.file == *file) {
            let start = place.offset as usize;
            let end = (start + place.length as usize).min(bytes.len());
            let held = bytes.get_mut(start..end).unwrap_or_default();
            held.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b'*');
        }
        *text = String::from_utf8_lossy(&bytes).into();
    }
}
