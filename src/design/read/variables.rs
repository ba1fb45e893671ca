//! Design-wide variables: `site { variable "pod" 7 }`, used as `(var)"pod"` and `(text)"pod-{pod}.example.net"`.
//!
//! Owns their collection, before any item is read, and their way into values. In a `nodes` block `{pod}` works
//! without a mark, because there every text is a pattern.

use super::walk::{Walk, arguments};
use crate::design::pattern::{self, Pattern};
use crate::design::syntax::Parsed;
use crate::finding::{LIMIT, MISSING_REFERENCE, Place, WRONG_TYPE, did_you_mean};
use kdl::{KdlEntry, KdlValue};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What variables may come to in one file. A long value in a hundred thousand places would fill the memory.
const MOST_PUT_IN_BYTES: usize = 64 << 20;

/// By name. Of two with one name the first stands; the other is a finding when the site is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Variables(BTreeMap<String, KdlValue>);

impl Variables {
    /// Those that the sites in these files declare.
    pub fn collect<'a>(files: impl IntoIterator<Item = &'a Parsed>) -> Variables {
        let mut variables = BTreeMap::new();
        let nodes = files.into_iter().flat_map(|parsed| parsed.document.nodes());
        for site in nodes.filter(|node| node.name().value() == "site") {
            let children = site.children().map(|document| document.nodes()).unwrap_or_default();
            for child in children.iter().filter(|child| child.name().value() == "variable") {
                let mut written = arguments(child);
                let name = written.next().and_then(|entry| entry.value().as_string());
                // A mark would make it another variable, or a secret: neither can be handed on.
                let value = written.next().filter(|entry| entry.ty().is_none()).map(KdlEntry::value);
                if let Some((name, value)) = name.zip(value) {
                    variables.entry(name.to_string()).or_insert_with(|| value.clone());
                }
            }
        }
        Variables(variables)
    }

    /// The value of a variable for a pattern.
    pub fn for_pattern(&self, name: &str) -> Option<pattern::Value> {
        self.0.get(name).map(|value| pattern::Value::word(&text_of(value)))
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

fn text_of(value: &KdlValue) -> String {
    match value {
        KdlValue::String(text) => text.clone(),
        KdlValue::Integer(number) => number.to_string(),
        KdlValue::Float(number) => number.to_string(),
        KdlValue::Bool(truth) => truth.to_string(),
        KdlValue::Null => String::new(),
    }
}

impl Walk<'_> {
    /// The value of an entry and its mark, with variables put in. `None` when that cannot be done.
    pub fn value_of<'e>(&mut self, entry: &'e KdlEntry) -> Option<(Cow<'e, KdlValue>, Option<&'e str>)> {
        let mark = entry.ty().map(kdl::KdlIdentifier::value);
        let place = self.place(entry.span());
        match (mark, entry.value()) {
            (Some("var"), KdlValue::String(name)) => match self.variables.0.get(name) {
                Some(value) => {
                    let length = value.as_string().map_or(0, str::len);
                    self.may_put_in(length, place).then(|| (Cow::Owned(value.clone()), None))
                }
                None => {
                    self.unknown_variable(name, place);
                    None
                }
            },
            (Some("text"), KdlValue::String(text)) => {
                self.expanded(text, place).map(|text| (Cow::Owned(KdlValue::String(text)), None))
            }
            (Some(mark @ ("var" | "text")), _) => {
                self.find(
                    WRONG_TYPE,
                    format!("`({mark})` stands before a text"),
                    place,
                    "write it in quotes",
                );
                None
            }
            (mark, value) => Some((Cow::Borrowed(value), mark)),
        }
    }

    fn expanded(&mut self, text: &str, place: Place) -> Option<String> {
        let pattern = match Pattern::parse(text) {
            Ok(pattern) => pattern,
            Err(message) => {
                self.find(WRONG_TYPE, message, place, "write `{{` for a brace");
                return None;
            }
        };
        if self.too_many(&pattern, place.clone()) {
            return None;
        }
        let mut values = Vec::new();
        for name in pattern.names() {
            match self.variables.for_pattern(name) {
                Some(value) => values.push((name, value)),
                None => {
                    self.unknown_variable(name, place);
                    return None;
                }
            }
        }
        let choice: Vec<(&str, &pattern::Value)> =
            values.iter().map(|(name, value)| (*name, value)).collect();
        self.may_put_in(pattern.length(&choice), place).then(|| pattern.expand(&choice))
    }

    /// Whether so many bytes may come out of variables; says so where it may not.
    fn may_put_in(&mut self, bytes: usize, place: Place) -> bool {
        self.put_in_bytes = self.put_in_bytes.saturating_add(bytes);
        let may = self.put_in_bytes <= MOST_PUT_IN_BYTES;
        if !may {
            let message =
                format!("the variables of this file come to more than {MOST_PUT_IN_BYTES} bytes of text");
            self.find(LIMIT, message, place, "split the file, or write shorter values");
        }
        may
    }

    fn unknown_variable(&mut self, name: &str, place: Place) {
        let help = match did_you_mean(name, self.variables.names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write site \"…\" {{ variable \"{name}\" … }}"),
        };
        self.find(MISSING_REFERENCE, format!("there is no variable `{name}`"), place, help);
    }
}
