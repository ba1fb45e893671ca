//! Tokens to a tree: `|` binds loosest, then `&`, then `!`; parentheses group.
//!
//! Owns the order of the signs and what is said when something between them is missing. Single tests are read in
//! `term`.

use super::ast::{Expr, Kind};
use super::lex::{Token, tokens};
use super::{DEEPEST, SelectorError, Span, term};

/// Help wherever a test is missing.
pub const EXAMPLES: &str = "write a node's name, a glob such as `r1-*`, or a test such as `rack:r1`";

pub fn parse(text: &str) -> Result<Expr, SelectorError> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        let span = Span { offset: 0, length: text.len() };
        return Err(SelectorError::new(
            span,
            "the selector is empty",
            format!("{EXAMPLES}; `*` is every node"),
        ));
    }
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
    let expr = parser.or()?;
    match parser.tokens.get(parser.at) {
        None => Ok(expr),
        Some((token, span)) => Err(surplus(token, *span)),
    }
}

/// What stands behind a complete selector.
fn surplus(token: &Token, span: Span) -> SelectorError {
    match token {
        Token::Close => {
            SelectorError::new(span, "this parenthesis closes nothing", "remove it, or write `(` before it")
        }
        Token::Op(op) => {
            let help = "put a value that holds such a sign into quotes";
            SelectorError::new(span, format!("`{op}` has no place here"), help)
        }
        _ => SelectorError::new(
            span,
            "a sign is missing before this",
            "write `&` (and) or `|` (or) between the two",
        ),
    }
}

pub struct Parser<'a> {
    tokens: &'a [(Token, Span)],
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    pub fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    pub fn next(&mut self) -> Option<(&'a Token, Span)> {
        let (token, span) = self.tokens.get(self.at)?;
        self.at += 1;
        Some((token, *span))
    }

    fn or(&mut self) -> Result<Expr, SelectorError> {
        self.list(&Token::Or, Kind::Or, Parser::and)
    }

    fn and(&mut self) -> Result<Expr, SelectorError> {
        self.list(&Token::And, Kind::And, Parser::unary)
    }

    fn list(
        &mut self,
        sign: &Token,
        kind: fn(Vec<Expr>) -> Kind,
        part: fn(&mut Self) -> Result<Expr, SelectorError>,
    ) -> Result<Expr, SelectorError> {
        let first = part(self)?;
        if self.peek() != Some(sign) {
            return Ok(first);
        }
        let start = first.span;
        let mut parts = vec![first];
        while self.peek() == Some(sign) {
            self.at += 1;
            parts.push(part(self)?);
        }
        let span = parts.last().map_or(start, |last| start.to(last.span));
        Ok(Expr { kind: kind(parts), span })
    }

    fn unary(&mut self) -> Result<Expr, SelectorError> {
        match self.next() {
            Some((Token::Not, span)) => {
                self.deeper(span)?;
                let inner = self.unary()?;
                self.depth -= 1;
                let span = span.to(inner.span);
                Ok(Expr { kind: Kind::Not(Box::new(inner)), span })
            }
            Some((Token::Open, span)) => self.group(span),
            Some((Token::Pieces(pieces), _)) => term::read(self, pieces),
            Some((token, span)) => Err(self.missing(Some(token), span)),
            None => Err(self.missing(None, Span::default())),
        }
    }

    fn group(&mut self, open: Span) -> Result<Expr, SelectorError> {
        if let (Some(Token::Close), Some((_, close))) = (self.peek(), self.tokens.get(self.at)) {
            return Err(SelectorError::new(open.to(*close), "the parentheses are empty", EXAMPLES));
        }
        if self.peek().is_none() {
            return Err(never_closed(open));
        }
        self.deeper(open)?;
        let inner = self.or()?;
        self.depth -= 1;
        match self.next() {
            Some((Token::Close, close)) => Ok(Expr { kind: inner.kind, span: open.to(close) }),
            Some((token, span)) => Err(surplus(token, span)),
            None => Err(never_closed(open)),
        }
    }

    fn deeper(&mut self, span: Span) -> Result<(), SelectorError> {
        self.depth += 1;
        if self.depth <= DEEPEST {
            return Ok(());
        }
        let message = format!("parentheses and `!` stand more than {DEEPEST} deep in each other");
        Err(SelectorError::new(span, message, "write it without the inner ones"))
    }

    /// A test should stand here; `found` does, or the end.
    fn missing(&self, found: Option<&Token>, span: Span) -> SelectorError {
        // `next` has stepped over what was found.
        let before = if found.is_some() { self.at.checked_sub(2) } else { self.at.checked_sub(1) };
        let before = before.and_then(|at| self.tokens.get(at));
        match (before, found) {
            (Some((token, span)), _) if sign(token).is_some() => {
                let sign = sign(token).unwrap_or_default();
                SelectorError::new(*span, format!("nothing stands after `{sign}`"), EXAMPLES)
            }
            (_, Some(Token::Op(op))) => {
                let message = format!("no path stands before `{op}`");
                SelectorError::new(
                    span,
                    message,
                    "write a path of the spec, such as `hardware.boot-mode=uefi`",
                )
            }
            (_, Some(Token::Close)) => surplus(&Token::Close, span),
            (_, found) => {
                let sign = found.and_then(sign).unwrap_or_default();
                SelectorError::new(span, format!("nothing stands before `{sign}`"), EXAMPLES)
            }
        }
    }
}

fn never_closed(open: Span) -> SelectorError {
    SelectorError::new(open, "this parenthesis is never closed", "write `)` where the group ends")
}

fn sign(token: &Token) -> Option<&'static str> {
    match token {
        Token::And => Some("&"),
        Token::Or => Some("|"),
        Token::Not => Some("!"),
        _ => None,
    }
}
