//! A cheap pass over KDL text before the parser sees it.
//!
//! Owns the limits that keep the recursive parser safe (nesting, number of KDL nodes), and the faults that
//! make a parser lose its way: open braces, open strings, open comments, control characters. Text that it
//! passes on has balanced braces and closed strings, so the parser's own complaints stay local.
//! Does not know the grammar beyond that: strings, comments and braces (KDL 2.0.0, sections 3.7 to 3.18).

use crate::finding::{Code, LIMIT, SYNTAX};

/// The language needs six levels; more than this is a slip or an attack.
const DEEPEST: usize = 24;
/// Lines, semicolons and opening braces of one file: at 2 KiB a KDL node this bounds the parser's memory.
const MOST_NODES: usize = 200_000;
/// Words of one file, which bounds the number of values.
const MOST_WORDS: usize = 1_000_000;

/// A fault with the bytes that it is about.
#[derive(Debug, PartialEq)]
pub struct Fault {
    pub code: Code,
    pub offset: usize,
    pub length: usize,
    pub message: String,
    pub help: &'static str,
}

/// The first fault of the text, if any.
pub fn scan(text: &str) -> Option<Fault> {
    Scanner { text, bytes: text.as_bytes(), at: 0, open: Vec::new(), nodes: 0, words: 0 }.run().err()
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Offsets of the braces that are open.
    open: Vec<usize>,
    nodes: usize,
    words: usize,
}

