//! Small words: plurals, lists, values, times.

use crate::model::value::Value;
use crate::units::{self, Time};

/// `1 node`, `2 nodes`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Names, the first `at_most` of them, and how many more there are.
pub fn names<T: AsRef<str>>(names: &[T], at_most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(at_most).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(at_most) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A leaf as people read it: text in quotes, nothing as `(none)`.
pub fn value(value: &Value) -> String {
    match value {
        Value::Null => "(none)".into(),
        Value::Secret(_) => "(secret)".into(),
        Value::Unknown(why) => format!("(unknown: {why})"),
        Value::Text(text) if &**text == "(secret)" => text.to_string(),
        other => other.to_string(),
    }
}

/// How long ago `then` was.
pub fn ago(then: Time, now: Time) -> String {
    format!("{} ago", units::short(now.since(then)))
}
