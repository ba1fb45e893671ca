//! The parser's diagnostics in words that help.
//!
//! Owns what each diagnostic means for somebody who writes a design, and which ones only follow from another. The
//! text has passed `scan`, so its braces are balanced: a brace that the parser misses was lost to a fault before it.

use crate::design::scan::Fault;
use crate::finding::SYNTAX;
use kdl::KdlDiagnostic;

/// The faults behind the diagnostics; never empty.
pub fn faults(text: &str, diagnostics: &[KdlDiagnostic]) -> Vec<Fault> {
    let mut faults: Vec<Fault> = diagnostics
        .iter()
        .filter(|it| !is_stop(it) && !is_lost_brace(it))
        .map(|it| explained(text, it))
        .collect();
    // Where the parser stops, it goes on stopping until the end of the block: the first is the fault.
    let stop = diagnostics.iter().filter(|it| is_stop(it)).map(|it| it.span.offset()).min();
    faults.extend(stop.map(|offset| stopped(text, offset)));
    if faults.is_empty() {
        faults.push(fault(0, 0, "the text is not KDL", "designs are written in KDL 2, see https://kdl.dev"));
    }
    faults
}

fn message(diagnostic: &KdlDiagnostic) -> &str {
    diagnostic.message.as_deref().unwrap_or_default()
}

fn is_lost_brace(diagnostic: &KdlDiagnostic) -> bool {
    diagnostic.label.as_deref() == Some("not closed")
}

fn is_stop(diagnostic: &KdlDiagnostic) -> bool {
    matches!(diagnostic.label.as_deref(), Some("not EOF" | "not node name"))
}

/// Something at which no KDL node can go on or begin.
fn stopped(text: &str, offset: usize) -> Fault {
    let next = text.get(offset..).and_then(|rest| rest.chars().next());
    let (message, help) = match next {
        Some('=') => (
            "this `=` belongs to no property",
            "write name \"value\" for a child, name=\"value\" for a property",
        ),
        Some('[' | ']') => ("brackets have no meaning in KDL", "write several values one after the other"),
        Some('(' | ')') => {
            ("this parenthesis is out of place", "a type stands before its value, as in (secret)\"env:X\"")
        }
        Some('\\') => ("a backslash must be the last thing in its line", "remove it, or what follows it"),
        Some('#') => ("this `#` begins nothing", "write #true, #false, #null, or quote the text"),
        Some('/') => ("this `/` begins no comment", "write // before a comment, or quote the text"),
        _ => ("this does not belong here", "end what stands before it with a new line or `;`"),
    };
    fault(offset, next.map_or(0, char::len_utf8), message, help)
}

fn explained(text: &str, diagnostic: &KdlDiagnostic) -> Fault {
    let (offset, length) = (diagnostic.span.offset(), diagnostic.span.len());
    let covered = text.get(offset..offset.saturating_add(length)).unwrap_or_default();
    if matches!(covered, "true" | "false" | "null" | "nan" | "inf" | "-inf") {
        let message = format!("`{covered}` is no value in KDL 2");
        return Fault {
            code: SYNTAX,
            offset,
            length,
            message,
            help: "write #true, #false or #null, or quote the text",
        };
    }
    match message(diagnostic) {
        "Expected property value" => {
            // The diagnostic covers everything from the start of the KDL node.
            let equals = covered.rfind('=').unwrap_or_default();
            let start = covered[..equals].rfind([' ', '\t', '\n', ';', '{']).map_or(0, |space| space + 1);
            let length = covered[start..].trim_end().len();
            fault(offset + start, length, "this property has no proper value", "write name=\"value\"")
        }
        "Expected quoted string" => fault(offset, length, "two values touch", "put a space between them"),
        "Expected keyword" => fault(
            offset,
            length,
            "this keyword does not exist",
            "write #true, #false or #null, or quote the text",
        ),
        other => fault(offset, length, &in_lower_case(other), "correct it, or put the text in quotes"),
    }
}

fn in_lower_case(message: &str) -> String {
    let mut characters = message.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => "the text is not KDL".to_string(),
    }
}

fn fault(offset: usize, length: usize, message: &str, help: &'static str) -> Fault {
    Fault { code: SYNTAX, offset, length, message: message.to_string(), help }
}
