//! The value tree: specs, observations, parameters and effect arguments are all made of it.
//!
//! Subtrees are shared, so ten thousand nodes with one profile cost one profile. Secrets are
//! references, never clear text; a leaf that could not be read is `Unknown`, never absent.

use super::path::Path;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

pub use super::map::Map;

/// Keys are kebab-case names of the design language, or data such as BIOS attribute names.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Value {
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Arc<str>),
    /// A reference such as `env:BMC_PASSWORD`.
    Secret(Arc<str>),
    /// Could not be read, and why. Only observations hold it.
    Unknown(Arc<str>),
    List(Arc<Vec<Value>>),
    Map(Arc<Map>),
}

/// The JSON keys under which secrets and unknown values are stored.
const SECRET: &str = "$secret";
const UNKNOWN: &str = "$unknown";

/// Before a text that is a reference to another value. Control characters are refused in written texts, so none can
/// look like one.
pub const REFERENCE: char = '\u{1}';

/// Around the name of an answer that nobody knows before the work is done; only traces hold such values.
const PENDING: (char, char) = ('\u{2}', '\u{3}');

/// How an answer that nobody knows yet stands in a text.
pub fn pending_text(of: &str) -> String {
    format!("{}{of}{}", PENDING.0, PENDING.1)
}

/// A text for people, with answers that nobody knows yet in braces.
pub fn with_pending_shown(text: &str) -> String {
    text.replace(PENDING.0, "{").replace(PENDING.1, "}")
}

impl Value {
    pub fn text(text: impl AsRef<str>) -> Value {
        Value::Text(text.as_ref().into())
    }

    /// Takes from `other` what is the same in both, names included, so that it is there once. Changes no value.
    pub fn share(&mut self, other: &Value) {
        if self == other {
            *self = other.clone();
        } else if let (Value::Map(map), Value::Map(other)) = (self, other) {
            let shared = map.iter().map(|(key, value)| {
                let (mut key, mut value) = (key.clone(), value.clone());
                if let Some((known, there)) = other.entry(&key) {
                    value.share(there);
                    key = known.clone();
                }
                (key, value)
            });
            *map = Arc::new(shared.collect());
        }
    }

    pub fn list(items: Vec<Value>) -> Value {
        Value::List(Arc::new(items))
    }

    pub fn map<K: Into<Arc<str>>>(entries: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::Map(Arc::new(entries.into_iter().map(|(key, value)| (key.into(), value)).collect()))
    }

    pub fn empty_map() -> Value {
        Value::Map(Arc::default())
    }

    /// An answer that nobody can know yet: of which effect, and which part of it.
    pub fn pending(of: &str) -> Value {
        Value::Unknown(pending_text(of).into())
    }

    /// Of which effect's answer this is, when nobody can know it yet.
    pub fn pending_of(&self) -> Option<&str> {
        match self {
            Value::Unknown(why) => why.strip_prefix(PENDING.0)?.strip_suffix(PENDING.1),
            _ => None,
        }
    }

    /// The first answer in it that nobody can know yet.
    pub fn first_pending(&self) -> Option<&str> {
        match self {
            Value::List(items) => items.iter().find_map(Value::first_pending),
            Value::Map(map) => map.iter().find_map(|(_, value)| value.first_pending()),
            Value::Text(text) => Some(text.split_once(PENDING.0)?.1.split_once(PENDING.1)?.0),
            other => other.pending_of(),
        }
    }

