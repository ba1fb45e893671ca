//! A task declares only spec paths that exist.
//!
//! Why: a path that does not exist is never different, so the task would never be needed. Example:
//! `realizes "hardware.bois"`. Fix: write the path as `rackwright show node NAME` prints it.

use super::Context;
use crate::design::read::Item;
use crate::design::spec::Defaults;
use crate::finding::{DECLARED_PATH, Finding};
use crate::model::hazard::Aim;
use crate::model::path::Path;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let (of_nodes, of_site) = (Defaults::new(), Defaults::of(Aim::Site));
    for item in context.catalog.of("task") {
        let is_of_site = item.tree.str_at("target") == Some(Aim::Site.word());
        let (spec, whose) = if is_of_site { (&of_site, "the site") } else { (&of_nodes, "a node") };
        for (text, place) in declared(item) {
            let path = Path::parse(&text);
            if spec.knows(&path) {
                continue;
            }
            let help = match spec.suggestion(&path) {
                Some(near) => format!("did you mean `{near}`?"),
                None if is_of_site => "write a path such as `payloads`, `secrets` or `dns`".to_string(),
                None => "write a path such as `hardware.bios`, `image` or `kernel-params`".to_string(),
            };
            let message = format!("`{text}` is not a path of {whose}'s spec");
            let place = item.place_of(&place);
            findings.push(Finding::new(DECLARED_PATH, item.subject(), message).at(place).help(help));
        }
    }
}

/// Every declared path with the key of its place.
fn declared(item: &Item) -> Vec<(String, String)> {
    let list = |key: &str, value: Option<&crate::model::value::Value>| -> Vec<(String, String)> {
        let items = value.and_then(|value| value.as_list()).unwrap_or_default();
        let texts = items.iter().enumerate().filter_map(|(index, item)| Some((index, item.as_str()?)));
        texts.map(|(index, text)| (text.to_string(), format!("{key}.{index}"))).collect()
    };
    let mut declared = list("seeds", item.tree.get("seeds"));
    declared.extend(list("uses", item.tree.get("uses")));
    let realizes = item.tree.get("realizes").and_then(|value| value.as_list()).unwrap_or_default();
    for (index, entry) in realizes.iter().enumerate() {
        declared.extend(list(&format!("realizes.{index}.paths"), entry.get("paths")));
    }
    declared
}
