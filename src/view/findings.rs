//! Findings: for people with the source underlined, for programs as JSON.

use crate::finding::{Finding, Severity};
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::Arc;

type Texts = BTreeMap<Arc<str>, Arc<str>>;

/// The format number of `validate --json`.
const FORMAT: u32 = 1;

/// All findings with their source, a line that counts them, and where to read more.
pub fn human(findings: &[Finding], texts: &Texts, color: bool) -> String {
    let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_width(110);
    let mut text = String::new();
    for finding in findings {
        let shown = Shown::of(finding, texts);
        if handler.render_report(&mut text, &shown).is_err() {
            text.push_str(&line(finding));
        }
        text.push('\n');
    }
    text.push_str(&summary(findings));
    if let Some(first) = findings.first() {
        let _ = write!(text, "\n`rackwright explain {}` says more.", first.code);
    }
    text
}

/// One line: place, code, message.
pub fn line(finding: &Finding) -> String {
    let place = finding.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    format!("{place}{}: {}", finding.code, finding.message)
}

pub fn summary(findings: &[Finding]) -> String {
    let (errors, warnings) = counts(findings);
    match (errors, warnings) {
        (0, 0) => "The design is valid.".into(),
        (0, _) => format!("The design is valid, with {}.", super::words::count(warnings, "warning")),
        _ => format!(
            "The design has {} and {}.",
            super::words::count(errors, "error"),
            super::words::count(warnings, "warning")
        ),
    }
}

/// So many tasks, and nothing to say of them.
pub fn sound(tasks: usize) -> String {
    format!("Nothing is wrong with {}.", super::words::count(tasks, "task"))
}

/// Errors and warnings.
pub fn counts(findings: &[Finding]) -> (usize, usize) {
    let of = |severity| findings.iter().filter(|finding| finding.code.severity == severity).count();
    (of(Severity::Error), of(Severity::Warning))
}

/// `{format, findings, summary}`.
pub fn as_json(findings: &[Finding]) -> Value {
    let (errors, warnings) = counts(findings);
    let findings: Vec<Value> = findings
        .iter()
        .map(|finding| {
            let place = finding.place.as_ref();
            json!({
                "code": finding.code.to_string(),
                "severity": finding.code.severity,
                "message": finding.message,
                "subject": finding.subject,
                "file": place.map(|place| &*place.file),
                "line": place.map(|place| place.line),
                "column": place.map(|place| place.column),
                "help": finding.help,
            })
        })
        .collect();
    json!({"format": FORMAT, "findings": findings, "summary": {"errors": errors, "warnings": warnings}})
}

/// A finding as miette wants it.
struct Shown<'a> {
    finding: &'a Finding,
    source: Option<NamedSource<String>>,
}

impl<'a> Shown<'a> {
    fn of(finding: &'a Finding, texts: &Texts) -> Shown<'a> {
        let place = finding.place.as_ref();
        let source = place
            .and_then(|place| Some((place, texts.get(&place.file)?)))
            .map(|(place, text)| NamedSource::new(&*place.file, text.to_string()));
        Shown { finding, source }
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.source, &self.finding.place) {
            (None, Some(place)) => write!(f, "{}: {place}: {}", self.finding.subject, self.finding.message),
            _ => write!(f, "{}: {}", self.finding.subject, self.finding.message),
        }
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(self.finding.code.to_string()))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.code.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Info => miette::Severity::Advice,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.finding.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.finding.place.as_ref().filter(|_| self.source.is_some())?;
        let span = LabeledSpan::underline((place.offset as usize, place.length.max(1) as usize));
        Some(Box::new(std::iter::once(span)))
    }
}
