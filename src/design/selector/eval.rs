//! A compiled selector, asked of one node at a time. Nothing is parsed or compiled here.

use super::ast::Op;
use super::literal::Literal;
use super::text::Text;
use crate::model::path::Path;
use crate::model::site::Node;
use crate::model::value::Value;
use std::collections::HashSet;

#[derive(Clone, Debug)]
pub enum Matcher {
    Or(Vec<Matcher>),
    And(Vec<Matcher>),
    Not(Box<Matcher>),
    Names(HashSet<Box<str>>),
    Name(Text),
    /// Any profile of the node's layers: its own, and those that this one extends.
    Profile(Text),
    /// A text of the spec, or one of a list.
    At(Path, Text),
    Has(Path),
    Compare(Path, Op, Box<Literal>),
}

impl Matcher {
    pub fn matches(&self, node: &Node) -> bool {
        match self {
            Matcher::Or(parts) => parts.iter().any(|part| part.matches(node)),
            Matcher::And(parts) => parts.iter().all(|part| part.matches(node)),
            Matcher::Not(inner) => !inner.matches(node),
            Matcher::Names(names) => names.contains(&*node.name),
            Matcher::Name(text) => text.matches(&node.name),
            Matcher::Profile(text) => node.profiles().any(|name| text.matches(name)),
            Matcher::At(path, text) => node.spec.at(path).is_some_and(|value| holds(value, text)),
            Matcher::Has(path) => node.spec.at(path).is_some_and(is_set),
            Matcher::Compare(path, op, literal) => {
                node.spec.at(path).is_some_and(|value| literal.answers(value, *op))
            }
        }
    }
}

fn holds(value: &Value, text: &Text) -> bool {
    match value {
        Value::Text(held) => text.matches(held),
        Value::List(items) => items.iter().any(|item| item.as_str().is_some_and(|held| text.matches(held))),
        _ => false,
    }
}

/// An empty list or map is what stands where nobody wrote anything.
fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Unknown(_) => false,
        Value::List(items) => !items.is_empty(),
        Value::Map(entries) => !entries.is_empty(),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::Secret(_) => true,
    }
}
