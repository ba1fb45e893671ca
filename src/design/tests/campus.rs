//! The campus uses the whole language: every kind, every setting in it, and every property, at least once.
//!
//! So that a word of the language that no example shows, or an example of a word that is gone, is noticed here.

use crate::design::kinds::KINDS;
use crate::design::schema::Shape;
use kdl::{KdlDocument, KdlNode};
use std::collections::BTreeSet;
use std::path::Path;

/// Hazards for one value: the standard library's `std/power` shows them.
const ELSEWHERE: &[&str] = &[
    "task realizes hazard=",
    "task realizes when=",
    // As in a task.
    "blueprint param pattern=",
    "task output doc=",
];
/// The version of a secret is shown once for all parameters.
const VERSION: &str = "param version=";

fn documents(folder: &Path, found: &mut Vec<KdlDocument>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            documents(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "kdl") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push(KdlDocument::parse_v2(&text).unwrap_or_else(|error| panic!("{path:?}: {error:?}")));
        }
    }
}

/// Every word that a shape knows, with the words around it.
fn words(shape: &Shape, around: &str, all: &mut BTreeSet<String>) {
    let here = format!("{around}{}", shape.name);
    all.insert(here.clone());
    all.extend(shape.properties.iter().map(|property| format!("{here} {}=", property.name)));
    shape.children.iter().copied().flatten().for_each(|child| words(child, &format!("{here} "), all));
}

/// The words that a node has.
fn said(node: &KdlNode, around: &str, all: &mut BTreeSet<String>) {
    let here = format!("{around}{}", node.name().value());
    all.extend(node.entries().iter().filter_map(|entry| Some(format!("{here} {}=", entry.name()?.value()))));
    let children = node.children().map(KdlDocument::nodes).unwrap_or_default();
    children.iter().for_each(|child| said(child, &format!("{here} "), all));
    all.insert(here);
}

#[test]
fn the_campus_says_every_word_of_the_language() {
    let mut found = Vec::new();
    documents(&Path::new(env!("CARGO_MANIFEST_DIR")).join("designs/campus"), &mut found);
    let (mut language, mut campus) = (BTreeSet::new(), BTreeSet::new());
    KINDS.iter().for_each(|kind| words(kind, "", &mut language));
    found.iter().flat_map(KdlDocument::nodes).for_each(|node| said(node, "", &mut campus));
    // What several layers may say is shown in one of them.
    const LAYERS: &[&str] = &["site", "region", "rack", "hardware", "profile", "nodes", "node"];
    let shared = |word: &str| {
        let (kind, rest) = word.split_once(' ').unwrap_or((word, ""));
        word.ends_with(VERSION)
            || LAYERS.contains(&kind)
                && LAYERS.iter().any(|other| campus.contains(&format!("{other} {rest}")))
    };
    let missing: Vec<&str> = language
        .iter()
        .map(String::as_str)
        .filter(|word| !campus.contains(*word) && !shared(word) && !ELSEWHERE.contains(word))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}
