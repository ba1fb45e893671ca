//! One test: a bare name or glob, a prefix with a colon, or a comparison.
//!
//! Owns the reading of prefixes and of dotted paths. Whether the spec has such a path is `compile`'s question.

use super::ast::{Expr, Field, HAS, Kind, LABEL, Op, SpecPath, Test, Word};
use super::compile::knows;
use super::lex::{Piece, Token};
use super::parse::Parser;
use super::text::shown;
use super::{SelectorError, Span};
use crate::finding::did_you_mean;
use crate::model::path::Path;
use std::sync::Arc;

/// Maps of single values whose keys are data: what follows is one key, dots included, as in
/// `labels.example.net/role`.
const FLAT: &[&str] = &["labels", "kernel-params", "params", "owner-data", "addresses", "hardware.bios"];

/// Reads on from a word that was just taken.
pub fn read(parser: &mut Parser<'_>, pieces: &[Piece]) -> Result<Expr, SelectorError> {
    let span = span_of(pieces);
    let prefix = split_prefix(pieces);
    let Some(Token::Op(op)) = parser.peek() else {
        let test = match prefix {
            Some((prefix, rest)) => prefixed(&prefix, &rest)?,
            None => Test::Field(Field::Name, word(pieces, span)?),
        };
        return Ok(Expr { kind: Kind::Test(test), span });
    };
    let (op, sign) = (*op, parser.next().map_or(span, |(_, sign)| sign));
    let value = match parser.peek() {
        Some(Token::Pieces(value)) => {
            parser.next();
            word(value, span_of(value))?
        }
        _ => {
            let help = "write a value; odd characters go into quotes, and `\"\"` is an empty text";
            return Err(SelectorError::new(sign, format!("no value stands after `{op}`"), help));
        }
    };
    let whole = span.to(value.span);
    let test = match prefix {
        None => Test::Compare(path(pieces)?, op, value),
        Some((prefix, rest)) if prefix.text == LABEL => label(&rest, prefix.span, op, sign, value)?,
        Some((prefix, _)) => return Err(not_comparable(&prefix, op, sign)),
    };
    Ok(Expr { kind: Kind::Test(test), span: whole })
}

fn span_of(pieces: &[Piece]) -> Span {
    match (pieces.first(), pieces.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => Span::default(),
    }
}

/// A word before a colon that stands outside of quotes, and what follows it.
fn split_prefix(pieces: &[Piece]) -> Option<(Word, Vec<Piece>)> {
    let first = pieces.first().filter(|first| !first.quoted)?;
    let (prefix, behind) = first.text.split_once(':')?;
    let span = Span { offset: first.span.offset, length: prefix.len() };
    let mut rest = Vec::with_capacity(pieces.len());
    if !behind.is_empty() {
        let span = Span { offset: span.end() + 1, length: behind.len() };
        rest.push(Piece { text: behind.to_string(), quoted: false, span });
    }
    rest.extend_from_slice(&pieces[1..]);
    Some((Word { text: prefix.to_string(), quoted: false, span }, rest))
}

/// A value or pattern. Quotes are taken letter by letter, so they cannot be a part of a glob.
fn word(pieces: &[Piece], span: Span) -> Result<Word, SelectorError> {
    match pieces {
        [piece] => Ok(Word { text: piece.text.clone(), quoted: piece.quoted, span: piece.span }),
        _ => Err(SelectorError::new(
            span,
            "quotes stand around a part of a value",
            "put the quotes around the whole value, or leave them out",
        )),
    }
}

fn prefixed(prefix: &Word, rest: &[Piece]) -> Result<Test, SelectorError> {
    let field = prefix.text.parse::<Field>();
    let known = field.is_ok() || [LABEL, HAS].contains(&&*prefix.text);
    if !known {
        return Err(unknown_prefix(prefix, rest));
    }
    if rest.iter().all(|piece| piece.text.is_empty()) {
        let span = Span { length: prefix.span.length + 1, ..prefix.span };
        let help = match &*prefix.text {
            LABEL => "write a label's name, such as `label:role`".to_string(),
            HAS => "write a path of the spec, such as `has:boot-mac`".to_string(),
            other => format!("write a name or a glob, such as `{other}:a*`"),
        };
        return Err(SelectorError::new(span, format!("nothing stands after `{}:`", prefix.text), help));
    }
    match field {
        Ok(field) => Ok(Test::Field(field, word(rest, span_of(rest))?)),
        Err(_) if prefix.text == HAS => Ok(Test::Has(path(rest)?)),
        Err(_) => Ok(Test::Label(label_name(rest)?, None)),
    }
}

