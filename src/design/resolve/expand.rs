//! A `nodes` block to its nodes.
//!
//! Owns the counting through the variables' values and the checks that are possible only now that patterns have
//! become text. What does not vary is one shared layer; what varies is a small layer of each node.

use super::{Part, Rank, Resolver, contribution, own_layer};
use crate::design::pattern::{self, Variable};
use crate::design::read::{Block, Item, Reference, Template};
use crate::design::schema::Type;
use crate::design::value_of::Problem;
use crate::design::{secret, value_of};
use crate::finding::Finding;
use crate::model::path::Path;
use crate::model::site::Layer;
use crate::model::value::Value;
use std::sync::Arc;

/// A variable with the value that it has for one node.
type Chosen<'v> = (&'v str, &'v pattern::Value);

/// A pattern that is wrong is wrong for every node; this many examples are enough.
const MOST_PROBLEMS: usize = 3;

pub fn block(resolver: &mut Resolver<'_>, item: &Item) {
    let Some(block) = &item.block else { return };
    let name_varies =
        block.templates.iter().any(|template| template.keys.iter().map(|key| &**key).eq(["name"]));
    if !name_varies && item.tree.get("name").is_none() {
        // The name itself was refused.
        return;
    }
    let shared = own_layer(item);
    let mut problems = 0;
    each_choice(&block.variables, &mut |choice| {
        if !resolver.may_add(item) {
            return false;
        }
        let (tree, wrong) = varying(resolver, item, block, choice, problems < MOST_PROBLEMS);
        problems += usize::from(wrong);
        let name =
            tree.str_at("name").or_else(|| item.tree.str_at("name")).map_or(item.name.clone(), Arc::from);
        let was = tree.str_at("was").or_else(|| item.tree.str_at("was")).map(Arc::from);
        let own = Layer {
            label: shared.label.clone(),
            written: true,
            tree: without_was(tree),
            place: Some(item.place.clone()),
            places: item.places.clone(),
        };
        resolver.parts.push(Part {
            name,
            rank: Rank::Block,
            layers: vec![shared.clone(), own],
            place: item.place.clone(),
            faulty: item.faulty || wrong,
            was,
        });
        true
    });
}

/// Calls `visit` for every combination of values, the last variable turning fastest, until it says no.
fn each_choice<'v>(variables: &'v [Variable], visit: &mut dyn FnMut(&[Chosen<'v>]) -> bool) {
    let counts: Vec<usize> = variables.iter().map(|variable| variable.values.len()).collect();
    let total: usize = counts.iter().product();
    let mut choice = Vec::with_capacity(variables.len());
    for number in 0..total {
        choice.clear();
        let mut rest = number;
        for (variable, count) in variables.iter().zip(&counts).rev() {
            choice.push((variable.name.as_str(), &variable.values[rest % count]));
            rest /= count;
        }
        if !visit(&choice) {
            return;
        }
    }
}

/// The node's own tree, and whether something in it was wrong.
fn varying(
    resolver: &mut Resolver<'_>,
    item: &Item,
    block: &Block,
    choice: &[Chosen<'_>],
    report: bool,
) -> (Value, bool) {
    let mut tree = Value::empty_map();
    let mut wrong = false;
    for template in &block.templates {
        if !resolver.may_expand(item, template.pattern.length(choice)) {
            return (tree, true);
        }
        let text = template.pattern.expand(choice);
        match typed(template, &text) {
            Ok(value) => {
                refer(resolver, item, template, &value);
                put(&mut tree, template, value);
            }
            Err(problem) => {
                wrong = true;
                let seen = resolver.hidden.last() == Some(&template.place);
                if value_of::hides_text(&problem) && !seen {
                    resolver.hidden.push(template.place.clone());
                }
                if report {
                    resolver.findings.push(finding(item, template, problem));
                }
            }
        }
    }
    (tree, wrong)
}

fn typed(template: &Template, text: &str) -> Result<Value, Problem> {
    match text.strip_prefix('!').filter(|_| template.append) {
        _ if template.secret => secret::of_text(text),
        // One that is taken out of a list.
        Some(removed) => value_of::of_text(template.kind, removed).map(|_| Value::text(text)),
        None => value_of::of_text(template.kind, text),
    }
}

fn put(tree: &mut Value, template: &Template, value: Value) {
    if !template.append {
        return tree.put(&template.keys, value);
    }
    let held = tree.at(&Path(template.keys.clone())).and_then(Value::as_list).unwrap_or_default();
    let items = held.iter().cloned().chain([value]).collect();
    tree.put(&template.keys, Value::list(items));
}

fn refer(resolver: &mut Resolver<'_>, item: &Item, template: &Template, value: &Value) {
    let removes = template.append && value.as_str().is_some_and(|text| text.starts_with('!'));
    if let (Type::Reference(kind), Value::Text(name), false) = (template.kind, value, removes) {
        let reference = Reference { kind, name: name.clone(), place: template.place.clone() };
        resolver.refer(|| item.subject(), reference);
    }
}

fn finding(item: &Item, template: &Template, problem: Problem) -> Finding {
    Finding::new(problem.code, item.subject(), problem.message).at(template.place.clone()).help(problem.help)
}

fn without_was(tree: Value) -> Value {
    if tree.get("was").is_none() { tree } else { contribution(&tree) }
}
