//! KDL text in its smallest parts, comments and line ends included (KDL 2.0.0, section 5).
//!
//! Owns what a word, a text, a comment and a line end are. Expects text that the parser has accepted; of other text it
//! makes tokens too, which nobody can use.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Newline,
    LineComment,
    BlockComment,
    /// A backslash that continues the line.
    Backslash,
    SlashDash,
    Open,
    Close,
    Semicolon,
    TypeOpen,
    TypeClose,
    Equals,
    /// A word without quotes that is a text.
    Bare,
    /// A number, a keyword, or a text in quotes, raw or not.
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    /// Where it begins, in bytes.
    pub start: usize,
    /// Characters of white space between it and what stands before it.
    pub spaces: usize,
}

impl Token<'_> {
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut at, mut spaces) = (0, 0);
    while let Some(first) = text[at..].chars().next() {
        if is_space(first) {
            at += first.len_utf8();
            spaces += 1;
            continue;
        }
        let (kind, length) = token(&text[at..], first);
        tokens.push(Token { kind, text: &text[at..at + length], start: at, spaces });
        (at, spaces) = (at + length, 0);
    }
    tokens
}

/// The kind and the length of the token that begins with `first`.
fn token(rest: &str, first: char) -> (Kind, usize) {
    match first {
        '\r' if rest.starts_with("\r\n") => (Kind::Newline, 2),
        _ if is_newline(first) => (Kind::Newline, first.len_utf8()),
        '/' if rest.starts_with("//") => (Kind::LineComment, rest.find(is_newline).unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => (Kind::BlockComment, block_comment(rest)),
        '/' if rest.starts_with("/-") => (Kind::SlashDash, 2),
        '\\' => (Kind::Backslash, 1),
        '{' => (Kind::Open, 1),
        '}' => (Kind::Close, 1),
        ';' => (Kind::Semicolon, 1),
        '(' => (Kind::TypeOpen, 1),
        ')' => (Kind::TypeClose, 1),
        '=' => (Kind::Equals, 1),
        '"' => (Kind::Other, quoted(rest, 0)),
        '#' => (Kind::Other, hash(rest)),
        _ => {
            let length = word(rest).max(first.len_utf8());
            (if is_number(&rest[..length]) { Kind::Other } else { Kind::Bare }, length)
        }
    }
}

/// Line ends (KDL 2.0.0, 3.18).
fn is_newline(character: char) -> bool {
    matches!(character, '\r' | '\n' | '\u{85}' | '\u{b}' | '\u{c}' | '\u{2028}' | '\u{2029}')
}

fn is_space(character: char) -> bool {
    character.is_whitespace() && !is_newline(character)
}

fn block_comment(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0usize, 0);
    while at < bytes.len() {
        match &bytes[at..] {
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

/// `#true` and its like, or a raw text with that many hashes.
fn hash(rest: &str) -> usize {
    let hashes = rest.bytes().take_while(|byte| *byte == b'#').count();
    match rest[hashes..].starts_with('"') {
        true => quoted(rest, hashes),
        false => hashes + word(&rest[hashes..]),
    }
}

/// A text that begins with `hashes` hashes and a quote, or with three quotes.
fn quoted(rest: &str, hashes: usize) -> usize {
    let quotes = if rest[hashes..].starts_with("\"\"\"") { 3 } else { 1 };
    let end = ["\"".repeat(quotes), "#".repeat(hashes)].concat();
    let mut at = hashes + quotes;
    while at < rest.len() {
        if rest.as_bytes()[at..].starts_with(end.as_bytes()) {
            return at + end.len();
        }
        let escape = hashes == 0 && rest.as_bytes()[at] == b'\\';
        at += if escape { 2 } else { 1 };
    }
    rest.len()
}

fn word(rest: &str) -> usize {
    let ends = |character: char| character.is_whitespace() || "\\/(){};[]\"#=".contains(character);
    rest.find(ends).unwrap_or(rest.len())
}

/// No bare text may begin as a number does (KDL 2.0.0, 3.10).
fn is_number(word: &str) -> bool {
    word.strip_prefix(['+', '-']).unwrap_or(word).starts_with(|first: char| first.is_ascii_digit())
}
