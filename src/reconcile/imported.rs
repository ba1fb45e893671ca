//! A design that was imported, judged as any other is.
//!
//! Owns the tracing of findings back to what was imported. Writes nothing.

use crate::design;
use crate::finding::{self, CLEAR_TEXT_SECRET, Finding, Place, Severity};
use crate::model::imported::Imported;
use crate::model::revision::{Revision, SourceTree};
use crate::script;
use crate::world::source::digest;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an imported design is worth.
#[derive(Default)]
pub struct Judged {
    pub findings: Vec<Finding>,
    /// Source texts, for underlining.
    pub texts: BTreeMap<Arc<str>, Arc<str>>,
}

/// The design as it would be loaded from its folder; `source` names it in messages.
pub fn judge(imported: &Imported, source: &str) -> Judged {
    let files = files(imported);
    let digest = digest(&files);
    let revision = Revision { source: source.into(), revision: "content".into(), digest };
    let tree = SourceTree { revision, files, payloads: None, root: None };
    let compiled = design::compile(&tree, &script::stdlib::tree());
    let mut findings = compiled.findings;
    finding::tidy(&mut findings);
    Judged { findings, texts: compiled.texts }
}

/// The files of the design.
pub fn files(imported: &Imported) -> BTreeMap<Arc<str>, Arc<[u8]>> {
    let bytes = |(name, text): &(String, String)| (Arc::from(name.as_str()), Arc::from(text.as_bytes()));
    imported.files.iter().map(bytes).collect()
}

/// The same as [`judge`], in the words and places of what was imported.
pub fn judge_sources(imported: &Imported) -> Judged {
    // Without a single document there is nothing to judge, and what is wrong has been said.
    let judged = match imported.files.is_empty() {
        true => Judged::default(),
        false => judge(imported, "import"),
    };
    traced(imported, judged)
}

/// What was found, in the words and places of what was imported: without what is only worth knowing, and without warnings
/// about things that the importer had to make, which its notes tell of.
pub fn traced(imported: &Imported, mut judged: Judged) -> Judged {
    let made = |finding: &Finding| imported.origins.named_only.contains(&finding.subject);
    let counts = |finding: &&Finding| match finding.code.severity {
        Severity::Error => true,
        Severity::Warning => !made(finding),
        Severity::Info => false,
    };
    let mut findings = imported.findings.clone();
    findings.extend(once(imported, judged.findings.iter().filter(counts)));
    finding::tidy(&mut findings);
    judged.texts.extend(imported.texts.clone());
    // The text that a finding refuses to show must not be shown by its place either.
    let secrets: Vec<&Arc<str>> = findings
        .iter()
        .filter(|finding| finding.code == CLEAR_TEXT_SECRET)
        .filter_map(|finding| Some(&finding.place.as_ref()?.file))
        .collect();
    for file in secrets {
        judged.texts.remove(file);
    }
    judged.findings = findings;
    judged
}

/// Each finding traced. What several nodes have from one place is that place's fault, and said once.
fn once<'a>(imported: &Imported, findings: impl Iterator<Item = &'a Finding>) -> Vec<Finding> {
    let mut traced: BTreeMap<(u16, Option<Place>, String), Finding> = BTreeMap::new();
    for finding in findings {
        let new = imported.origins.trace(finding);
        let key = (new.code.number, new.place.clone(), new.message.clone());
        match (traced.get_mut(&key), imported.origins.document(finding)) {
            (Some(held), Some(document)) => held.subject = document.to_string(),
            (Some(_), None) => {}
            (None, _) => drop(traced.insert(key, new)),
        }
    }
    traced.into_values().collect()
}
