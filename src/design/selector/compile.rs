//! A tree to a matcher: globs are compiled once, and every path is held against the spec.
//!
//! Owns what is refused although it can be read: unknown paths, groups and secrets in comparisons, an order of
//! things that have none, and names that no node can have.

use super::ast::{Expr, Field, Kind, Op, SpecPath, Test, Word};
use super::eval::Matcher;
use super::literal::Literal;
use super::text::{Text, shown};
use super::{MOST_TESTS, SelectorError, Span};
use crate::design::spec::Defaults;
use crate::model::path::Path;
use crate::model::value::Value;
use std::collections::HashSet;
use std::sync::LazyLock;

/// The shape of a spec, made once.
static SPEC: LazyLock<Defaults> = LazyLock::new(Defaults::new);

/// The paths of the spec that always hold a secret. Parameters may hold others; those never match.
const SECRETS: &[&str] = &["bmc.password", "ssh.key", "ssh.password"];

/// True when the spec has such a path.
pub fn knows(path: &Path) -> bool {
    SPEC.knows(path)
}

pub fn compile(expr: &Expr) -> Result<Matcher, SelectorError> {
    Compiler { tests: 0 }.expr(expr)
}

struct Compiler {
    tests: usize,
}

impl Compiler {
    /// As deep as the parser has let it be.
    fn expr(&mut self, expr: &Expr) -> Result<Matcher, SelectorError> {
        match &expr.kind {
            Kind::Or(parts) => self.or(parts),
            Kind::And(parts) => {
                Ok(Matcher::And(parts.iter().map(|part| self.expr(part)).collect::<Result<_, _>>()?))
            }
            Kind::Not(inner) => Ok(Matcher::Not(Box::new(self.expr(inner)?))),
            Kind::Test(test) => self.test(test, expr.span),
        }
    }

    /// Plain names become one set, so that a list of thousands costs one look.
    fn or(&mut self, parts: &[Expr]) -> Result<Matcher, SelectorError> {
        let mut names = HashSet::new();
        let mut others = Vec::new();
        for part in parts {
            match self.expr(part)? {
                Matcher::Names(more) => names.extend(more),
                other => others.push(other),
            }
        }
        if !names.is_empty() {
            others.insert(0, Matcher::Names(names));
        }
        Ok(Matcher::Or(others))
    }

    fn test(&mut self, test: &Test, span: Span) -> Result<Matcher, SelectorError> {
        if let Test::Field(Field::Name, word) = test {
            check_name(word)?;
            if !word.is_glob() {
                return Ok(Matcher::Names(HashSet::from([word.text.as_str().into()])));
            }
        }
        self.tests += 1;
        if self.tests > MOST_TESTS {
            let message = format!("the selector has more than {MOST_TESTS} tests besides plain names");
            return Err(SelectorError::new(span, message, "give the nodes a tag, and select by that"));
        }
        match test {
            Test::Field(field, word) => self::field(*field, word, span),
            Test::Label(name, None) => Ok(Matcher::Has(label(name))),
            Test::Label(name, Some((op, value))) => {
                Ok(Matcher::Compare(label(name), *op, Box::new(Literal::new(value)?)))
            }
            Test::Has(path) => {
                check_known(path)?;
                Ok(Matcher::Has(path.path.clone()))
            }
            Test::Compare(path, op, value) => {
                check_known(path)?;
                check_comparable(path)?;
                let literal = Literal::new(value)?;
                check_order(*op, value, &literal)?;
                Ok(Matcher::Compare(path.path.clone(), *op, Box::new(literal)))
            }
        }
    }
}

fn label(name: &Word) -> Path {
    Path(vec!["labels".into(), name.text.as_str().into()])
}

fn field(field: Field, word: &Word, span: Span) -> Result<Matcher, SelectorError> {
    let text = Text::new(word)?;
    let path = match field {
        Field::Name => return Ok(Matcher::Name(text)),
        Field::Profile => return Ok(Matcher::Profile(text)),
        Field::Tag => "tags",
        Field::Rack => "rack",
        Field::Region => "region",
        Field::Hardware => "hardware.name",
        Field::Image => "image.name",
    };
    let path = Path::parse(path);
    if !knows(&path) {
        let help = "select by another word, such as `rack:` or `tag:`";
        return Err(SelectorError::new(span, format!("nodes have no {field} in this version"), help));
    }
    Ok(Matcher::At(path, text))
}

/// A name that no node can have matches nothing, and everything under `!`.
fn check_name(word: &Word) -> Result<(), SelectorError> {
    if word.text.is_empty() {
        return Err(SelectorError::new(word.span, "the name is empty", super::parse::EXAMPLES));
    }
    let glob_in_quotes = word.quoted && word.text.contains(['*', '?', '[', ']', '{', '}']);
    if glob_in_quotes {
        let message =
            format!("what stands in quotes is no glob, and no node is named `{}`", shown(&word.text));
        return Err(SelectorError::new(word.span, message, "leave the quotes out"));
    }
    if has_comma(&word.text) {
        let message = "node names hold no comma";
        return Err(SelectorError::new(word.span, message, "write `|` between names"));
    }
    Ok(())
}

/// True when a comma stands outside of the alternatives of a glob.
fn has_comma(text: &str) -> bool {
    let mut depth = 0usize;
    text.bytes().any(|byte| {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        byte == b',' && depth == 0
    })
}

fn check_known(path: &SpecPath) -> Result<(), SelectorError> {
    if knows(&path.path) {
        return Ok(());
    }
    let name = shown(&path.path.to_string());
    let help = if [super::ast::LABEL, super::ast::HAS].contains(&&*name) || name.parse::<Field>().is_ok() {
        format!("did you mean `{name}:`?")
    } else if let Some(near) = SPEC.suggestion(&path.path) {
        format!("did you mean `{near}`?")
    } else {
        "`rackwright show node NAME` prints every path; a label is `label:NAME=VALUE`".to_string()
    };
    Err(SelectorError::new(path.span, format!("a node's spec has no `{name}`"), help))
}

/// Only single values and lists can be compared.
fn check_comparable(path: &SpecPath) -> Result<(), SelectorError> {
    let name = shown(&path.path.to_string());
    if let Some(secret) = SECRETS.iter().find(|secret| path.path.starts_with(&Path::parse(secret))) {
        let help = format!("`has:{secret}` says whether there is one");
        return Err(SelectorError::new(
            path.span,
            format!("`{name}` is a secret and is never compared"),
            help,
        ));
    }
    let Some(Value::Map(fields)) = SPEC.full.at(&path.path) else { return Ok(()) };
    let (message, help) = match fields.keys().next() {
        Some(first) => {
            let field = if fields.contains_key("name") { "name" } else { first };
            (
                format!("`{name}` is a group of values"),
                format!("compare one of them, such as `{name}.{field}`"),
            )
        }
        None => (format!("`{name}` has a value for each name"), format!("write `{name}.NAME`")),
    };
    Err(SelectorError::new(path.span, message, help))
}

fn check_order(op: Op, value: &Word, literal: &Literal) -> Result<(), SelectorError> {
    if !op.orders() || literal.has_order() {
        return Ok(());
    }
    let message = format!("`{}` is neither larger nor smaller than anything", shown(&value.text));
    let help = "write a number such as 12, a size such as 256GiB or an IPv4 address, or use `=`";
    Err(SelectorError::new(value.span, message, help))
}
