//! The value of a comparison, and how values of a spec are held against it.
//!
//! Owns what is equal and what is larger: numbers, sizes, MACs and truths by value, all other texts by glob, IPv4
//! addresses in their order. Secrets, groups and what is not set never answer, whatever the sign is.

use super::SelectorError;
use super::ast::{Op, Word};
use super::text::Text;
use crate::model::value::Value;
use crate::units::{Mac, size};
use std::cmp::Ordering;
use std::net::Ipv4Addr;

#[derive(Clone, Debug)]
pub struct Literal {
    text: Text,
    truth: Option<bool>,
    number: Option<Number>,
    /// The number is a size: it was written with a unit.
    is_size: bool,
    mac: Option<Mac>,
    address: Option<Ipv4Addr>,
}

#[derive(Clone, Copy, Debug)]
enum Number {
    Whole(i128),
    Fraction(f64),
}

impl Literal {
    pub fn new(word: &Word) -> Result<Literal, SelectorError> {
        let text = &word.text;
        let bytes = size(text).ok();
        Ok(Literal {
            text: Text::new(word)?,
            truth: match &**text {
                "true" | "#true" => Some(true),
                "false" | "#false" => Some(false),
                _ => None,
            },
            number: bytes.map(|bytes| Number::Whole(bytes.into())).or_else(|| number(text)),
            is_size: bytes.is_some(),
            mac: text.parse().ok(),
            address: text.parse().ok(),
        })
    }

    /// True when it can be larger or smaller than something.
    pub fn has_order(&self) -> bool {
        self.number.is_some() || self.address.is_some()
    }

    /// Whether `value` stands to this as `op` says. Of a list one item is enough; for `!=` none may be equal.
    pub fn answers(&self, value: &Value, op: Op) -> bool {
        match (value, op) {
            (Value::List(items), Op::Unequal) => {
                !items.is_empty() && items.iter().all(|item| self.single(item, op))
            }
            (Value::List(items), _) => items.iter().any(|item| self.single(item, op)),
            (single, _) => self.single(single, op),
        }
    }

    fn single(&self, value: &Value, op: Op) -> bool {
        match value {
            Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) => {}
            Value::Null | Value::Secret(_) | Value::Unknown(_) | Value::List(_) | Value::Map(_) => {
                return false;
            }
        }
        match op {
            Op::Equal => self.equals(value),
            Op::Unequal => !self.equals(value),
            Op::Less => self.order(value) == Some(Ordering::Less),
            Op::AtMost => matches!(self.order(value), Some(Ordering::Less | Ordering::Equal)),
            Op::More => self.order(value) == Some(Ordering::Greater),
            Op::AtLeast => matches!(self.order(value), Some(Ordering::Greater | Ordering::Equal)),
        }
    }

    fn equals(&self, value: &Value) -> bool {
        let as_text = || match value {
            Value::Text(text) => self.text.matches(text),
            other => self.text.matches(&other.to_string()),
        };
        match (value, self.truth, self.number) {
            (Value::Bool(truth), Some(wanted), _) => *truth == wanted,
            (Value::Int(_) | Value::Float(_), _, Some(wanted)) => {
                number_of(value).and_then(|number| number.compare(wanted)) == Some(Ordering::Equal)
            }
            (Value::Text(text), _, _) => as_text() || self.is_same(text),
            _ => as_text(),
        }
    }

    /// Another spelling of the same MAC or the same size.
    fn is_same(&self, text: &str) -> bool {
        let same_mac = || self.mac.is_some_and(|mac| text.parse::<Mac>() == Ok(mac));
        let same_size = || match (self.is_size, self.number) {
            (true, Some(Number::Whole(bytes))) => size(text).is_ok_and(|size| i128::from(size) == bytes),
            _ => false,
        };
        same_mac() || same_size()
    }

    /// How `value` stands to this, when both have an order.
    fn order(&self, value: &Value) -> Option<Ordering> {
        if let (Some(wanted), Value::Text(text)) = (self.address, value)
            && let Ok(address) = text.parse::<Ipv4Addr>()
        {
            return Some(address.cmp(&wanted));
        }
        number_of(value)?.compare(self.number?)
    }
}

impl Number {
    fn compare(self, other: Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Whole(a), Number::Whole(b)) => Some(a.cmp(&b)),
            (a, b) => a.as_float().partial_cmp(&b.as_float()),
        }
    }

    fn as_float(self) -> f64 {
        match self {
            Number::Whole(number) => number as f64,
            Number::Fraction(number) => number,
        }
    }
}

/// A value's number. A text has one when it is a whole number or a size; `1.9` as a text may be a version, whose
/// order is another one.
fn number_of(value: &Value) -> Option<Number> {
    match value {
        Value::Int(number) => Some(Number::Whole((*number).into())),
        Value::Float(number) => Some(Number::Fraction(*number)),
        Value::Text(text) => match size(text) {
            Ok(bytes) => Some(Number::Whole(bytes.into())),
            Err(_) => number(text).filter(|number| matches!(number, Number::Whole(_))),
        },
        _ => None,
    }
}

/// Decimal digits, with a sign or a fraction; nothing else that floating-point numbers may look like.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match digits.split_once('.') {
        None if all_digits(digits) => text.parse().ok().map(|number: i64| Number::Whole(number.into())),
        Some((whole, fraction)) if all_digits(whole) && all_digits(fraction) => {
            text.parse().ok().map(Number::Fraction)
        }
        _ => None,
    }
}
