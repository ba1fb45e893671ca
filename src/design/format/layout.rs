//! The house style: four spaces, one KDL node a line unless the author wrote several, braces on one line where the
//! author had them so and they fit, at most one blank line.

use super::tree::{Atom, Beside, Block, Line, Part, Statement};

const INDENT: usize = 4;
/// Characters of a line; comments at its end do not count.
const WIDTH: usize = 120;
/// A comment farther away than this was not put there for the sake of the eye.
const FARTHEST_COMMENT: usize = 40;

pub fn write(document: &Block<'_>) -> String {
    let mut writer = Writer { out: String::new(), column: 0 };
    writer.lines(&document.lines, 0);
    writer.out
}

struct Writer {
    out: String,
    column: usize,
}

impl Writer {
    fn push(&mut self, text: &str) {
        self.out.push_str(text);
        self.column = match text.rsplit_once('\n') {
            Some((_, last)) => last.chars().count(),
            None => self.column + text.chars().count(),
        };
    }

    fn new_line(&mut self, indent: usize) {
        self.push("\n");
        self.push(&" ".repeat(indent));
    }

    /// A space, unless the line has only begun.
    fn space(&mut self) {
        if !self.out.ends_with([' ', '\n']) && !self.out.is_empty() {
            self.push(" ");
        }
    }

    /// Each line with its end.
    fn lines(&mut self, lines: &[Line<'_>], indent: usize) {
        for line in lines {
            if line.blank_before {
                self.push("\n");
            }
            self.push(&" ".repeat(indent));
            self.line(line, indent);
            if let Some(comment) = line.comment {
                self.beside(comment);
            }
            self.push("\n");
        }
    }

    fn beside(&mut self, comment: Beside<'_>) {
        if !self.out.ends_with([' ', '\n']) && !self.out.is_empty() {
            self.push(&" ".repeat(comment.spaces.clamp(1, FARTHEST_COMMENT)));
        }
        self.push(comment.text);
    }

    fn line(&mut self, line: &Line<'_>, indent: usize) {
        if let Some(text) = flat_line(line).filter(|text| self.fits(text)) {
            self.push(&text);
            return;
        }
        for (index, statement) in line.statements.iter().enumerate() {
            if index > 0 {
                self.new_line(indent);
            }
            for comment in &statement.comments {
                self.space();
                self.push(&unix(comment));
            }
            for part in statement.node.iter().flatten() {
                self.space();
                self.part(part, indent);
            }
        }
    }

    fn fits(&self, text: &str) -> bool {
        self.column + text.chars().count() <= WIDTH
    }

    fn part(&mut self, part: &Part<'_>, indent: usize) {
        match part {
            Part::Entry(atoms) => self.atoms(atoms, indent),
            Part::Comment(comment) => self.push(&unix(comment)),
            Part::Continued(comment) => self.continued(*comment, indent),
            Part::Block(off, block) => {
                self.atoms(off, indent);
                match flat_block(block).filter(|text| self.fits(text)) {
                    Some(text) => self.push(&text),
                    None => self.block(block, indent),
                }
            }
        }
    }

    fn block(&mut self, block: &Block<'_>, indent: usize) {
        self.push("{");
        if let Some(comment) = block.head {
            self.beside(comment);
        }
        self.push("\n");
        self.lines(&block.lines, indent + INDENT);
        self.push(&" ".repeat(indent));
        self.push("}");
    }

    fn continued(&mut self, comment: Option<&str>, indent: usize) {
        self.space();
        self.push("\\");
        if let Some(comment) = comment {
            self.push(" ");
            self.push(comment);
        }
        self.new_line(indent + INDENT);
    }

    fn atoms(&mut self, atoms: &[Atom<'_>], indent: usize) {
        for atom in atoms {
            match atom {
                Atom::Text(text) => self.push(text),
                Atom::Bare(text) => self.push(&format!("\"{text}\"")),
                Atom::Comment(comment) => {
                    self.space();
                    self.push(&unix(comment));
                    self.push(" ");
                }
                Atom::LineComment(comment) => {
                    self.space();
                    self.push(comment);
                    self.new_line(indent + INDENT);
                }
                Atom::Continued(comment) => self.continued(Some(comment), indent),
            }
        }
    }
}

/// The statements on one line, when they can stand so.
fn flat_line(line: &Line<'_>) -> Option<String> {
    let statements: Option<Vec<String>> = line.statements.iter().map(flat_statement).collect();
    Some(statements?.join("; "))
}

fn flat_statement(statement: &Statement<'_>) -> Option<String> {
    let comments = statement.comments.iter().map(|comment| Some(comment.to_string()));
    let parts = statement.node.iter().flatten().map(flat_part);
    let words: Option<Vec<String>> = comments.chain(parts).collect();
    let text = words?.join(" ");
    (!text.contains(['\n', '\r'])).then_some(text)
}

fn flat_part(part: &Part<'_>) -> Option<String> {
    match part {
        Part::Entry(atoms) => flat_atoms(atoms),
        Part::Comment(comment) => Some(comment.to_string()),
        Part::Continued(_) => None,
        Part::Block(off, block) => Some(format!("{}{}", flat_atoms(off)?, flat_block(block)?)),
    }
}

fn flat_atoms(atoms: &[Atom<'_>]) -> Option<String> {
    let mut text = String::new();
    for atom in atoms {
        match atom {
            Atom::Text(own) => text.push_str(own),
            Atom::Bare(own) => text.extend(["\"", own, "\""]),
            Atom::Comment(comment) => {
                let gap = if text.is_empty() || text.ends_with(' ') { "" } else { " " };
                text.extend([gap, comment, " "]);
            }
            Atom::LineComment(_) | Atom::Continued(_) => return None,
        }
    }
    Some(text)
}

fn flat_block(block: &Block<'_>) -> Option<String> {
    match block.lines.as_slice() {
        [] if block.head.is_none() => Some("{ }".into()),
        [line] if block.on_one_line && block.head.is_none() && line.comment.is_none() => {
            Some(format!("{{ {} }}", flat_line(line)?))
        }
        _ => None,
    }
}

/// A comment of several lines with the line ends of this text.
fn unix(comment: &str) -> String {
    comment.replace("\r\n", "\n")
}
