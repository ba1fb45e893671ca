//! One text that is to be imported, and places in it.
//!
//! Owns decoding with its limits, and the way from character numbers, which the YAML parser counts, to bytes, lines
//! and columns, which people and findings count.

use crate::finding::{FILE_UNREADABLE, Finding, LIMIT, NOT_UTF8, Place};
use std::sync::Arc;

/// A file to be imported: its name as people wrote it, and its bytes.
#[derive(Clone, Debug)]
pub struct Input {
    pub name: Arc<str>,
    pub bytes: Vec<u8>,
}

/// The largest file. The documents of a site with a thousand machines fit into one.
const MOST_BYTES: usize = 8 << 20;

pub struct Source {
    pub name: Arc<str>,
    pub text: Arc<str>,
    /// The byte at which the text starts, after a byte-order mark.
    base: usize,
    /// Byte offsets of characters; empty when every character has one byte.
    bytes_of: Vec<u32>,
    /// Numbers of the characters at which lines start.
    line_starts: Vec<usize>,
    characters: usize,
}

impl Source {
    pub fn decode(input: &Input) -> Result<Source, Box<Finding>> {
        let wrong = |code, message: String, help: &str| {
            let finding = Finding::new(code, format!("file `{}`", input.name), message);
            Box::new(finding.at(Place::whole(&input.name)).help(help))
        };
        if input.bytes.len() > MOST_BYTES {
            let message = format!("it has {} bytes; the limit is {MOST_BYTES} bytes", input.bytes.len());
            return Err(wrong(LIMIT, message, "split it into several files and name them all"));
        }
        if input.bytes.contains(&0) {
            return Err(wrong(FILE_UNREADABLE, "it is no text".into(), "name a text file"));
        }
        match std::str::from_utf8(&input.bytes) {
            Ok(text) => Ok(Source::new(input.name.clone(), text.into())),
            Err(error) => {
                let message = format!("byte {} is not UTF-8", error.valid_up_to());
                Err(wrong(NOT_UTF8, message, "save the file as UTF-8"))
            }
        }
    }

    pub fn new(name: Arc<str>, text: Arc<str>) -> Source {
        let base = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let body = &text[base..];
        let bytes_of: Vec<u32> = match body.is_ascii() {
            true => Vec::new(),
            false => body.char_indices().map(|(at, _)| clamp(at)).collect(),
        };
        let newlines = body.chars().enumerate().filter(|(_, c)| *c == '\n');
        let line_starts = std::iter::once(0).chain(newlines.map(|(at, _)| at + 1)).collect();
        let characters = if bytes_of.is_empty() { body.len() } else { bytes_of.len() };
        Source { name, base, bytes_of, line_starts, characters, text: text.clone() }
    }

    /// The text without its byte-order mark.
    pub fn body(&self) -> &str {
        &self.text[self.base..]
    }

    /// The byte offset, in the body, of a character by its number.
    fn byte(&self, character: usize) -> usize {
        let end = self.text.len() - self.base;
        match self.bytes_of.is_empty() {
            true => character.min(end),
            false => self.bytes_of.get(character).map_or(end, |byte| *byte as usize),
        }
    }

    /// Every place of a text, for hiding it.
    pub fn all<'s>(&'s self, text: &'s str) -> impl Iterator<Item = Place> + 's {
        let found = self.text.match_indices(text).filter(|(_, found)| !found.is_empty());
        found.map(|(at, found)| Place {
            offset: clamp(at),
            length: clamp(found.len()),
            ..Place::whole(&self.name)
        })
    }

    /// The place of the characters from number `start` to before `end`.
    pub fn place(&self, start: usize, end: usize) -> Place {
        let start = start.min(self.characters);
        let line = self.line_starts.partition_point(|line_start| *line_start <= start).max(1);
        let offset = self.byte(start);
        Place {
            file: self.name.clone(),
            line: clamp(line),
            column: clamp(start - self.line_starts[line - 1] + 1),
            offset: clamp(self.base + offset),
            length: clamp(self.byte(end.max(start)) - offset),
        }
    }
}

fn clamp(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_become_lines_columns_and_bytes() {
        for text in ["abc\ndef\n", "äbc\nd€f\n", "\u{feff}äbc\nd€f\n"] {
            let source = Source::new("a.yaml".into(), text.into());
            let place = source.place(5, 6);
            assert_eq!((place.line, place.column), (2, 2), "{text:?}");
            let at = place.offset as usize;
            assert!(["e", "€"].contains(&&text[at..at + place.length as usize]));
            assert_eq!(source.place(1_000, 2_000).length, 0);
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let code = |bytes: &[u8]| {
            let input = Input { name: "a.yaml".into(), bytes: bytes.to_vec() };
            Source::decode(&input).err().map(|finding| finding.code.number)
        };
        assert_eq!(code(b"a: 1"), None);
        assert_eq!(code(b"a\0b"), Some(FILE_UNREADABLE.number));
        assert_eq!(code(b"a\xff"), Some(NOT_UTF8.number));
        assert_eq!(code(&vec![b'a'; MOST_BYTES + 1]), Some(LIMIT.number));
    }
}
