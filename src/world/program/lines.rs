//! A program's output as lines of text, whatever bytes it wrote.

/// A longer line comes in pieces.
const LONGEST_LINE_BYTES: usize = 64 << 10;

/// Cuts one stream of bytes into lines.
#[derive(Debug, Default)]
pub struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// The lines that end within `bytes`.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            for part in piece.chunks(LONGEST_LINE_BYTES) {
                self.rest.extend_from_slice(part);
                if part.ends_with(b"\n") || self.rest.len() >= LONGEST_LINE_BYTES {
                    lines.push(readable(&std::mem::take(&mut self.rest)));
                }
            }
        }
        lines
    }

    /// What stood behind the last line break.
    pub fn finish(&mut self) -> Option<String> {
        (!self.rest.is_empty()).then(|| readable(&std::mem::take(&mut self.rest)))
    }
}

/// Text for logs and terminals: what is no text, and what would steer a terminal, becomes U+FFFD.
fn readable(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let steers = |letter: char| letter.is_control() && letter != '\t';
    String::from_utf8_lossy(line).chars().map(|one| if steers(one) { '\u{fffd}' } else { one }).collect()
}

/// The last lines of a stream, for messages and answers.
#[derive(Debug, Default)]
pub struct Tail {
    lines: std::collections::VecDeque<String>,
}

impl Tail {
    /// As much as a person reads in an error.
    const LINES: usize = 20;
    const LINE_BYTES: usize = 400;

    pub fn push(&mut self, line: &str) {
        let mut line = line.to_string();
        if line.len() > Tail::LINE_BYTES {
            line.truncate(line.floor_char_boundary(Tail::LINE_BYTES));
            line.push('…');
        }
        if self.lines.len() == Tail::LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The last `count` lines that hold anything.
    pub fn last(&self, count: usize) -> String {
        let lines: Vec<&str> =
            self.lines.iter().map(String::as_str).filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }

    pub fn text(&self) -> String {
        self.lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_lines_wherever_they_are_cut() {
        let text = b"one\r\ntwo \xff\x1b[2J\n\nlast";
        for cut in 0..text.len() {
            let mut lines = Lines::default();
            let mut all = lines.push(&text[..cut]);
            all.extend(lines.push(&text[cut..]));
            all.extend(lines.finish());
            assert_eq!(all, ["one", "two \u{fffd}\u{fffd}[2J", "", "last"], "{cut}");
        }
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let mut lines = Lines::default();
        let found = lines.push(&vec![b'x'; 3 * LONGEST_LINE_BYTES + 5]);
        assert_eq!(found.len(), 3);
        assert_eq!(lines.finish().unwrap().len(), 5);
    }

    #[test]
    fn a_tail_keeps_the_last_lines() {
        let mut tail = Tail::default();
        (0..100).for_each(|number| tail.push(&number.to_string()));
        assert!(tail.text().starts_with("80\n") && tail.text().ends_with("\n99"));
        tail.push(" ");
        assert_eq!(tail.last(2), "98\n99");
    }
}
