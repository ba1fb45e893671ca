//! The floors: which part of the code may import which. Dependencies point down.

use super::text::{Source, sources};
use crate::none;
use regex::Regex;
use std::collections::BTreeSet;

/// Words that every floor may use.
const WORDS: &[&str] = &["finding", "id", "units"];

/// Every floor with the floors that it may import besides `WORDS`, from the top down.
const FLOORS: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    (
        "cli",
        &["serve", "reconcile", "run", "plan", "import", "world", "store", "virtual_rack", "view", "model"],
    ),
    ("serve", &["reconcile", "run", "plan", "world", "store", "view", "model"]),
    (
        "reconcile",
        &["run", "effect", "plan", "import", "design", "script", "store", "world", "virtual_rack", "model"],
    ),
    // Sentences over the values of the floors below; it asks nobody for anything.
    ("view", &["run", "store", "model"]),
    // Of the planner it uses the pure decisions: comparing values, and policy.
    ("run", &["effect", "plan", "script", "store", "model"]),
    ("effect", &["world", "store", "script", "template", "model"]),
    ("import", &["model"]),
    ("design", &["script", "template", "model"]),
    ("plan", &["script", "model"]),
    ("script", &["model"]),
    ("world", &["template", "model"]),
    ("store", &["model"]),
    // It shares no code with `world`: it is there to find out whether the two sides understand each other.
    ("virtual_rack", &["model"]),
    // A pure engine, which the design tries and the world fills secrets into.
    ("template", &["model"]),
    ("model", &[]),
    ("finding", &[]),
    ("units", &[]),
    ("id", &[]),
    // Names every floor, imports none.
    ("lib", &[]),
];

/// Imports that are narrower than their floors: from `view` only the events of a run, never its execution.
const NARROW: &[(&str, &str, &str)] = &[("view", "run", "event")];

/// Every `crate::…` of a file: where it stands, the floor, and what is named in it.
fn imports(source: &Source) -> Vec<(usize, String, String)> {
    let plain = Regex::new(r"\b(?:crate|rackwright)::([a-z_][a-z0-9_]*)(?:::(\w+))?").unwrap();
    let group = Regex::new(r"\b(?:crate|rackwright)::\{([^;]*)\}").unwrap();
    let mut found: Vec<(usize, String, String)> = plain
        .captures_iter(&source.code)
        .map(|hit| {
            let inside = hit.get(2).map(|part| part.as_str()).unwrap_or_default();
            (hit.get(0).unwrap().start(), hit[1].to_string(), inside.to_string())
        })
        .collect();
    for hit in group.captures_iter(&source.code) {
        for part in top_parts(&hit[1]) {
            let mut names = part.trim().split("::");
            let floor = names.next().unwrap_or_default().to_string();
            let inside = names.next().unwrap_or_default().to_string();
            found.push((hit.get(0).unwrap().start(), floor, inside));
        }
    }
    found
}

/// The parts of a group between its own commas.
fn top_parts(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, byte) in group.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// A chain of `super::` that leaves its floor.
fn ways_out(source: &Source) -> Vec<usize> {
    let depth = source.name.trim_end_matches("/mod.rs").trim_end_matches(".rs").split('/').count();
    let chain = Regex::new(r"\b(?:super::)+").unwrap();
    let leaves = |text: &str| text.len() / "super::".len() >= depth;
    chain.find_iter(&source.product).filter(|hit| leaves(hit.as_str())).map(|hit| hit.start()).collect()
}

fn check(source: &Source) -> Vec<String> {
    let floor = source.floor();
    let Some((_, allowed)) = FLOORS.iter().find(|(name, _)| *name == floor) else {
        return vec![format!("src/{}: the floor `{floor}` is not in the table of floors", source.name)];
    };
    let mut complaints = Vec::new();
    for (offset, target, inside) in imports(source) {
        let place = format!("src/{}:{}", source.name, source.line(offset));
        let known = FLOORS.iter().any(|(name, _)| *name == target);
        let fits = target == floor || WORDS.contains(&&*target) || allowed.contains(&&*target);
        if known && !fits {
            complaints.push(format!("{place}: `{floor}` must not import `{target}`"));
        }
        let narrow = NARROW.iter().find(|(from, to, _)| *from == floor && *to == target);
        if let Some((_, _, only)) = narrow
            && inside != *only
        {
            complaints.push(format!("{place}: of `{target}`, `{floor}` may import `{only}` only"));
        }
    }
    for offset in ways_out(source) {
        let place = format!("src/{}:{}", source.name, source.line(offset));
        complaints.push(format!("{place}: write `crate::` where a path leaves its floor"));
    }
    complaints
}

#[test]
fn imports_point_down() {
    none(sources().iter().flat_map(check).collect());
}

#[test]
fn every_row_of_the_table_stands_for_something() {
    let there: BTreeSet<String> = sources().iter().map(|source| source.floor().to_string()).collect();
    // Floors of DESIGN that are not built yet have their row already.
    let coming = ["serve"];
    let idle = |name: &&str| !there.contains(*name) && !coming.contains(name);
    assert_eq!(FLOORS.iter().map(|(name, _)| *name).filter(idle).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn the_table_has_no_circles() {
    for (position, (name, allowed)) in FLOORS.iter().enumerate() {
        for below in *allowed {
            let other = FLOORS.iter().position(|(floor, _)| floor == below);
            assert!(other.is_some_and(|other| other > position), "{name} → {below}");
        }
    }
}

#[test]
fn bad_imports_are_seen() {
    let complaints = |name: &str, text: &str| check(&Source::new(name, text));
    assert_eq!(
        complaints("design/x.rs", "use crate::store::Store;"),
        ["src/design/x.rs:1: `design` must not import `store`"]
    );
    assert_eq!(complaints("plan/x.rs", "fn f() {\n    crate::world::clock::now()\n}").len(), 1);
    assert_eq!(complaints("model/x.rs", "use crate::{finding::{self, Finding}, plan, store::Url};").len(), 2);
    assert_eq!(complaints("world/boot/x.rs", "use super::super::super::script::tape;").len(), 1);
    assert_eq!(complaints("view/x.rs", "use crate::run::execute;").len(), 1);
    assert_eq!(complaints("novel/x.rs", "").len(), 1);
    assert_eq!(
        complaints("virtual_rack/x.rs", "#[cfg(test)]\nmod tests { use crate::world::boot; }").len(),
        1
    );
    for good in
        ["use crate::model::Plan; // crate::store", "use super::x;", "const A: &str = \"crate::store\";"]
    {
        assert_eq!(complaints("design/a/x.rs", good), Vec::<String>::new());
    }
}
