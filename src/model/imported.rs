//! A design that came from another system: its files, and what became of what the other system said.

use crate::finding::{Finding, Place};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What an import came to.
#[derive(Debug, Default)]
pub struct Imported {
    /// The files of the design by path, in the order in which they are to be read.
    pub files: Vec<(String, String)>,
    /// What did not go over as it stood, in order of place.
    pub notes: Vec<Note>,
    /// Faults of the texts that were to be imported.
    pub findings: Vec<Finding>,
    pub origins: Origins,
    /// The imported texts, for underlining; secrets in clear are starred out.
    pub texts: BTreeMap<Arc<str>, Arc<str>>,
}

/// Something that the other system said and the design says in another way, or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub kind: NoteKind,
    pub place: Place,
    /// What it stands in, such as `drydock/Rack/v1 rack1`.
    pub document: Arc<str>,
    /// Dotted path in it.
    pub field: String,
    pub why: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    /// It is not in the design.
    Dropped,
    /// It is in the design in another way, or the design says more than was said.
    Changed,
}

impl NoteKind {
    pub const fn word(self) -> &'static str {
        match self {
            NoteKind::Dropped => "dropped",
            NoteKind::Changed => "changed",
        }
    }
}

/// Where a part of the design comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub document: Arc<str>,
    pub place: Place,
}

/// Where the parts of written files come from, so that findings can point into what was imported.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    /// By file: first byte, byte after the last, and the origin; in order of the first byte, the larger one first.
    pub spans: BTreeMap<String, Vec<(usize, usize, Mark)>>,
    /// Documents by what findings call the things that they became, such as `network "oob"`.
    pub subjects: BTreeMap<String, Arc<str>>,
    /// What findings call things that documents only name, and that the importer had to make.
    pub named_only: BTreeSet<String>,
    /// Files that went over as they are, by their new names.
    pub renamed: BTreeMap<String, Arc<str>>,
}

impl Origins {
    /// The document in which the finding's place lies.
    pub fn document(&self, finding: &Finding) -> Option<&Arc<str>> {
        Some(&self.innermost(finding.place.as_ref()?)?.document)
    }

    /// The finding as it reads to somebody who knows the imported documents only.
    pub fn trace(&self, finding: &Finding) -> Finding {
        let mut traced = finding.clone();
        let mark = finding.place.as_ref().and_then(|place| self.innermost(place));
        if let Some(subject) = self.subjects.get(&finding.subject).or(mark.map(|mark| &mark.document)) {
            traced.subject = subject.to_string();
        }
        if let Some(mark) = mark {
            traced.place = Some(mark.place.clone());
        } else if let Some(place) = &mut traced.place
            && let Some(name) = self.renamed.get(&*place.file)
        {
            place.file = name.clone();
        }
        traced
    }

    /// The smallest part with an origin that holds the place.
    fn innermost(&self, place: &Place) -> Option<&Mark> {
        let at = place.offset as usize;
        let spans = self.spans.get(&*place.file)?;
        // Parts are nested, so of those that hold the place the innermost begins last.
        let before = spans.partition_point(|(start, _, _)| *start <= at);
        spans[..before].iter().rev().find(|(_, end, _)| at < *end).map(|(_, _, mark)| mark)
    }
}