fn label_name(rest: &[Piece]) -> Result<Word, SelectorError> {
    let name = word(rest, span_of(rest))?;
    if !name.is_glob() {
        return Ok(name);
    }
    let help = "write one label's name; in quotes when it holds such characters itself";
    Err(SelectorError::new(name.span, "a label's name cannot be a glob", help))
}

fn label(rest: &[Piece], prefix: Span, op: Op, sign: Span, value: Word) -> Result<Test, SelectorError> {
    if rest.iter().all(|piece| piece.text.is_empty()) {
        let help = "write a label's name, such as `label:role=db`";
        return Err(SelectorError::new(prefix, "nothing stands after `label:`", help));
    }
    if op.orders() {
        let help = "write the path, such as `labels.tier>=2`";
        return Err(SelectorError::new(sign, format!("`label:` takes `=` and `!=`, not `{op}`"), help));
    }
    Ok(Test::Label(label_name(rest)?, Some((op, value))))
}

fn not_comparable(prefix: &Word, op: Op, sign: Span) -> SelectorError {
    let name = shown(&prefix.text);
    if prefix.text.parse::<Field>().is_err() && prefix.text != HAS {
        return unknown_prefix(prefix, &[]);
    }
    let help = match &*prefix.text {
        HAS => "write the path without `has:`".to_string(),
        _ => format!("write a name or a glob behind `{name}:`, in quotes when it holds such a sign"),
    };
    SelectorError::new(sign, format!("`{name}:` cannot be compared with `{op}`"), help)
}

fn unknown_prefix(prefix: &Word, rest: &[Piece]) -> SelectorError {
    let words = || Field::WORDS.iter().copied().chain([LABEL, HAS]);
    let text = shown(&prefix.text);
    let help = if knows(&Path::parse(&prefix.text)) {
        let value = rest.first().map_or("VALUE", |piece| &*piece.text);
        format!("a path of the spec is compared with a sign: write `{text}={}`", shown(value))
    } else if let Some(near) = did_you_mean(&prefix.text, words()) {
        format!("did you mean `{near}:`?")
    } else {
        let all: Vec<String> = words().map(|word| format!("`{word}:`")).collect();
        format!("write one of {}; a label is `label:NAME=VALUE`", all.join(" "))
    };
    SelectorError::new(prefix.span, format!("selectors know no `{text}:`"), help)
}

/// A part of a path: a key, and whether it stood in quotes, or the dot between two.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    Key(Arc<str>, bool),
    Dot,
}

/// A dotted path; keys that hold odd characters stand in quotes, each as a whole.
fn path(pieces: &[Piece]) -> Result<SpecPath, SelectorError> {
    let span = span_of(pieces);
    let odd = || {
        let help = "write keys with one dot between each two, such as `hardware.bios.\"Boot Mode\"`";
        SelectorError::new(span, "this is not a path", help)
    };
    let parts: Vec<Part> = pieces.iter().flat_map(parts).collect();
    let mut keys = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Key(key, quoted) if index % 2 == 0 && !key.is_empty() => keys.push((key.clone(), *quoted)),
            Part::Dot if index % 2 == 1 => {}
            _ => return Err(odd()),
        }
    }
    if parts.last().is_none_or(|last| *last == Part::Dot) {
        return Err(odd());
    }
    Ok(SpecPath { path: flat(keys), span })
}

fn parts(piece: &Piece) -> Vec<Part> {
    if piece.quoted {
        return vec![Part::Key(piece.text.as_str().into(), true)];
    }
    let mut parts = Vec::new();
    for (index, key) in piece.text.split('.').enumerate() {
        if index > 0 {
            parts.push(Part::Dot);
        }
        if !key.is_empty() {
            parts.push(Part::Key(key.into(), false));
        }
    }
    parts
}

/// Joins what is one key of data.
fn flat(keys: Vec<(Arc<str>, bool)>) -> Path {
    let names: Vec<&str> = keys.iter().map(|(key, _)| &**key).collect();
    let above = FLAT.iter().map(|path| path.split('.').collect::<Vec<_>>());
    let above = above.filter(|path| names.starts_with(path)).map(|path| path.len()).next();
    match above {
        Some(above) if keys.len() > above + 1 && keys[above..].iter().all(|(_, quoted)| !quoted) => {
            let joined = names[above..].join(".");
            let kept = keys[..above].iter().map(|(key, _)| key.clone());
            Path(kept.chain([joined.into()]).collect())
        }
        _ => Path(keys.into_iter().map(|(key, _)| key).collect()),
    }
}
