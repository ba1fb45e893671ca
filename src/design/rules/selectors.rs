//! A selector can be understood, names nodes that are there, and matches one.
//!
//! Why: what it chooses is what is done to machines. Example: `group "canary" on="tag:canray"`. Fix: correct the part
//! that is underlined; `rackwright find SELECTOR` prints what a selector matches. That it matches nothing is only
//! warned about, because a design may be ahead of its machines.

use super::Context;
use crate::design::read::Item;
use crate::design::selector::{Written, check as read, chosen};
use crate::finding::{Finding, LIMIT, Place};
use crate::model::path::Path;
use crate::model::value::Value;

/// How often a node may be asked by all selectors together: some hundred selectors for a hundred thousand nodes.
pub const MOST_ASKED: usize = 20_000_000;

/// What it costs to look for the name that was meant, in questions.
const ASKED_FOR_A_NAME: usize = 20_000;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    // What could not be read may hold the nodes that seem to be missing.
    let sure =
        !context.catalog.broken && !context.nodes.is_empty() && context.nodes.iter().all(|it| !it.doubtful);
    let mut asked = 0usize;
    for item in context.catalog.all() {
        for (text, place) in &item.selectors {
            let source = context.catalog.texts.get(&place.file).map_or("", |source| &**source);
            let subject = item.subject();
            let written = Written { text, place, source, subject: &subject };
            match read(written) {
                Err(finding) => findings.push(*finding),
                Ok(selector) if sure && chooses_nodes(item) => {
                    asked += context.nodes.len();
                    if asked > MOST_ASKED {
                        return findings.push(too_many(item, place));
                    }
                    let nodes = context.nodes.iter().map(|resolved| &resolved.node);
                    let declared = |kind| context.catalog.names(kind).collect();
                    let finding = chosen(&selector, nodes, &declared, written).1;
                    let suggests = finding.as_ref().is_some_and(Finding::is_error);
                    asked += if suggests { ASKED_FOR_A_NAME } else { 0 };
                    findings.extend(finding);
                }
                Ok(_) => {}
            }
        }
        findings.extend(of_tag_rules(item, context));
    }
}

fn too_many(item: &Item, place: &Place) -> Finding {
    let message = format!("the design's selectors would ask its nodes more than {MOST_ASKED} times");
    let finding = Finding::new(LIMIT, item.subject(), message).at(place.clone());
    finding.help("use fewer selectors, or split the design into several sites")
}

/// The selectors by which machines earn tags. What they match shows only when machines have been looked at.
fn of_tag_rules(item: &Item, context: &Context<'_>) -> Vec<Finding> {
    let rules = item.tree.get("tag-rules").and_then(Value::as_map).into_iter().flatten();
    let written = rules.filter(|(_, rule)| rule.str_at("kind") == Some("selector"));
    let wrong = written.filter_map(|(tag, rule)| {
        let path = Path(vec!["tag-rules".into(), tag.clone(), "definition".into()]);
        let place = item.places.get(&path)?;
        let source = context.catalog.texts.get(&place.file).map_or("", |source| &**source);
        let subject = item.subject();
        read(Written { text: rule.str_at("definition")?, place, source, subject: &subject }).err()
    });
    wrong.map(|finding| *finding).collect()
}

/// Runners come and go by themselves; no design lists them.
fn chooses_nodes(item: &Item) -> bool {
    item.tree.str_at("of") != Some("runners")
}
