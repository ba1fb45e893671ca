//! How a nearer layer goes over a weaker one. The only rule of merging there is.
//!
//! Scalars: the nearer wins. Maps: key by key, and `#null` (`Value::Null` in a layer) removes the key. Lists:
//! the nearer first, then the weaker, without repeats; `!name` removes. Untouched subtrees stay shared.

use crate::model::value::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

pub fn over(base: &mut Value, near: &Value) {
    match near {
        Value::Map(near) => {
            if !matches!(base, Value::Map(_)) {
                *base = Value::empty_map();
            }
            if let Value::Map(map) = base {
                maps(map, near);
            }
        }
        Value::List(near) => *base = Value::list(lists(base.as_list().unwrap_or_default(), near)),
        scalar => *base = scalar.clone(),
    }
}

fn maps(base: &mut Arc<Map>, near: &Map) {
    if near.is_empty() {
        return;
    }
    let base = Arc::make_mut(base);
    for (key, value) in near {
        if value.is_null() {
            base.remove(key);
        } else if let Some(present) = base.get_mut(key) {
            over(present, value);
        } else if is_plain(value) {
            base.insert(key.clone(), value.clone());
        } else {
            let mut fresh = Value::Null;
            over(&mut fresh, value);
            base.insert(key.clone(), fresh);
        }
    }
}

/// True when nothing in it removes anything: then it can be shared as it is.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Map(map) => map.values().all(|inner| !inner.is_null() && is_plain(inner)),
        Value::List(_) => false,
        _ => true,
    }
}

fn lists(base: &[Value], near: &[Value]) -> Vec<Value> {
    let removed: BTreeSet<&str> = near.iter().filter_map(|item| item.as_str()?.strip_prefix('!')).collect();
    let mut seen = BTreeSet::new();
    let mut merged = Vec::with_capacity(base.len() + near.len());
    for item in near.iter().filter(|item| !item.as_str().is_some_and(|text| text.starts_with('!'))) {
        if item.as_str().is_none_or(|text| seen.insert(text)) {
            merged.push(item.clone());
        }
    }
    for item in base {
        if item.as_str().is_none_or(|text| !removed.contains(text) && seen.insert(text)) {
            merged.push(item.clone());
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(base: &str, near: &str) -> String {
        let mut base: Value = serde_json::from_str(base).unwrap();
        over(&mut base, &serde_json::from_str(near).unwrap());
        base.to_string()
    }

    #[test]
    fn scalars_lists_and_maps_merge_each_in_its_way() {
        assert_eq!(merged(r#"{"a":1,"b":2}"#, r#"{"a":3}"#), r#"{"a":3,"b":2}"#);
        assert_eq!(merged(r#"{"a":{"x":1,"y":2}}"#, r#"{"a":{"x":null,"z":3}}"#), r#"{"a":{"y":2,"z":3}}"#);
        assert_eq!(merged(r#"{"l":["a","b","c"]}"#, r#"{"l":["d","!b","a"]}"#), r#"{"l":["d","a","c"]}"#);
        assert_eq!(merged(r#"{"a":null}"#, r#"{"a":{"x":1,"y":null}}"#), r#"{"a":{"x":1}}"#);
    }
}