impl Scanner<'_> {
    fn run(mut self) -> Result<(), Fault> {
        forbidden_characters(self.text)?;
        while let Some(byte) = self.bytes.get(self.at).copied() {
            match byte {
                b'{' => self.brace_opens()?,
                b'}' => self.brace_closes()?,
                b'"' => self.string(0)?,
                b'#' => self.hash()?,
                b'/' if self.next_is(b"//") => self.line_comment(),
                b'/' if self.next_is(b"/*") => self.block_comment()?,
                b'\n' | b';' => self.node()?,
                b' ' | b'\t' => self.word()?,
                _ => self.at += 1,
            }
        }
        match self.open.last() {
            Some(offset) => Err(fault(*offset, 1, "this `{` is never closed", "write the missing `}`")),
            None => Ok(()),
        }
    }

    fn next_is(&self, wanted: &[u8]) -> bool {
        self.bytes[self.at..].starts_with(wanted)
    }

    fn node(&mut self) -> Result<(), Fault> {
        self.nodes += 1;
        self.at += 1;
        within(self.nodes, MOST_NODES, "lines and statements", self.at)
    }

    fn word(&mut self) -> Result<(), Fault> {
        self.words += 1;
        self.at += 1;
        within(self.words, MOST_WORDS, "words", self.at)
    }

    fn brace_opens(&mut self) -> Result<(), Fault> {
        self.open.push(self.at);
        if self.open.len() > DEEPEST {
            return Err(Fault {
                code: LIMIT,
                offset: self.at,
                length: 1,
                message: format!("braces are nested deeper than {DEEPEST} levels"),
                help: "the language needs six levels; look for a missing `}`",
            });
        }
        self.node()
    }

    fn brace_closes(&mut self) -> Result<(), Fault> {
        if self.open.pop().is_none() {
            return Err(fault(self.at, 1, "this `}` closes nothing", "remove it, or write the missing `{`"));
        }
        self.at += 1;
        Ok(())
    }

    fn line_comment(&mut self) {
        let length = self.bytes[self.at..].iter().take_while(|byte| **byte != b'\n').count();
        self.at += length;
    }

    fn block_comment(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let mut depth = 0usize;
        while self.at < self.bytes.len() {
            if self.next_is(b"/*") {
                depth += 1;
                self.at += 2;
                within(depth, DEEPEST, "nested comments", start)?;
            } else if self.next_is(b"*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return Ok(());
                }
            } else {
                self.at += 1;
            }
        }
        Err(fault(start, 2, "this comment is never closed", "write the missing `*/`"))
    }

    /// `#true` and its like, or a raw string with that many hashes.
    fn hash(&mut self) -> Result<(), Fault> {
        let hashes = self.bytes[self.at..].iter().take_while(|byte| **byte == b'#').count();
        let quoted = self.bytes.get(self.at + hashes) == Some(&b'"');
        self.at += hashes;
        if quoted { self.string(hashes) } else { Ok(()) }
    }

    /// A string whose opening quote is here; with `hashes` it is raw and ends with as many.
    fn string(&mut self, hashes: usize) -> Result<(), Fault> {
        let start = self.at;
        let multiline = self.next_is(b"\"\"\"");
        let quotes = if multiline { 3 } else { 1 };
        self.at += quotes;
        let mut end = vec![b'"'; quotes];
        end.resize(quotes + hashes, b'#');
        while let Some(byte) = self.bytes.get(self.at).copied() {
            if self.next_is(&end) {
                self.at += end.len();
                return Ok(());
            }
            match byte {
                b'\\' if hashes == 0 => self.escape()?,
                b'\n' | b'\r' if !multiline => break,
                _ => self.at += 1,
            }
        }
        let help = if multiline { "write the missing `\"\"\"`" } else { "write the missing `\"`" };
        Err(fault(start, self.at - start, "this text is never closed", help))
    }

    /// An escape (KDL 2.0.0, 3.11.1); white space after a backslash is swallowed, newlines included.
    fn escape(&mut self) -> Result<(), Fault> {
        let start = self.at;
        let rest = self.text[start + 1..].chars().next();
        match rest {
            Some('n' | 'r' | 't' | '\\' | '"' | 'b' | 'f' | 's') => self.at += 2,
            Some('u') => self.unicode_escape()?,
            Some(space) if space.is_whitespace() => {
                let spaces = self.text[start + 1..].chars().take_while(|space| space.is_whitespace());
                self.at += 1 + spaces.map(char::len_utf8).sum::<usize>();
            }
            other => {
                let length = 1 + other.map_or(0, char::len_utf8);
                return Err(fault(
                    start,
                    length,
                    "this escape does not exist",
                    "write `\\\\` for a backslash",
                ));
            }
        }
        Ok(())
    }

    fn unicode_escape(&mut self) -> Result<(), Fault> {
        let rest = &self.bytes[self.at + 2..];
        let digits = rest.iter().skip(1).take_while(|byte| byte.is_ascii_hexdigit()).count();
        let closed = rest.first() == Some(&b'{') && rest.get(digits + 1) == Some(&b'}');
        if !closed || digits == 0 || digits > 6 {
            return Err(fault(self.at, 2, "this is no unicode escape", "write one such as `\\u{1F600}`"));
        }
        self.at += digits + 4;
        Ok(())
    }
}

/// Characters that KDL forbids anywhere (KDL 2.0.0, 3.19).
fn forbidden_characters(text: &str) -> Result<(), Fault> {
    let forbidden = |character: &char| {
        matches!(character, '\0'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{200e}' | '\u{200f}'
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    match text.char_indices().find(|(_, character)| forbidden(character)) {
        Some((offset, character)) => {
            let message = format!("the invisible character U+{:04X} stands here", character as u32);
            Err(fault(offset, character.len_utf8(), &message, "remove it"))
        }
        None => Ok(()),
    }
}

fn fault(offset: usize, length: usize, message: &str, help: &'static str) -> Fault {
    Fault { code: SYNTAX, offset, length, message: message.to_string(), help }
}

fn within(count: usize, most: usize, what: &str, offset: usize) -> Result<(), Fault> {
    if count <= most {
        return Ok(());
    }
    Err(Fault {
        code: LIMIT,
        offset: offset.saturating_sub(1),
        length: 1,
        message: format!("the file has more than {most} {what}"),
        help: "split the file, or write many nodes as one `nodes` block",
    })
}
