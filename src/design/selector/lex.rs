//! The text of a selector cut into tokens.
//!
//! A word is everything between white space and the signs `& | ! ( ) = < >`; quotes take anything into a word. Its
//! pieces stay apart, because only what stands outside of quotes is a glob, a prefix or a dotted path.

use super::ast::Op;
use super::{MOST_BYTES, SelectorError, Span};

#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    And,
    Or,
    Not,
    Open,
    Close,
    Op(Op),
    Pieces(Vec<Piece>),
}

/// A part of a word: all of it in quotes, or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    pub text: String,
    pub quoted: bool,
    /// With the quotes.
    pub span: Span,
}

/// Every token with its place.
pub fn tokens(text: &str) -> Result<Vec<(Token, Span)>, SelectorError> {
    if text.len() > MOST_BYTES {
        let message = format!("the selector has {} bytes; the limit is {MOST_BYTES}", text.len());
        let span = Span { offset: MOST_BYTES, length: 0 };
        return Err(SelectorError::new(span, message, "select by a rack, a tag or a glob"));
    }
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    // Each turn takes at least one character.
    while let Some(character) = lexer.peek() {
        if character.is_whitespace() {
            lexer.at += character.len_utf8();
            continue;
        }
        let start = lexer.at;
        let token = match lexer.sign() {
            Some(token) => token,
            None => Token::Pieces(lexer.word()?),
        };
        let span = Span { offset: start, length: lexer.at - start };
        refuse_habits(&tokens, &token, span)?;
        tokens.push((token, span));
    }
    Ok(tokens)
}

/// Signs of other languages, which would otherwise be reported as something missing between them.
fn refuse_habits(before: &[(Token, Span)], token: &Token, span: Span) -> Result<(), SelectorError> {
    let Some((last, place)) = before.last().filter(|(_, place)| place.end() == span.offset) else {
        return Ok(());
    };
    let (wrong, right) = match (last, token) {
        (Token::And, Token::And) => ("&&", "&"),
        (Token::Or, Token::Or) => ("||", "|"),
        (Token::Op(Op::Equal), Token::Op(Op::Equal)) => ("==", "="),
        (Token::Op(Op::Equal), Token::Op(Op::Less)) => ("=<", "<="),
        (Token::Op(Op::Equal), Token::Op(Op::More)) => ("=>", ">="),
        (Token::Op(Op::Less), Token::Op(Op::More)) => ("<>", "!="),
        _ => return Ok(()),
    };
    let message = format!("`{wrong}` is not a sign of selectors");
    Err(SelectorError::new(place.to(span), message, format!("write `{right}`")))
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn sign(&mut self) -> Option<Token> {
        const SIGNS: &[(&str, Token)] = &[
            ("!=", Token::Op(Op::Unequal)),
            ("<=", Token::Op(Op::AtMost)),
            (">=", Token::Op(Op::AtLeast)),
            ("<", Token::Op(Op::Less)),
            (">", Token::Op(Op::More)),
            ("=", Token::Op(Op::Equal)),
            ("!", Token::Not),
            ("&", Token::And),
            ("|", Token::Or),
            ("(", Token::Open),
            (")", Token::Close),
        ];
        let (sign, token) = SIGNS.iter().find(|(sign, _)| self.rest().starts_with(sign))?;
        self.at += sign.len();
        Some(token.clone())
    }

    fn word(&mut self) -> Result<Vec<Piece>, SelectorError> {
        let mut pieces = Vec::new();
        while let Some(character) = self.peek() {
            let start = self.at;
            let quoted = matches!(character, '"' | '\'');
            let text = if quoted { self.in_quotes(character)? } else { self.bare()? };
            if self.at == start {
                break;
            }
            let span = Span { offset: start, length: self.at - start };
            pieces.push(Piece { text: text.to_string(), quoted, span });
        }
        Ok(pieces)
    }

    fn in_quotes(&mut self, quote: char) -> Result<&'a str, SelectorError> {
        let start = self.at;
        let inner = &self.text[start + 1..];
        let Some(length) = inner.find(quote) else {
            let span = Span { offset: start, length: self.text.len() - start };
            let help = format!("write another {quote} where the text ends");
            return Err(SelectorError::new(span, "the quotes are never closed", help));
        };
        self.at = start + length + 2;
        Ok(&inner[..length])
    }

    fn bare(&mut self) -> Result<&'a str, SelectorError> {
        let start = self.at;
        let mut after_bracket = false;
        while let Some(character) = self.peek() {
            // `[!ab]` is a class of a glob.
            let negates_class = after_bracket && character == '!';
            let ends = character.is_whitespace() || "&|!()=<>\"'".contains(character);
            if ends && !negates_class {
                break;
            }
            if character.is_control() {
                let span = Span { offset: self.at, length: character.len_utf8() };
                let message = "a control character stands in the selector";
                return Err(SelectorError::new(span, message, "remove it"));
            }
            after_bracket = character == '[';
            self.at += character.len_utf8();
        }
        Ok(&self.text[start..self.at])
    }
}
