//! The findings as people get them: in order, without floods, without secrets.
//!
//! Owns the order, the bounds on repeats at one place and on all of them, and the starring out of clear-text secrets.

use super::clear_text;
use crate::finding::{self, Finding, Place};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// One mistake in a `nodes` block shows in every node of it; this many are enough to see it.
const MOST_AT_ONE_PLACE: usize = 3;

/// Nobody reads more; whoever corrects these gets the others next time.
pub const MOST_FINDINGS: usize = 5_000;

pub fn tidy(mut findings: Vec<Finding>) -> Vec<Finding> {
    finding::tidy(&mut findings);
    let mut counts: HashMap<(u16, Option<Place>), usize> = HashMap::new();
    for finding in &findings {
        *counts.entry((finding.code.number, finding.place.clone())).or_default() += 1;
    }
    let mut shown: HashMap<(u16, Option<Place>), usize> = HashMap::new();
    let mut kept = Vec::new();
    for mut finding in findings {
        let key = (finding.code.number, finding.place.clone());
        let total = counts.get(&key).copied().unwrap_or_default();
        let number = shown.entry(key).or_default();
        *number += 1;
        if *number == MOST_AT_ONE_PLACE && total > MOST_AT_ONE_PLACE {
            finding.message += &format!(" (and {} more like it)", total - MOST_AT_ONE_PLACE);
        }
        if *number <= MOST_AT_ONE_PLACE {
            kept.push(finding);
        }
    }
    bounded(kept)
}

/// No more than anybody reads. Errors stay before warnings do: a design with an error must not seem to have none.
fn bounded(findings: Vec<Finding>) -> Vec<Finding> {
    let Some(surplus) = findings.len().checked_sub(MOST_FINDINGS).filter(|surplus| *surplus > 0) else {
        return findings;
    };
    let errors = findings.iter().filter(|finding| finding.is_error()).count().min(MOST_FINDINGS);
    let mut room = (errors, MOST_FINDINGS - errors);
    let mut kept: Vec<Finding> = Vec::with_capacity(MOST_FINDINGS);
    for finding in findings {
        let left = if finding.is_error() { &mut room.0 } else { &mut room.1 };
        if *left > 0 {
            *left -= 1;
            kept.push(finding);
        }
    }
    if let Some(last) = kept.last_mut() {
        last.message += &format!(" (and {surplus} more findings in the design)");
    }
    kept
}

/// Stars instead of every hidden text, byte for byte, so that places stay true. In files that findings point to, what
/// only looks like a secret goes too: lines around a finding are shown, whatever is in them.
pub fn without_secrets(
    mut texts: BTreeMap<Arc<str>, Arc<str>>,
    hidden: &[Place],
    findings: &[Finding],
) -> BTreeMap<Arc<str>, Arc<str>> {
    let mut by_file: BTreeMap<&Arc<str>, Vec<Range<usize>>> = BTreeMap::new();
    for place in hidden {
        let start = place.offset as usize;
        by_file.entry(&place.file).or_default().push(start..start + place.length as usize);
    }
    let shown: BTreeSet<&Arc<str>> =
        findings.iter().filter_map(|it| Some(&it.place.as_ref()?.file)).collect();
    for file in shown {
        let guessed = texts.get(file).map(|text| clear_text::ranges(text)).unwrap_or_default();
        if !guessed.is_empty() {
            by_file.entry(file).or_default().extend(guessed);
        }
    }
    for (file, ranges) in by_file {
        if let Some(text) = texts.get_mut(file) {
            *text = starred(text, ranges).into();
        }
    }
    texts
}

fn starred(text: &str, ranges: Vec<Range<usize>>) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for range in ranges {
        for byte in bytes.get_mut(range).unwrap_or_default().iter_mut().filter(|byte| **byte != b'\n') {
            *byte = b'*';
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
