//! Tokens as lines of statements, as the author wrote them.
//!
//! Owns what belongs together: which comment stands with which line, what a line is, what a block is. White space is
//! gone here; what the author decided by it (blank lines, blocks on one line, continued lines) is said.

use super::token::{Kind, Token};

/// A document, or what stands in braces.
#[derive(Debug, Default)]
pub struct Block<'a> {
    /// The comment beside the opening brace.
    pub head: Option<Beside<'a>>,
    pub lines: Vec<Line<'a>>,
    /// The braces open and close on one line.
    pub on_one_line: bool,
}

#[derive(Debug, Default)]
pub struct Line<'a> {
    pub blank_before: bool,
    /// Separated by `;`.
    pub statements: Vec<Statement<'a>>,
    /// The comment at the end, or the whole line.
    pub comment: Option<Beside<'a>>,
}

/// A line comment, and how far it stands from what is before it.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a> {
    pub text: &'a str,
    pub spaces: usize,
}

#[derive(Debug)]
pub struct Statement<'a> {
    /// Block comments before the KDL node.
    pub comments: Vec<&'a str>,
    pub node: Option<Vec<Part<'a>>>,
}

/// The parts of a KDL node stand a space apart.
#[derive(Debug)]
pub enum Part<'a> {
    /// The name, an argument or a property.
    Entry(Vec<Atom<'a>>),
    /// What switches it off, if anything, and the block.
    Block(Vec<Atom<'a>>, Block<'a>),
    Comment(&'a str),
    /// `\`: the KDL node goes on in the next line, after the comment.
    Continued(Option<&'a str>),
}

/// The parts of a [`Part`] touch, but for comments.
#[derive(Debug)]
pub enum Atom<'a> {
    Text(&'a str),
    /// A value without quotes that gets them.
    Bare(&'a str),
    Comment(&'a str),
    /// A line comment after `/-`.
    LineComment(&'a str),
    /// A line comment after `\`.
    Continued(&'a str),
}

/// Something that the formatter does not understand, where the parser did.
#[derive(Debug, PartialEq, Eq)]
pub struct Strange;

pub fn read<'a>(text: &str, tokens: &'a [Token<'a>]) -> Result<Block<'a>, Strange> {
    let mut reader = Reader { tokens, at: 0, late: Vec::new() };
    let mut lines = Vec::new();
    reader.lines(text, &mut lines)?;
    match reader.peek() {
        None => Ok(Block { head: None, lines, on_one_line: false }),
        Some(_) => Err(Strange),
    }
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    /// Comments behind a `\` that continued nothing: they end the line that is being read.
    late: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<Kind> {
        self.tokens.get(self.at).map(|token| token.kind)
    }

    fn take(&mut self, kind: Kind) -> Option<&'a Token<'a>> {
        let token = self.tokens.get(self.at).filter(|token| token.kind == kind)?;
        self.at += 1;
        Some(token)
    }

    fn beside(&mut self) -> Option<Beside<'a>> {
        let token = self.take(Kind::LineComment)?;
        Some(Beside { text: token.text.trim_end(), spaces: token.spaces })
    }

    /// Lines up to the end of the block or of the text.
    fn lines(&mut self, text: &str, lines: &mut Vec<Line<'a>>) -> Result<(), Strange> {
        loop {
            let mut ends = 0;
            while self.take(Kind::Newline).is_some() {
                ends += 1;
            }
            if matches!(self.peek(), None | Some(Kind::Close)) {
                return Ok(());
            }
            let blank_before = ends > 1 && !lines.is_empty();
            let mut line = Line { blank_before, ..self.line(text)? };
            let mut late = std::mem::take(&mut self.late).into_iter().map(|text| Beside { text, spaces: 1 });
            if line.comment.is_none() {
                line.comment = late.next();
            }
            if !line.statements.is_empty() || line.comment.is_some() {
                lines.push(line);
            }
            lines.extend(late.map(|comment| Line { comment: Some(comment), ..Line::default() }));
        }
    }

    fn line(&mut self, text: &str) -> Result<Line<'a>, Strange> {
        let mut statements = Vec::new();
        loop {
            let comments = self.before_statement();
            let node = match self.peek() {
                None | Some(Kind::Newline | Kind::Close | Kind::LineComment) => None,
                Some(_) => Some(self.node(text)?),
            };
            let ends = node.is_none();
            if node.is_some() || !comments.is_empty() {
                statements.push(Statement { comments, node });
            }
            if ends || !self.late.is_empty() || self.take(Kind::Semicolon).is_none() {
                break;
            }
        }
        match self.peek() {
            None | Some(Kind::Newline | Kind::Close | Kind::LineComment) => {}
            Some(Kind::Semicolon) if !self.late.is_empty() => {}
            Some(_) => return Err(Strange),
        }
        let comment = match self.late.is_empty() {
            true => self.beside(),
            false => None,
        };
        Ok(Line { blank_before: false, statements, comment })
    }

    /// Block comments before a statement; continued lines and `;` that separate nothing are left out.
    fn before_statement(&mut self) -> Vec<&'a str> {
        let mut comments = Vec::new();
        loop {
            if let Some(comment) = self.take(Kind::BlockComment) {
                comments.push(comment.text);
            } else if self.take(Kind::Backslash).is_some() {
                self.take(Kind::Newline);
            } else if self.take(Kind::Semicolon).is_none() {
                return comments;
            }
        }
    }

    fn node(&mut self, text: &str) -> Result<Vec<Part<'a>>, Strange> {
        let mut name = self.switched_off();
        self.typed(&mut name)?;
        name.push(Atom::Text(self.word().ok_or(Strange)?.text));
        let mut parts = vec![Part::Entry(name)];
        loop {
            match self.peek() {
                Some(Kind::BlockComment | Kind::Backslash) => self.space(&mut parts)?,
                Some(Kind::SlashDash | Kind::Open | Kind::TypeOpen | Kind::Bare | Kind::Other) => {
                    let off = self.switched_off();
                    let part = match self.peek() {
                        Some(Kind::Open) => Part::Block(off, self.block(text)?),
                        _ => Part::Entry(self.entry(off)?),
                    };
                    if matches!(part, Part::Block(..)) && matches!(parts.last(), Some(Part::Continued(None)))
                    {
                        parts.pop();
                    }
                    parts.push(part);
                }
                _ => break,
            }
        }
        while let Some(Part::Continued(comment)) = parts.last() {
            self.late.splice(0..0, *comment);
            parts.pop();
        }
        Ok(parts)
    }

    /// A block comment, or `\` with what follows it to the end of its line.
    fn space(&mut self, parts: &mut Vec<Part<'a>>) -> Result<(), Strange> {
        while let Some(comment) = self.take(Kind::BlockComment) {
            parts.push(Part::Comment(comment.text));
        }
        if self.take(Kind::Backslash).is_none() {
            return Ok(());
        }
        while let Some(comment) = self.take(Kind::BlockComment) {
            parts.push(Part::Comment(comment.text));
        }
        let comment = self.take(Kind::LineComment).map(|comment| comment.text.trim_end());
        if self.take(Kind::Newline).is_none() && self.peek().is_some() {
            return Err(Strange);
        }
        if comment.is_some() || !matches!(parts.last(), Some(Part::Continued(_))) {
            parts.push(Part::Continued(comment));
        }
        Ok(())
    }

    /// `/-` with the comments that may follow it, or nothing.
    fn switched_off(&mut self) -> Vec<Atom<'a>> {
        let mut atoms = Vec::new();
        while self.take(Kind::SlashDash).is_some() {
            atoms.push(Atom::Text("/-"));
            loop {
                if let Some(comment) = self.take(Kind::BlockComment) {
                    atoms.push(Atom::Comment(comment.text));
                } else if let Some(comment) = self.take(Kind::LineComment) {
                    atoms.push(Atom::LineComment(comment.text.trim_end()));
                } else if self.take(Kind::Newline).is_none() && self.take(Kind::Backslash).is_none() {
                    break;
                }
            }
        }
        atoms
    }

    /// An argument or a property, after `atoms`.
    fn entry(&mut self, mut atoms: Vec<Atom<'a>>) -> Result<Vec<Atom<'a>>, Strange> {
        if self.peek() != Some(Kind::TypeOpen) {
            let word = self.word().ok_or(Strange)?;
            let after = self.at;
            let mut between = Vec::new();
            self.inside(&mut between)?;
            if self.take(Kind::Equals).is_none() {
                self.at = after;
                atoms.push(value(word));
                return Ok(atoms);
            }
            atoms.push(Atom::Text(word.text));
            atoms.append(&mut between);
            atoms.push(Atom::Text("="));
            self.inside(&mut atoms)?;
        }
        self.typed(&mut atoms)?;
        atoms.push(value(self.word().ok_or(Strange)?));
        Ok(atoms)
    }

    /// A type in parentheses, or nothing.
    fn typed(&mut self, atoms: &mut Vec<Atom<'a>>) -> Result<(), Strange> {
        if self.take(Kind::TypeOpen).is_none() {
            return Ok(());
        }
        atoms.push(Atom::Text("("));
        self.inside(atoms)?;
        atoms.push(Atom::Text(self.word().ok_or(Strange)?.text));
        self.inside(atoms)?;
        self.take(Kind::TypeClose).ok_or(Strange)?;
        atoms.push(Atom::Text(")"));
        self.inside(atoms)
    }

    /// Comments and continued lines inside of an entry.
    fn inside(&mut self, atoms: &mut Vec<Atom<'a>>) -> Result<(), Strange> {
        let mut parts = Vec::new();
        while matches!(self.peek(), Some(Kind::BlockComment | Kind::Backslash)) {
            self.space(&mut parts)?;
        }
        atoms.extend(parts.into_iter().filter_map(|part| match part {
            Part::Comment(comment) => Some(Atom::Comment(comment)),
            Part::Continued(comment) => comment.map(Atom::Continued),
            Part::Entry(_) | Part::Block(..) => None,
        }));
        Ok(())
    }

    fn word(&mut self) -> Option<&'a Token<'a>> {
        self.take(Kind::Bare).or_else(|| self.take(Kind::Other))
    }

    fn block(&mut self, text: &str) -> Result<Block<'a>, Strange> {
        let open = self.take(Kind::Open).ok_or(Strange)?;
        // What an outer line still has to say is not for the lines in here.
        let late = std::mem::take(&mut self.late);
        let head = self.beside();
        let mut lines = Vec::new();
        self.lines(text, &mut lines)?;
        self.late = late;
        let close = self.take(Kind::Close).ok_or(Strange)?;
        let on_one_line = !text[open.start..close.end()].contains(['\n', '\r']);
        Ok(Block { head, lines, on_one_line })
    }
}

fn value<'a>(word: &'a Token<'a>) -> Atom<'a> {
    if word.kind == Kind::Bare { Atom::Bare(word.text) } else { Atom::Text(word.text) }
}