    /// The same for people: answers that nobody knows yet as texts in braces.
    pub fn with_pending_shown(&self) -> Value {
        match self {
            Value::List(items) => Value::list(items.iter().map(Value::with_pending_shown).collect()),
            Value::Map(map) => {
                Value::map(map.iter().map(|(key, value)| (key.clone(), value.with_pending_shown())))
            }
            Value::Text(text) => Value::from(with_pending_shown(text)),
            Value::Unknown(why) if self.pending_of().is_some() => Value::from(with_pending_shown(why)),
            other => other.clone(),
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The entry `key` of a map.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// The value at `path`; `None` where nothing stands.
    pub fn at(&self, path: &Path) -> Option<&Value> {
        path.0.iter().try_fold(self, |value, key| value.get(key))
    }

    /// Text at a dotted path of plain names: `spec.str_at("bmc.address")`.
    pub fn str_at(&self, dotted: &str) -> Option<&str> {
        dotted.split('.').try_fold(self, |value, key| value.get(key))?.as_str()
    }

    /// Puts `value` at `path`, making maps on the way; anything else that stood there gives way.
    pub fn put(&mut self, path: &[Arc<str>], value: Value) {
        let Some((key, rest)) = path.split_first() else {
            *self = value;
            return;
        };
        if !matches!(self, Value::Map(_)) {
            *self = Value::empty_map();
        }
        if let Value::Map(map) = self {
            Arc::make_mut(map).or_null(key).put(rest, value);
        }
    }

    /// Every leaf with its path, in key order. Lists and empty maps are leaves.
    pub fn leaves(&self) -> Vec<(Path, &Value)> {
        let mut found = Vec::new();
        self.collect_leaves(&mut Path::default(), &mut found);
        found
    }

    fn collect_leaves<'a>(&'a self, path: &mut Path, found: &mut Vec<(Path, &'a Value)>) {
        match self {
            Value::Map(map) if !map.is_empty() => {
                for (key, value) in map.iter() {
                    path.0.push(key.clone());
                    value.collect_leaves(path, found);
                    path.0.pop();
                }
            }
            leaf => found.push((path.clone(), leaf)),
        }
    }

    /// Only what stands at `paths`, at the same places.
    pub fn project<'a>(&self, paths: impl IntoIterator<Item = &'a Path>) -> Value {
        let mut projected = Value::empty_map();
        for path in paths {
            if let Some(value) = self.at(path) {
                projected.put(&path.0, value.clone());
            }
        }
        projected
    }

    /// What a script sees of `paths`: as in a projection, and `Null` where a path ends early because nobody wrote
    /// the group that it leads into. An optional field is never missing.
    pub fn visible<'a>(&self, paths: impl IntoIterator<Item = &'a Path>) -> Value {
        let mut visible = Value::empty_map();
        for path in paths {
            let end = (1..=path.0.len()).find(|end| *end == path.0.len() || self.is_null_at(&path.0[..*end]));
            let shown = end.map(|end| &path.0[..end]).unwrap_or_default();
            if let Some(value) = self.at(&Path(shown.to_vec())) {
                visible.put(shown, value.clone());
            }
        }
        visible
    }

    fn is_null_at(&self, keys: &[Arc<str>]) -> bool {
        keys.iter().try_fold(self, |value, key| value.get(key)).is_some_and(Value::is_null)
    }

    /// The same tree for what people see: every secret is the text `(secret)`, and a reference that nothing has put a
    /// value in the place of looks as it is written.
    pub fn redacted(&self) -> Value {
        match self {
            Value::Secret(_) => Value::text("(secret)"),
            Value::Text(text) if text.starts_with(REFERENCE) => {
                Value::from(format!("(ref){}", &text[REFERENCE.len_utf8()..]))
            }
            Value::List(items) => Value::list(items.iter().map(Value::redacted).collect()),
            Value::Map(map) => Value::map(map.iter().map(|(key, value)| (key.clone(), value.redacted()))),
            other => other.clone(),
        }
    }

    /// A digest of the value's stored form, for equality shortcuts and journal keys.
    pub fn digest(&self) -> String {
        blake3::hash(self.to_string().as_bytes()).to_hex()[..32].to_string()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::Text(text.into())
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Value {
        Value::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Int(number)
    }
}

impl fmt::Display for Value {
    /// The stored form: canonical JSON with sorted keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(truth) => serializer.serialize_bool(*truth),
            Value::Int(number) => serializer.serialize_i64(*number),
            Value::Float(number) => serializer.serialize_f64(*number),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Secret(reference) => tagged(serializer, SECRET, reference),
            Value::Unknown(why) => tagged(serializer, UNKNOWN, why),
            Value::List(items) => {
                let mut sequence = serializer.serialize_seq(Some(items.len()))?;
                for item in items.iter() {
                    sequence.serialize_element(item)?;
                }
                sequence.end()
            }
            Value::Map(map) => match map.iter().next() {
                // What only looks like a tag must not come back as what the tag stands for.
                Some((key, value)) if map.len() == 1 && looks_tagged(key) => {
                    let mut written = serializer.serialize_map(Some(1))?;
                    written.serialize_entry(&format!("${key}"), value)?;
                    written.end()
                }
                _ => serializer.collect_map(map.iter()),
            },
        }
    }
}

/// A key that a tag could be read from: `$secret`, `$unknown`, and either with more `$` before it.
fn looks_tagged(key: &str) -> bool {
    let bare = key.trim_start_matches('$');
    bare.len() < key.len() && [SECRET, UNKNOWN].iter().any(|tag| &tag[1..] == bare)
}

