//! `fmt`: which files were formatted, and why others were not.

use super::{findings, words};
use crate::finding::Finding;
use crate::model::formatted::{Formatted, Outcome};
use serde_json::{Value, json};
use std::fmt::Write;

/// The format number of `fmt --json`.
const FORMAT: u32 = 1;

/// How many files had which outcome.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub tidy: usize,
    pub changed: usize,
    pub with_findings: usize,
    pub failed: usize,
}

impl Counts {
    pub fn of(formatted: &Formatted) -> Counts {
        let mut counts = Counts::default();
        for (_, outcome) in &formatted.files {
            *match outcome {
                Outcome::Tidy => &mut counts.tidy,
                Outcome::Changed => &mut counts.changed,
                Outcome::Findings(_) => &mut counts.with_findings,
                Outcome::Failed(_) => &mut counts.failed,
            } += 1;
        }
        counts
    }
}

/// The files that changed, one a line, and a line that counts them; with `check`, those that would change.
pub fn human(formatted: &Formatted, check: bool) -> String {
    let mut text = String::new();
    for (name, _) in formatted.files.iter().filter(|(_, outcome)| *outcome == Outcome::Changed) {
        let _ = writeln!(text, "{name}");
    }
    let Counts { tidy, changed, with_findings, failed } = Counts::of(formatted);
    let what = if check { "would change" } else { "formatted" };
    let _ = write!(text, "{} {what}, {tidy} unchanged", words::count(changed, "file"));
    match with_findings + failed {
        0 => text + ".",
        left => format!("{text}, {left} left as {}.", if left == 1 { "it is" } else { "they are" }),
    }
}

/// Why files were left as they are, if any were.
pub fn complaints(formatted: &Formatted, color: bool) -> Option<String> {
    let mut found: Vec<Finding> = Vec::new();
    let mut text = String::new();
    for (name, outcome) in &formatted.files {
        match outcome {
            Outcome::Findings(findings) => found.extend(findings.iter().cloned()),
            Outcome::Failed(why) => {
                let _ = writeln!(text, "error: `{name}`: {why}");
            }
            Outcome::Tidy | Outcome::Changed => {}
        }
    }
    if !found.is_empty() {
        text.push_str(&findings::human(&found, &formatted.texts, color));
    }
    (!text.is_empty()).then(|| text.trim_end().to_string())
}

pub fn as_json(formatted: &Formatted) -> Value {
    let files: Vec<Value> = formatted
        .files
        .iter()
        .map(|(name, outcome)| {
            let (findings, failure) = match outcome {
                Outcome::Findings(findings) => (findings.as_slice(), None),
                Outcome::Failed(why) => (&[][..], Some(why)),
                Outcome::Tidy | Outcome::Changed => (&[][..], None),
            };
            json!({"file": name, "changed": *outcome == Outcome::Changed, "failure": failure,
                   "findings": findings::as_json(findings)["findings"]})
        })
        .collect();
    let Counts { tidy, changed, with_findings, failed } = Counts::of(formatted);
    json!({"format": FORMAT, "files": files, "summary": {"changed": changed, "unchanged": tidy,
           "with_findings": with_findings, "failed": failed}})
}
