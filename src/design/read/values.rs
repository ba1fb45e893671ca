//! Single values on the walk: typed, put into the tree, or kept as a template.
//!
//! Owns the step from a KDL entry to a value at its key, and the variables of a `nodes` block.

use super::walk::{Keys, Walk, arguments, below};
use super::{Block, Reference, Template};
use crate::design::pattern::{self, Pattern, Variable};
use crate::design::schema::{Arity, Shape, Slot, Type};
use crate::design::value_of::{self, Problem, hides_text};
use crate::design::{read::expect::Seen, secret};
use crate::finding::{LIMIT, MISSING_REFERENCE, MISSING_VALUE, Place, WRONG_TYPE, did_you_mean};
use crate::model::path::Path;
use crate::model::value::Value;
use kdl::{KdlEntry, KdlNode, KdlValue};
use std::sync::Arc;

impl Walk<'_> {
    /// One argument or property into its slot.
    pub fn entry(&mut self, entry: &KdlEntry, slot: &Slot, keys: &Keys) {
        let place = self.place(entry.span());
        let keys = below(keys, slot.key);
        let Some((value, mark)) = self.value_of(entry) else { return };
        match (slot.arity, &*value, slot.kind) {
            (Arity::Split, KdlValue::String(text), _) => {
                for part in text.split(',').map(str::trim) {
                    let value = value_of::of_text(slot.kind, part);
                    self.settle(value, slot, &keys, place.clone());
                }
            }
            (_, value, Type::SecretVersion) => self.version(value, &keys, place),
            (_, KdlValue::String(text), _) if self.block.is_some() && text.contains(['{', '}']) => {
                self.template(mark, text, slot, keys, place);
            }
            (Arity::Rest, KdlValue::String(text), Type::Text | Type::Address | Type::Reference(_))
                if text.starts_with('!') =>
            {
                match value_of::of_text(slot.kind, &text[1..]) {
                    Ok(_) => drop(self.append(&keys, Value::text(text), place)),
                    Err(problem) => self.problem(problem, place),
                }
            }
            (_, value, kind) => self.settle(value_of::of_kdl(kind, mark, value), slot, &keys, place),
        }
    }

    /// A child of a data group: any name, one value.
    pub fn datum(&mut self, node: &KdlNode, kind: Type, keys: &Keys, seen: &mut Seen) {
        let name = node.name().value();
        let place = self.place(node.name().span());
        if let Some(first) = seen.insert(name, place.clone()) {
            return self.repeated(name, place, &first);
        }
        let mut keys = keys.clone();
        keys.push(name.into());
        if arguments(node).next().is_some_and(|entry| entry.value() == &KdlValue::Null) {
            return self.put(&keys, Value::Null, place);
        }
        let slots = [Slot { name: "value", key: "", kind, arity: Arity::One, required: true, default: None }];
        self.datum_body(node, &slots, &keys);
    }

    /// The first argument of a keyed node.
    pub fn key(&mut self, entry: &KdlEntry, slot: &Slot) -> Option<Arc<str>> {
        let place = self.place(entry.span());
        let (value, mark) = self.value_of(entry)?;
        match value_of::of_kdl(slot.kind, mark, &value) {
            Ok(Value::Text(text)) => {
                if self.block.is_some() && text.contains(['{', '}']) {
                    let message = format!("the name `{text}` cannot hold variables");
                    self.find(WRONG_TYPE, message, place, "write variables in values only");
                    return None;
                }
                self.refer(slot.kind, &text, &place);
                Some(text)
            }
            Ok(_) => {
                self.find(WRONG_TYPE, "a name cannot be a secret", place, "write the name itself");
                None
            }
            Err(problem) => {
                self.problem(problem, place);
                None
            }
        }
    }

    /// A checked value to its place, or its problem to the findings.
    fn settle(&mut self, value: Result<Value, Problem>, slot: &Slot, keys: &Keys, place: Place) {
        let value = match value {
            Ok(value) => value,
            Err(problem) => return self.problem(problem, place),
        };
        if let Value::Text(text) = &value {
            self.refer(slot.kind, text, &place);
        }
        match slot.arity {
            // The empty key is the item's name, which is kept apart.
            Arity::One if keys.is_empty() => {}
            Arity::One => self.put(keys, value, place),
            Arity::Rest | Arity::Split => drop(self.append(keys, value, place)),
        }
    }

    fn refer(&mut self, kind: Type, name: &Arc<str>, place: &Place) {
        match kind {
            Type::Reference(kind) => {
                self.references.push(Reference { kind, name: name.clone(), place: place.clone() });
            }
            Type::Selector => self.selectors.push((name.clone(), place.clone())),
            _ => {}
        }
    }

    pub fn problem(&mut self, problem: Problem, place: Place) {
        if hides_text(&problem) {
            self.hidden.push(place.clone());
        }
        self.find(problem.code, problem.message, place, problem.help);
    }

    fn version(&mut self, version: &KdlValue, keys: &Keys, place: Place) {
        let version = match value_of::of_kdl(Type::SecretVersion, None, version) {
            Ok(version) => version,
            Err(problem) => return self.problem(problem, place),
        };
        let versioned =
            self.tree.at(&Path(keys.clone())).and_then(|held| secret::with_version(held, &version));
        if let Some(secret) = versioned {
            return self.tree.put(keys, secret);
        }
        let template =
            self.block.iter_mut().flat_map(|block| &mut block.templates).any(|held| held.keys == *keys);
        let message = match template {
            true => "a secret with variables has no version",
            false => "a version without a secret means nothing",
        };
        self.find(WRONG_TYPE, message, place, "remove it, or write the secret as (secret)\"env:NAME\"");
    }

    fn template(&mut self, mark: Option<&str>, text: &str, slot: &Slot, keys: Keys, place: Place) {
        let secret = mark == Some("secret");
        if slot.kind == Type::Secret && !secret {
            return self.problem(secret::clear_text(), place);
        }
        if matches!(slot.kind, Type::Url | Type::Location | Type::Uri | Type::BmcAddress)
            && secret::is_in_url(text)
        {
            return self.problem(secret::in_url(), place);
        }
        // No message quotes what is no reference, whatever the variables are.
        if secret && !text.starts_with('{') && secret::of_text(text).is_err() {
            return self.problem(secret::clear_text(), place);
        }
        let pattern = match Pattern::parse(text) {
            Ok(pattern) => pattern,
            Err(_) if secret => return self.problem(secret::clear_text(), place),
            Err(message) => return self.find(WRONG_TYPE, message, place, "write `{{` for a brace"),
        };
        if self.too_many(&pattern, place.clone()) {
            return;
        }
        self.take_design_variables(&pattern);
        let known: Vec<String> = self.variable_names();
        let unknown: Vec<&str> =
            pattern.names().filter(|name| !known.iter().any(|known| known == name)).collect();
        if secret && text.starts_with('{') && !unknown.is_empty() {
            return self.problem(secret::clear_text(), place);
        }
        for name in &unknown {
            let help = match did_you_mean(name, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{{{near}}}`?"),
                None => "write a variable of the block's name, or `{{` for a brace".to_string(),
            };
            self.find(MISSING_REFERENCE, format!("`{{{name}}}` is no variable here"), place.clone(), help);
        }
        if !unknown.is_empty() {
            return;
        }
        let append = slot.arity == Arity::Rest;
        self.places.entry(Path(keys.clone())).or_insert_with(|| place.clone());
        let template = Template { keys, pattern, kind: slot.kind, secret, append, place };
        self.block.get_or_insert_default().templates.push(template);
    }

    /// Says so when a text holds more variables than anybody writes.
    pub fn too_many(&mut self, pattern: &Pattern, place: Place) -> bool {
        let many = pattern.names().count() > pattern::MOST_VARIABLES;
        if many {
            let message = format!("the text holds more than {} variables", pattern::MOST_VARIABLES);
            self.find(LIMIT, message, place, "write what does not vary as it is");
        }
        many
    }

    /// A design-wide variable is one of the block's with one value.
    fn take_design_variables(&mut self, pattern: &Pattern) {
        let Some(block) = &mut self.block else { return };
        for name in pattern.names() {
            if block.variables.iter().all(|known| known.name != name) {
                let value = self.variables.for_pattern(name);
                let variable = |value| Variable { name: name.to_string(), values: vec![value] };
                block.variables.extend(value.map(variable));
            }
        }
    }

    fn variable_names(&self) -> Vec<String> {
        self.block.iter().flat_map(|block| &block.variables).map(|variable| variable.name.clone()).collect()
    }

    /// True for a property that gives values to a variable of the block's pattern.
    pub fn is_variable(&self, shape: &Shape, name: &str) -> bool {
        let declared = self.block.iter().flat_map(|block| &block.variables).any(|known| known.name == name);
        shape.pattern && declared
    }

    /// The variables of the name pattern, with the values that the properties give them.
    pub fn variables(&mut self, node: &KdlNode) -> Block {
        let mut block = Block::default();
        let Some(pattern) = self.name.clone().map(|name| Pattern::parse(&name)) else { return block };
        // A broken pattern is reported when the name itself is read.
        let Ok(pattern) = pattern else { return block };
        if self.too_many(&pattern, self.name_place.clone()) {
            return block;
        }
        for name in pattern.names() {
            if block.variables.iter().all(|known| known.name != name) {
                let values = self.variable_values(node, name);
                block.variables.push(Variable { name: name.to_string(), values });
            }
        }
        let count = block
            .variables
            .iter()
            .fold(1usize, |count, variable| count.saturating_mul(variable.values.len()));
        if count > pattern::MOST_NODES {
            let message = format!("the block makes {count} nodes; the limit is {}", pattern::MOST_NODES);
            self.find(LIMIT, message, self.name_place.clone(), "split it into several sites");
            block.variables.iter_mut().for_each(|variable| variable.values.clear());
        }
        block
    }

    fn variable_values(&mut self, node: &KdlNode, name: &str) -> Vec<pattern::Value> {
        let Some(entry) = node.entry(name) else {
            if let Some(value) = self.variables.for_pattern(name) {
                return vec![value];
            }
            let message = format!("the variable `{{{name}}}` has no values");
            self.find(MISSING_VALUE, message, self.name_place.clone(), format!("write {name}=\"1..40\""));
            return Vec::new();
        };
        let place = self.place(entry.span());
        let values = match entry.value() {
            KdlValue::String(text) => pattern::values(text),
            KdlValue::Integer(number) => pattern::values(&number.to_string()),
            _ => Err("the values of a variable are a range, or words".to_string()),
        };
        values.unwrap_or_else(|message| {
            self.find(
                WRONG_TYPE,
                message,
                place,
                "write a range such as \"1..40\", or words such as \"a,b\"",
            );
            Vec::new()
        })
    }
}
