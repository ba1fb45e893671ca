//! The page of a finding's code: what it is, why it matters, an example, and the way out.
//!
//! Owns the form of a page. The texts are Markdown in `design/rules/pages/`, one file a code, and are compiled into
//! the binary, so that they are at hand where there is no network.

use crate::finding::{CODES, Code, did_you_mean};
use include_dir::{Dir, include_dir};
use serde_json::{Value, json};
use std::fmt::Write;

static PAGES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/src/design/rules/pages");

/// The sections that every page has, in this order.
pub const SECTIONS: [&str; 4] = ["What", "Why", "Example", "Fix"];

/// The format number of `explain --json`.
const FORMAT: u32 = 1;

/// A page in its parts.
#[derive(Debug, PartialEq, Eq)]
pub struct Page<'a> {
    /// What stands after `# `.
    pub title: &'a str,
    /// The texts of [`SECTIONS`].
    pub sections: [&'a str; 4],
}

/// Takes a page apart, or says what is wrong with its form.
pub fn read(text: &str) -> Result<Page<'_>, String> {
    let (head, mut rest) = text.split_once("\n## ").ok_or("the page has no section")?;
    let title = head.trim_end().strip_prefix("# ").ok_or("the page does not begin with `# `")?;
    if title.contains('\n') {
        return Err("something stands before the first section".into());
    }
    let mut sections = [""; 4];
    for (index, name) in SECTIONS.iter().enumerate() {
        let body = rest.strip_prefix(name).and_then(|body| body.strip_prefix('\n'));
        let body = body.ok_or_else(|| format!("`## {name}` is not section {}", index + 1))?;
        let (own, after) = body.split_once("\n## ").unwrap_or((body, ""));
        if own.trim().is_empty() {
            return Err(format!("`## {name}` is empty"));
        }
        (sections[index], rest) = (own.trim(), after);
    }
    if rest.is_empty() { Ok(Page { title, sections }) } else { Err("the page has too many sections".into()) }
}

/// The code that somebody wrote: `RW0030`, `rw0030` or `30`.
pub fn code(written: &str) -> Option<&'static Code> {
    let number = number_of(written)?;
    CODES.iter().find(|code| code.number == number)
}

fn number_of(written: &str) -> Option<u16> {
    let upper = written.to_ascii_uppercase();
    upper.strip_prefix("RW").unwrap_or(&upper).parse().ok()
}

/// The code that was probably meant: the nearest number, or else the nearest spelling.
pub fn nearest(written: &str) -> Option<String> {
    if let Some(number) = number_of(written) {
        return CODES.iter().min_by_key(|code| code.number.abs_diff(number)).map(Code::to_string);
    }
    let known: Vec<String> = CODES.iter().map(Code::to_string).collect();
    let upper = written.to_ascii_uppercase();
    did_you_mean(&upper, known.iter().map(String::as_str)).map(str::to_string)
}

/// The page as it was written.
pub fn human(code: &Code) -> String {
    match text(code) {
        Some(text) => text.trim_end().to_string(),
        None => format!("# {code}: {}", code.title),
    }
}

pub fn as_json(code: &Code) -> Value {
    let mut value =
        json!({"format": FORMAT, "code": code.to_string(), "severity": code.severity, "title": code.title});
    if let Some(Ok(page)) = text(code).map(read) {
        for (name, section) in SECTIONS.iter().zip(page.sections) {
            value[name.to_ascii_lowercase()] = section.into();
        }
    }
    value
}

fn text(code: &Code) -> Option<&'static str> {
    PAGES.get_file(format!("{code}.md"))?.contents_utf8()
}

/// Every code with its title.
pub fn all() -> String {
    let mut text = String::new();
    for code in CODES {
        let _ = writeln!(text, "{code}  {}", code.title);
    }
    text + "\n`rackwright explain CODE` says more of one."
}

pub fn all_as_json() -> Value {
    let codes: Vec<Value> = CODES
        .iter()
        .map(|code| json!({"code": code.to_string(), "severity": code.severity, "title": code.title}))
        .collect();
    json!({"format": FORMAT, "codes": codes})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_taken_apart_and_other_forms_are_refused() {
        let good = "# RW1: x\n\n## What\n\na\n\n## Why\nb\n\n## Example\n\n    c\n\n## Fix\n\nd\n";
        assert_eq!(read(good), Ok(Page { title: "RW1: x", sections: ["a", "b", "c", "d"] }));
        let wrong = |from: &str, to: &str| read(&good.replace(from, to)).unwrap_err();
        assert_eq!(wrong("# RW1", "RW1"), "the page does not begin with `# `");
        assert_eq!(wrong("## Why\nb\n\n", ""), "`## Why` is not section 2");
        assert_eq!(wrong("\n\na\n", "\n\n"), "`## What` is empty");
        assert_eq!(wrong("\nd\n", "\nd\n\n## More\n\ne\n"), "the page has too many sections");
        assert_eq!(wrong("x\n", "x\ny\n"), "something stands before the first section");
    }

    #[test]
    fn codes_are_found_however_they_are_written_and_the_nearest_is_named() {
        for written in ["RW0030", "rw0030", "30"] {
            assert_eq!(code(written).map(|code| code.number), Some(30), "{written}");
        }
        assert_eq!(code("RW0029"), None);
        assert_eq!(nearest("RW0029").as_deref(), Some("RW0030"));
        assert_eq!(nearest("WR0030").as_deref(), Some("RW0030"));
        assert_eq!(nearest("colour"), None);
    }
}
