//! Sizes: a file over 500 lines or a function over 70 wants a reason.

use super::text::{Source, close_of, sources};
use crate::none;
use regex::Regex;

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 70;

/// What may be longer: the file, or the file and the function, and why.
const LONGER: &[(&str, &str)] = &[];

/// Names and lengths of functions. Those in texts and comments do not count.
fn functions(source: &Source) -> Vec<(String, usize, usize)> {
    let code = &source.code;
    let mut found = Vec::new();
    for hit in Regex::new(r"\bfn\s+([A-Za-z_][A-Za-z0-9_]*)").unwrap().captures_iter(code) {
        let start = hit.get(0).unwrap().start();
        if let Some(body) = body_of(code, start) {
            let lines = code[start..close_of(code, body)].matches('\n').count() + 1;
            found.push((hit[1].to_string(), source.line(start), lines));
        }
    }
    found
}

/// The brace that opens the body of the function at `start`; declarations have none.
fn body_of(code: &str, start: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b'{' if depth == 0 => return Some(at),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

fn check(source: &Source) -> Vec<String> {
    let excused = |what: &str| LONGER.iter().any(|(name, _)| *name == what);
    let mut complaints = Vec::new();
    let lines = source.text.lines().count();
    if lines > FILE_LINES && !excused(&source.name) {
        complaints.push(format!("src/{}: {lines} lines; split it, or list it with a reason", source.name));
    }
    for (name, line, lines) in functions(source) {
        if lines > FUNCTION_LINES && !excused(&format!("{} {name}", source.name)) {
            complaints.push(format!("src/{}:{line}: `{name}` has {lines} lines", source.name));
        }
    }
    complaints
}

#[test]
fn files_and_functions_are_short() {
    none(sources().iter().flat_map(check).collect());
    assert!(LONGER.iter().all(|(_, reason)| !reason.is_empty()));
}

#[test]
fn long_things_are_seen() {
    let long = format!("fn long(x: &str) -> [u8; 2] {{\n{}}}\nfn short() {{}}\n", "    x;\n".repeat(69));
    // The array type holds a semicolon before the body begins.
    let source = Source::new("a/x.rs", &long);
    assert_eq!(check(&source), ["src/a/x.rs:1: `long` has 71 lines"]);
    assert_eq!(functions(&source).len(), 2);
    assert_eq!(check(&Source::new("a/x.rs", &"//! x\n".repeat(501))).len(), 1);
    assert_eq!(check(&Source::new("a/x.rs", &"//! x\n".repeat(500))).len(), 0);
}
