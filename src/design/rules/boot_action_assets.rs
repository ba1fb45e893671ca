//! Each file and unit of a boot-action has its content in one place, and the content can be had.
//!
//! Why: a machine that asks for a file that is not there boots into a system that is half set up. Example:
//! `file "/etc/motd" source="templates/motd" { content "…" }`. Fix: keep one of the two; base64 is written in the
//! alphabet of RFC 4648, 4, and is UTF-8 text when it is a template.

use super::Context;
use crate::design::read::Item;
use crate::finding::{ASSET, Finding, did_you_mean};
use crate::model::path::Path;
use crate::model::value::Value;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Where files lie that are handed out as they are.
const PAYLOADS: &str = "files/";

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for item in context.catalog.of("boot-action").filter(|item| !item.faulty) {
        for holder in ["files", "units"] {
            for (name, asset) in item.tree.get(holder).and_then(Value::as_map).into_iter().flatten() {
                let path = Path(vec![holder.into(), name.clone()]);
                let problem = match (asset.str_at("source"), asset.str_at("content")) {
                    (Some(source), None) => missing(context, source).map(|it| ("source", it)),
                    (None, Some(content)) => undecodable(asset, content).map(|it| ("content", it)),
                    (Some(_), Some(_)) => {
                        let both = "has a source= and content of its own".to_string();
                        Some(("source", (both, "keep one of the two".to_string())))
                    }
                    (None, None) => {
                        let none = "has no content".to_string();
                        let help =
                            "write source=\"templates/…\" or source=\"files/…\", or content in its braces";
                        Some(("", (none, help.to_string())))
                    }
                };
                if let Some((key, (problem, help))) = problem {
                    findings.push(finding(item, &path, key, format!("`{name}` {problem}"), help));
                }
            }
        }
    }
}

fn finding(item: &Item, path: &Path, key: &str, message: String, help: String) -> Finding {
    let place = item.places.get(&path.join(key)).or_else(|| item.places.get(path)).unwrap_or(&item.place);
    Finding::new(ASSET, item.subject(), message).at(place.clone()).help(help)
}

/// Why a file of the design cannot be had, and the way out.
fn missing(context: &Context<'_>, source: &str) -> Option<(String, String)> {
    let catalog = context.catalog;
    let payloads = catalog.payloads.iter().flatten().map(|name| &**name);
    let near = match source.starts_with(PAYLOADS) {
        true if catalog.payloads.as_ref()?.contains(source) => return None,
        true => did_you_mean(source, payloads),
        false if catalog.files.contains(source) => return None,
        false => did_you_mean(source, catalog.files.iter().map(|name| &**name).chain(payloads)),
    };
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "put the file into `templates/` or `files/`, or correct the path".to_string(),
    };
    Some((format!("needs `{source}`, which is not there"), help))
}

/// Why content is not what its encoding says, and the way out.
fn undecodable(asset: &Value, content: &str) -> Option<(String, String)> {
    if asset.str_at("encoding") != Some("base64") {
        return None;
    }
    // Long texts are broken into lines.
    let letters: Vec<u8> = content.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let Ok(bytes) = STANDARD.decode(letters) else {
        let help = "write what `base64` prints, or remove encoding=\"base64\"";
        return Some(("is not base64".to_string(), help.to_string()));
    };
    let is_template = asset.get("template").and_then(Value::as_bool) == Some(true);
    (is_template && std::str::from_utf8(&bytes).is_err()).then(|| {
        let help = "encode UTF-8 text, or remove template=#true".to_string();
        ("is a template, and its content is not UTF-8 text".to_string(), help)
    })
}
