//! Comparing values leaf by leaf: what the design says, what was recorded, what was seen.

use crate::model::path::Path;
use crate::model::plan::Change;
use crate::model::value::Value;
use crate::units::{self, Mac};
use std::collections::BTreeSet;

/// True when two leaves mean the same: equal, or equal once MACs and sizes are in their normal form.
pub fn same(a: &Value, b: &Value) -> bool {
    if a == b {
        return true;
    }
    match (a, b) {
        (Value::Text(a), Value::Text(b)) => match (a.parse::<Mac>(), b.parse::<Mac>()) {
            (Ok(a), Ok(b)) => a == b,
            _ => matches!((units::size(a), units::size(b)), (Ok(a), Ok(b)) if a == b),
        },
        (Value::Text(size), Value::Int(bytes)) | (Value::Int(bytes), Value::Text(size)) => {
            units::size(size).is_ok_and(|size| u64::try_from(*bytes) == Ok(size))
        }
        (Value::Int(a), Value::Float(b)) | (Value::Float(b), Value::Int(a)) => (*a as f64) == *b,
        _ => false,
    }
}

/// Every leaf that differs between two trees; what stands on one side only is `Null` on the other.
pub fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let paths: BTreeSet<Path> =
        before.leaves().into_iter().chain(after.leaves()).map(|(path, _)| path).collect();
    let mut changes = Vec::new();
    for path in paths {
        let was = before.at(&path).cloned().unwrap_or_default();
        let is = after.at(&path).cloned().unwrap_or_default();
        // A map on one side and its leaves on the other: the leaves tell it.
        let is_branch = |value: &Value| value.as_map().is_some_and(|map| !map.is_empty());
        if is_branch(&was) || is_branch(&is) || same(&was, &is) || (is_empty(&was) && is_empty(&is)) {
            continue;
        }
        changes.push(Change { path, before: was.redacted(), after: is.redacted() });
    }
    changes
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

/// What `observe` returned, held against the spec.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Leaves that were seen and differ: seen → wanted.
    pub differs: Vec<Change>,
    /// Leaves that could not be read.
    pub unknown: Vec<Path>,
}

impl Comparison {
    /// Everything that was wanted was seen, and is so.
    pub fn is_true(&self) -> bool {
        self.differs.is_empty() && self.unknown.is_empty()
    }
}

/// Compares every wanted leaf; `Null` wants nothing.
pub fn compare(wanted: &Value, seen: &Value) -> Comparison {
    let mut comparison = Comparison::default();
    for (path, want) in wanted.leaves() {
        if is_empty(want) {
            continue;
        }
        match seen.at(&path) {
            None | Some(Value::Unknown(_)) => comparison.unknown.push(path),
            Some(is) if same(want, is) => {}
            Some(is) => {
                comparison.differs.push(Change { path, before: is.redacted(), after: want.redacted() });
            }
        }
    }
    comparison
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_are_compared_in_their_normal_form() {
        assert!(same(&Value::text("52:54:00:AB:00:01"), &Value::text("52-54-00-ab-00-01")));
        assert!(same(&Value::text("20GiB"), &Value::Int(20 << 30)));
        assert!(!same(&Value::text("Enabled"), &Value::text("enabled")));
    }

    #[test]
    fn what_could_not_be_read_is_neither_equal_nor_different() {
        let wanted = Value::map([("a", Value::Int(1)), ("b", Value::Int(2)), ("c", Value::Null)]);
        let seen = Value::map([("a", Value::Unknown("no answer".into())), ("b", Value::Int(3))]);
        let comparison = compare(&wanted, &seen);
        assert_eq!(comparison.unknown, [Path::parse("a")]);
        assert_eq!(comparison.differs.len(), 1);
        assert!(!comparison.is_true());
    }

    #[test]
    fn changes_name_each_leaf_once_and_hide_secrets() {
        let before = Value::map([("a", Value::Int(1)), ("s", Value::Secret("env:A".into()))]);
        let after = Value::map([("a", Value::Int(2)), ("s", Value::Secret("env:B".into()))]);
        let changes = changes(&before, &after);
        assert_eq!(changes.len(), 2);
        assert_eq!(changes[1].after, Value::text("(secret)"));
    }
}
