//! In one unit of a rack stands one thing, or one box with nodes in its slots, and no rack has more units than it says.
//!
//! Why: somebody will go to that unit and pull out a machine. Example: two nodes with `rack "r1" unit=12`, or a node
//! in unit 50 of a rack with `units 42`. Fix: correct the unit of one of them, or the rack's height.

use super::{Context, subject};
use crate::design::read::Item;
use crate::design::resolve::{Resolved, place_in};
use crate::finding::{Finding, Place, RACK_UNIT};
use crate::model::value::Value;
use std::collections::HashMap;

/// What stands in a rack.
#[derive(Clone, Copy)]
enum Standing<'a> {
    Switch(&'a Item),
    Node(&'a Resolved),
}

impl<'a> Standing<'a> {
    fn tree(self) -> &'a Value {
        match self {
            Standing::Switch(item) => &item.tree,
            Standing::Node(resolved) => &resolved.node.spec,
        }
    }

    fn subject(self) -> String {
        match self {
            Standing::Switch(item) => item.subject(),
            Standing::Node(resolved) => subject(resolved),
        }
    }

    fn place(self) -> Place {
        match self {
            Standing::Switch(item) => item.place_of("unit"),
            Standing::Node(resolved) => place_in(&resolved.node, "unit"),
        }
    }

    fn is(self, other: Standing<'_>) -> bool {
        match (self, other) {
            (Standing::Switch(one), Standing::Switch(other)) => std::ptr::eq(one, other),
            (Standing::Node(one), Standing::Node(other)) => std::ptr::eq(one, other),
            _ => false,
        }
    }

    /// Two of one name are one thing that is written twice, which another rule reports.
    fn is_twin(self, other: Standing<'_>) -> bool {
        match (self, other) {
            (Standing::Node(one), Standing::Node(other)) => one.node.name == other.node.name,
            _ => false,
        }
    }
}

/// What stands in one unit.
struct Unit<'a> {
    first: Standing<'a>,
    /// Nodes of one box, by slot.
    slots: HashMap<&'a str, Standing<'a>>,
}

impl<'a> Unit<'a> {
    /// Adds a thing, and gives one that is in its way. Without a slot it takes the whole unit.
    fn add(&mut self, slot: Option<&'a str>, standing: Standing<'a>) -> Option<Standing<'a>> {
        let is_first = self.first.is(standing);
        let Some(slot) = slot else { return (!is_first).then_some(self.first) };
        if self.slots.is_empty() && !is_first {
            // The first of the unit has no slot.
            return Some(self.first);
        }
        match self.slots.get(slot) {
            Some(other) => Some(*other),
            None => {
                self.slots.insert(slot, standing);
                None
            }
        }
    }
}

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let heights: HashMap<&str, i64> = context
        .catalog
        .of("rack")
        .filter_map(|rack| Some((&*rack.name, rack.tree.get("units")?.as_int()?)))
        .collect();
    let switches = context.catalog.of("switch").map(Standing::Switch);
    let all = switches.chain(context.nodes.iter().map(Standing::Node));
    let mut taken: HashMap<(&str, i64), Unit<'_>> = HashMap::new();
    for standing in all {
        let tree = standing.tree();
        let unit = tree.get("unit").and_then(Value::as_int);
        let Some((rack, unit)) = tree.str_at("rack").zip(unit) else { continue };
        if let Some(height) = heights.get(rack).filter(|height| unit > **height) {
            let message = format!("unit {unit} is above the {height} units of rack `{rack}`");
            let help = format!("write unit=1 to unit={height}, or correct the rack's `units`");
            findings.push(finding(standing, message, &help));
        }
        let held =
            taken.entry((rack, unit)).or_insert_with(|| Unit { first: standing, slots: HashMap::new() });
        match held.add(tree.str_at("slot"), standing) {
            None => {}
            Some(other) if other.is_twin(standing) => {}
            Some(other) => {
                let place = other.place();
                let message = format!("unit {unit} of rack `{rack}` is taken by {}", other.subject());
                let help = match place == standing.place() {
                    true => {
                        "let the unit vary from node to node, or the slot in a box of several".to_string()
                    }
                    false => format!("the other is at {place}; correct one of the two"),
                };
                findings.push(finding(standing, message, &help));
            }
        }
    }
}

fn finding(standing: Standing<'_>, message: String, help: &str) -> Finding {
    Finding::new(RACK_UNIT, standing.subject(), message).at(standing.place()).help(help)
}
