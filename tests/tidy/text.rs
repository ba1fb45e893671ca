//! Rust source as far as the rules need it: code without comments and texts, and what is compiled for tests only.
//!
//! Works on characters, not on syntax trees: the code is formatted, so braces and indentation can be trusted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// One file below `src/`.
pub struct Source {
    /// Path below `src/`, with `/`.
    pub name: String,
    /// As it stands in the file.
    pub text: String,
    /// The same length, with comments and the insides of texts blanked out.
    pub code: String,
    /// `code`, with everything that only tests compile blanked out too.
    pub product: String,
}

impl Source {
    pub fn new(name: &str, text: &str) -> Source {
        let code = blank(text);
        let product = without_tests(&code);
        Source { name: name.into(), text: text.into(), code, product }
    }

    /// The first folder, or the file's own name.
    pub fn floor(&self) -> &str {
        let first = self.name.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The line of a byte offset, from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.code[..offset].matches('\n').count() + 1
    }
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every Rust file below `src/`, in order of name. Files that only tests compile have an empty `product`.
pub fn sources() -> Vec<Source> {
    let mut names = Vec::new();
    walk(&root().join("src"), &mut names);
    names.sort();
    let base = root().join("src");
    let mut sources: Vec<Source> = names
        .iter()
        .map(|path| {
            let name = path.strip_prefix(&base).unwrap().to_string_lossy().replace('\\', "/");
            Source::new(&name, &std::fs::read_to_string(path).unwrap())
        })
        .collect();
    let tests: BTreeSet<String> = sources.iter().flat_map(test_modules).collect();
    for source in &mut sources {
        let module = source.name.strip_suffix("/mod.rs").or(source.name.strip_suffix(".rs")).unwrap();
        if tests.iter().any(|test| module == test || module.starts_with(&format!("{test}/"))) {
            source.product = String::new();
        }
    }
    sources
}

fn walk(folder: &Path, names: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => walk(&path, names),
            false if path.extension().is_some_and(|ending| ending == "rs") => names.push(path),
            false => {}
        }
    }
}

/// Modules in files of their own that `#[cfg(test)]` stands before, as paths below `src/` without `.rs`.
fn test_modules(source: &Source) -> Vec<String> {
    let folder = match source.name.strip_suffix("mod.rs") {
        Some(folder) => folder.to_string(),
        None => format!("{}/", source.name.strip_suffix(".rs").unwrap()),
    };
    let folder = if source.name == "lib.rs" { String::new() } else { folder };
    let lines: Vec<&str> = source.code.lines().map(str::trim).collect();
    lines
        .windows(2)
        .filter(|pair| pair[0] == "#[cfg(test)]")
        .filter_map(|pair| pair[1].strip_prefix("mod ")?.strip_suffix(';'))
        .map(|name| format!("{folder}{name}"))
        .collect()
}

/// Spaces instead of comments and of what stands inside texts; offsets and lines stay as they are.
pub fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = hidden_end(bytes, at);
        match end {
            Some(end) => {
                out[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
                at = end;
            }
            None => at += 1,
        }
    }
    String::from_utf8(out).unwrap()
}

/// The end of the comment or text that begins at `at`, if one does.
fn hidden_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = &bytes[at..];
    let starts_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    if rest.starts_with(b"//") {
        return Some(at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()));
    }
    if rest.starts_with(b"/*") {
        return Some(at + comment_length(rest));
    }
    if rest[0] == b'"' {
        return Some(at + quoted_length(rest));
    }
    if rest[0] == b'r' && !starts_word {
        let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
        if rest.get(1 + hashes) == Some(&b'"') {
            let close = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
            let body = &rest[hashes + 2..];
            let end = body.windows(close.len()).position(|window| window == close).unwrap_or(body.len());
            return Some(at + hashes + 2 + (end + close.len()).min(body.len()));
        }
    }
    // A character, not a lifetime: it closes after one character or an escape.
    if rest[0] == b'\'' {
        let body = std::str::from_utf8(&rest[1..]).ok()?;
        let length = match body.strip_prefix('\\') {
            Some(escape) => 1 + escape.char_indices().skip(1).find(|(_, c)| *c == '\'')?.0,
            None => body.chars().next()?.len_utf8(),
        };
        return body[length..].starts_with('\'').then_some(at + length + 2);
    }
    None
}

fn comment_length(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted_length(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != b'"' {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// The offset after the brace that closes the one at `open`.
pub fn close_of(code: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

/// Blanks every item that `#[cfg(test)]` stands before.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = code.as_bytes().to_vec();
    let mut from = 0;
    while let Some(found) = code[from..].find(MARK) {
        let start = from + found;
        let after = start + MARK.len();
        let end = match code[after..].find(['{', ';']) {
            Some(at) if code.as_bytes()[after + at] == b'{' => close_of(code, after + at),
            Some(at) => after + at + 1,
            None => code.len(),
        };
        out[start..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        from = end;
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn comments_and_texts_are_blanked_and_nothing_else() {
    let code = "a /* b /* c */ */ d // e\n\"f\\\"g\" h r#\"i\"j\"# k 'l' '\\'' '\\u{41}' &'m n 'é' o";
    let blanked = blank(code);
    assert_eq!(blanked.len(), code.len());
    let words: Vec<&str> = blanked.split_whitespace().collect();
    assert_eq!(words, ["a", "d", "h", "k", "&'m", "n", "o"]);
}

#[test]
fn what_tests_compile_is_told_apart() {
    let source = Source::new("a.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() { {} }\n}\nfn c() {}\n");
    assert!(source.product.contains("fn a") && source.product.contains("fn c"));
    assert!(!source.product.contains("fn b") && source.code.contains("fn b"));
    let names = |name, text| test_modules(&Source::new(name, text));
    assert_eq!(names("x/mod.rs", "#[cfg(test)]\nmod tests;"), ["x/tests"]);
    assert_eq!(names("x/y.rs", "#[cfg(test)]\nmod z;"), ["x/y/z"]);
    assert!(sources().iter().any(|source| source.name == "design/tests/mod.rs" && source.product.is_empty()));
}
