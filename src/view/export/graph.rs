//! Blueprints as graphs, for Graphviz and for Mermaid: a box for each step, an arrow to each step that waits for it.

use crate::model::blueprint::{Blueprint, Step};
use std::fmt::Write;

/// The DOT language of Graphviz: one graph, a cluster for each blueprint.
pub fn graphviz(blueprints: &[&Blueprint]) -> String {
    let mut text = String::from("digraph rackwright {\n    rankdir=LR;\n    node [shape=box];\n");
    for (number, blueprint) in blueprints.iter().enumerate() {
        let _ = writeln!(text, "    subgraph cluster_{number} {{");
        let _ = writeln!(text, "        label={};", quoted(&blueprint.name));
        for step in &blueprint.steps {
            let label = lines(step).map(|line| escaped(&line)).join("\\n");
            let _ = writeln!(text, "        {} [label=\"{label}\"];", id(blueprint, &step.name));
        }
        for step in &blueprint.steps {
            for before in &step.after {
                let (from, to) = (id(blueprint, before), id(blueprint, &step.name));
                let _ = writeln!(text, "        {from} -> {to};");
            }
        }
        text.push_str("    }\n");
    }
    text + "}"
}

/// A name of its own for each step of each blueprint.
fn id(blueprint: &Blueprint, step: &str) -> String {
    quoted(&format!("{}: {step}", blueprint.name))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " ")
}

/// A Mermaid flowchart, a subgraph for each blueprint.
pub fn mermaid(blueprints: &[&Blueprint]) -> String {
    let mut text = String::from("flowchart LR\n");
    for (number, blueprint) in blueprints.iter().enumerate() {
        let _ = writeln!(text, "    subgraph b{number}[\"{}\"]", entities(&blueprint.name));
        let of = |name: &str| blueprint.steps.iter().position(|step| &*step.name == name);
        for (index, step) in blueprint.steps.iter().enumerate() {
            let label = lines(step).map(|line| entities(&line)).join("<br>");
            let _ = writeln!(text, "        b{number}s{index}[\"{label}\"]");
        }
        for (index, step) in blueprint.steps.iter().enumerate() {
            for before in step.after.iter().filter_map(|name| of(name)) {
                let _ = writeln!(text, "        b{number}s{before} --> b{number}s{index}");
            }
        }
        text.push_str("    end\n");
    }
    text.trim_end().to_string()
}

fn entities(text: &str) -> String {
    let plain = |one: char| one.is_alphanumeric() || " -_/.:,".contains(one);
    text.chars().fold(String::new(), |mut text, one| {
        match plain(one) {
            true => text.push(one),
            false => {
                let _ = write!(text, "#{};", u32::from(one));
            }
        }
        text
    })
}

/// What stands in a step's box.
fn lines(step: &Step) -> [String; 3] {
    [step.name.to_string(), step.task.to_string(), step.phase.to_string()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_its_quotes() {
        assert_eq!(quoted("a\"b\\c\nd"), r#""a\"b\\c d""#);
        assert_eq!(entities("std/a-b \"x\"] #;"), "std/a-b #34;x#34;#93; #35;#59;");
    }
}
