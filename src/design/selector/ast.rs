//! A selector as a tree, each part with its place in the text.
//!
//! Owns the words of the language (`Field`, `Op`) and the normal form, which parses to the same tree.

use super::Span;
use crate::model::path::Path;
use crate::model::words::words;
use std::fmt;

#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub kind: Kind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Two or more.
    Or(Vec<Expr>),
    /// Two or more.
    And(Vec<Expr>),
    Not(Box<Expr>),
    Test(Test),
}

/// One question to a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    Field(Field, Word),
    /// Whether it has the label, or what the label says.
    Label(Word, Option<(Op, Word)>),
    Has(SpecPath),
    Compare(SpecPath, Op, Word),
}

impl Field {
    /// The kind of the things that it names; node names are looked up by themselves, and tags are free words.
    fn declared_as(self) -> Option<&'static str> {
        match self {
            Field::Name | Field::Tag => None,
            Field::Rack => Some("rack"),
            Field::Region => Some("region"),
            Field::Profile => Some("profile"),
            Field::Hardware => Some("hardware"),
            Field::Image => Some("image"),
        }
    }
}

/// What may stand before a colon with a glob behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Name,
    Rack,
    Region,
    Profile,
    Tag,
    Hardware,
    Image,
}

words!(Field {
    Name = "name",
    Rack = "rack",
    Region = "region",
    Profile = "profile",
    Tag = "tag",
    Hardware = "hardware",
    Image = "image",
});

/// The other words that may stand before a colon.
pub const LABEL: &str = "label";
pub const HAS: &str = "has";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

words!(Op { Equal = "=", Unequal = "!=", Less = "<", AtMost = "<=", More = ">", AtLeast = ">=" });

impl Op {
    /// True for the four that ask which is larger.
    pub fn orders(self) -> bool {
        !matches!(self, Op::Equal | Op::Unequal)
    }
}

/// A value or a pattern as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    pub text: String,
    /// It stood in quotes: taken letter by letter, and never a glob.
    pub quoted: bool,
    pub span: Span,
}

impl Word {
    pub fn is_glob(&self) -> bool {
        !self.quoted && self.text.contains(['*', '?', '[', ']', '{', '}', '\\'])
    }
}

/// A path into a node's spec.
#[derive(Clone, Debug, PartialEq)]
pub struct SpecPath {
    pub path: Path,
    pub span: Span,
}

impl Expr {
    /// Every node name that is written out, with its place.
    pub fn plain_names(&self) -> Vec<(&str, Span)> {
        let mut names = Vec::new();
        self.collect_names(&mut names);
        names
    }

    fn collect_names<'a>(&'a self, names: &mut Vec<(&'a str, Span)>) {
        match &self.kind {
            Kind::Or(parts) | Kind::And(parts) => parts.iter().for_each(|part| part.collect_names(names)),
            Kind::Not(inner) => inner.collect_names(names),
            Kind::Test(Test::Field(Field::Name, word)) if !word.is_glob() => {
                names.push((&word.text, word.span));
            }
            Kind::Test(_) => {}
        }
    }

    /// Whole words, no globs, that name a thing of the design: its kind and the word.
    pub fn things(&self) -> Vec<(&'static str, &Word)> {
        let mut things = Vec::new();
        self.collect_things(&mut things);
        things
    }

    fn collect_things<'a>(&'a self, things: &mut Vec<(&'static str, &'a Word)>) {
        match &self.kind {
            Kind::Or(parts) | Kind::And(parts) => parts.iter().for_each(|part| part.collect_things(things)),
            Kind::Not(inner) => inner.collect_things(things),
            Kind::Test(Test::Field(field, word)) if !word.is_glob() => {
                things.extend(field.declared_as().map(|kind| (kind, word)));
            }
            Kind::Test(_) => {}
        }
    }

    /// How tightly it holds together: a looser part needs parentheses.
    fn rank(&self) -> u8 {
        match self.kind {
            Kind::Or(_) => 0,
            Kind::And(_) => 1,
            Kind::Not(_) | Kind::Test(_) => 2,
        }
    }

    fn within(&self, f: &mut fmt::Formatter<'_>, rank: u8) -> fmt::Result {
        if self.rank() <= rank { write!(f, "({self})") } else { write!(f, "{self}") }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, sign) = match &self.kind {
            Kind::Or(parts) => (parts, " | "),
            Kind::And(parts) => (parts, " & "),
            Kind::Not(inner) => {
                f.write_str("!")?;
                return inner.within(f, 1);
            }
            Kind::Test(test) => return test.fmt(f),
        };
        for (index, part) in parts.iter().enumerate() {
            f.write_str(if index > 0 { sign } else { "" })?;
            part.within(f, self.rank())?;
        }
        Ok(())
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Test::Field(Field::Name, word) if word.quoted || !word.text.contains(':') => word.fmt(f),
            Test::Field(field, word) => write!(f, "{field}:{word}"),
            Test::Label(key, None) => write!(f, "{LABEL}:{key}"),
            Test::Label(key, Some((op, word))) => write!(f, "{LABEL}:{key}{op}{word}"),
            Test::Has(path) => write!(f, "{HAS}:{path}"),
            Test::Compare(path, op, word) => write!(f, "{path}{op}{word}"),
        }
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.quoted { quoted(f, &self.text) } else { f.write_str(&self.text) }
    }
}

impl fmt::Display for SpecPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |key: &str| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        for (index, key) in self.path.0.iter().enumerate() {
            f.write_str(if index > 0 { "." } else { "" })?;
            if plain(key) { f.write_str(key)? } else { quoted(f, key)? }
        }
        Ok(())
    }
}

/// What stood in one kind of quotes holds none of that kind, so one of the two always fits.
fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let quote = if text.contains('"') { '\'' } else { '"' };
    write!(f, "{quote}{text}{quote}")
}
