//! One text file of a revision, and quick places in it.
//!
//! Owns decoding (UTF-8, byte-order mark, size limit) and the index from byte offsets to lines and columns,
//! which stays fast for long lines. Does not parse.

use crate::finding::{Finding, LIMIT, NOT_UTF8, Place};
use std::sync::Arc;

/// The largest KDL or script file. The parser needs about 2 KiB of memory for each KDL node, so a larger file
/// would cost gigabytes; 8 MiB hold some 60 000 nodes written one by one.
pub const LARGEST_TEXT_BYTES: usize = 8 << 20;

/// The largest table: some 300 000 rows.
pub const LARGEST_TABLE_BYTES: usize = 32 << 20;

/// Characters are counted from the last multiple of this many bytes.
const STRIDE_BYTES: usize = 1024;

/// A decoded file.
pub struct SourceFile {
    pub name: Arc<str>,
    /// The whole text, byte-order mark included, so that offsets are those of the file.
    pub text: Arc<str>,
    /// Byte offsets at which lines start.
    line_starts: Vec<usize>,
    /// Number of characters before each multiple of `STRIDE_BYTES`.
    characters_before: Vec<usize>,
}

impl SourceFile {
    /// Refuses more than `limit` bytes, and anything but UTF-8.
    pub fn decode(name: &Arc<str>, bytes: &[u8], limit: usize) -> Result<SourceFile, Box<Finding>> {
        if bytes.len() > limit {
            let message = format!("`{name}` has {} bytes; the limit is {limit} bytes", bytes.len());
            let finding = Finding::new(LIMIT, format!("file `{name}`"), message).at(Place::whole(name));
            return Err(Box::new(finding.help("split the file, or write many nodes as one `nodes` block")));
        }
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(not_utf8(name, &format!("`{name}` is UTF-16 text; designs are UTF-8")));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(SourceFile::new(name.clone(), text.into())),
            Err(error) => {
                let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
                let message = format!("byte {} (line {line}) of `{name}` is not UTF-8", error.valid_up_to());
                Err(not_utf8(name, &message))
            }
        }
    }

    fn new(name: Arc<str>, text: Arc<str>) -> SourceFile {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0).chain(newlines.map(|(offset, _)| offset + 1)).collect();
        let mut characters_before = vec![0];
        let mut count = 0;
        for chunk in text.as_bytes().chunks(STRIDE_BYTES) {
            count += chunk.iter().filter(|byte| starts_character(**byte)).count();
            characters_before.push(count);
        }
        SourceFile { name, text, line_starts, characters_before }
    }

    /// The text for the parser, and the offset at which it starts.
    pub fn body(&self) -> (&str, usize) {
        match self.text.strip_prefix('\u{feff}') {
            Some(rest) => (rest, self.text.len() - rest.len()),
            None => (&self.text, 0),
        }
    }

    /// The place of `length` bytes at byte `offset`; both are cut to the file and to whole characters.
    pub fn place(&self, offset: usize, length: usize) -> Place {
        let start = self.floor(offset);
        let end = self.floor(offset.saturating_add(length)).max(start);
        let line = self.line_starts.partition_point(|line_start| *line_start <= start);
        let line_start = self.line_starts[line - 1];
        Place {
            file: self.name.clone(),
            line: clamp(line),
            column: clamp(self.characters_between(line_start, start) + 1),
            offset: clamp(start),
            length: clamp(end - start),
        }
    }

    fn floor(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }

    /// Most lines are short, and counting them is faster than looking two numbers up.
    fn characters_between(&self, from: usize, to: usize) -> usize {
        match to - from <= STRIDE_BYTES {
            true => self.text.as_bytes()[from..to].iter().filter(|byte| starts_character(**byte)).count(),
            false => self.characters_to(to) - self.characters_to(from),
        }
    }

    fn characters_to(&self, offset: usize) -> usize {
        let stride = offset / STRIDE_BYTES;
        let rest = &self.text.as_bytes()[stride * STRIDE_BYTES..offset];
        self.characters_before[stride] + rest.iter().filter(|byte| starts_character(**byte)).count()
    }
}

fn starts_character(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

fn clamp(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn not_utf8(name: &Arc<str>, message: &str) -> Box<Finding> {
    let finding = Finding::new(NOT_UTF8, format!("file `{name}`"), message).at(Place::whole(name));
    Box::new(finding.help("save the file as UTF-8"))
}