fn tagged<S: Serializer>(serializer: S, tag: &str, text: &str) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(tag, text)?;
    map.end()
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Bool(truth))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(i64::try_from(number).map_or(Value::Float(number as f64), Value::Int))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }
    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::text(text))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            items.push(item);
        }
        Ok(Value::list(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, value)) = access.next_entry::<String, Value>()? {
            map.insert(key.into(), value);
        }
        if map.len() == 1 {
            if let Some(Value::Text(reference)) = map.get(SECRET) {
                return Ok(Value::Secret(reference.clone()));
            }
            if let Some(Value::Text(why)) = map.get(UNKNOWN) {
                return Ok(Value::Unknown(why.clone()));
            }
            if let Some((key, value)) = map.iter().next()
                && looks_tagged(key)
                && let Some(bare) = key.strip_prefix('$').filter(|bare| looks_tagged(bare))
            {
                return Ok(Value::map([(bare, value.clone())]));
            }
        }
        Ok(Value::Map(Arc::new(map)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_survives_its_stored_form() {
        let value = Value::map([
            ("a", Value::list(vec![Value::Int(-3), Value::Null, Value::Bool(true)])),
            ("b", Value::Secret("env:X".into())),
            ("c", Value::Unknown("no answer".into())),
            ("d", Value::map([("e", Value::Float(1.5))])),
        ]);
        let read: Value = serde_json::from_str(&value.to_string()).unwrap();
        assert_eq!(read, value);
        assert_eq!(value.redacted().get("b"), Some(&Value::text("(secret)")));
    }

    #[test]
    fn what_two_values_have_in_common_is_there_once() {
        let read = |address: &str| -> Value {
            serde_json::from_str(&format!(
                r#"{{"bmc":{{"address":"{address}","kind":"redfish"}},"image":{{"name":"debian"}},"own":1}}"#
            ))
            .unwrap()
        };
        let (first, mut second) = (read("a"), read("b"));
        second.share(&first);
        assert_eq!(second, read("b"));
        let image = |value: &Value| match value.get("image") {
            Some(Value::Map(map)) => Arc::as_ptr(map),
            other => panic!("{other:?}"),
        };
        assert_eq!(image(&first), image(&second));
        let key = |value: &Value| value.get("bmc").unwrap().as_map().unwrap().keys().next().unwrap().clone();
        assert!(Arc::ptr_eq(&key(&first), &key(&second)));
        let mut other = Value::Int(1);
        other.share(&first);
        assert_eq!(other, Value::Int(1));
    }

    #[test]
    fn what_looks_like_a_secret_does_not_become_one() {
        for text in [
            r#"{"$secret":"env:X"}"#,
            r#"{"$unknown":"x"}"#,
            r#"{"a":[{"$$secret":"env:X"}]}"#,
            r#"{"$secret":{"$unknown":"x"}}"#,
            r#"{"$other":1}"#,
        ] {
            let foreign = Value::from_json(&serde_json::from_str(text).unwrap());
            let stored = foreign.to_string();
            let read: Value = serde_json::from_str(&stored).unwrap();
            assert_eq!(read, foreign, "{text} as {stored}");
            assert!(!format!("{read:?}").contains("Secret(\"env"), "{read:?}");
        }
        // Every digit of a number counts: a digest is taken of them.
        let number = Value::Float(4.526428520521752e285);
        assert_eq!(serde_json::from_str::<Value>(&number.to_string()).unwrap(), number);
    }

    #[test]
    fn leaves_are_listed_and_projected_by_path() {
        let mut value = Value::Null;
        value.put(&Path::parse("a.b").0, Value::Int(1));
        value.put(&Path::parse("a.c").0, Value::Int(2));
        value.put(&Path::parse("d").0, Value::empty_map());
        let leaves: Vec<String> = value.leaves().iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(leaves, ["a.b", "a.c", "d"]);
        assert_eq!(value.project([&Path::parse("a.c")]).to_string(), r#"{"a":{"c":2}}"#);
        let open = Value::map([("group", Value::Null), ("other", Value::Int(1))]);
        let paths = [Path::parse("group.field.deep"), Path::parse("absent.field")];
        assert_eq!(open.visible(&paths).to_string(), r#"{"group":null}"#);
        assert_eq!(open.project(&paths).to_string(), "{}");
    }
}
