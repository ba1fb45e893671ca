//! What is done for the site as a whole, before any node: its blueprint, each time that nodes are worked on.
//!
//! Owns what tasks about the site are given. A step of the site is not compared with a record: that a service could be
//! reached last week says nothing of today.

use super::graph;
use crate::model::hazard::{Hazard, Phase};
use crate::model::path::Path;
use crate::model::plan::{Action, NodeBasis, PlannedNode, PlannedStep, Reason};
use crate::model::record::{Outcome, Record};
use crate::model::site::{Layer, Layers, Node, Site, target_name};
use crate::model::value::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The payloads of an image, by where they stand in a node's spec.
const PAYLOADS: &[(&str, &str)] =
    &[("kernel", "image.kernel"), ("initrd", "image.initrd"), ("image", "image")];

/// Plans the work of the site up to `until`; `None` when it has none. The error says why no node may be worked on.
pub fn plan(site: &Site, record: &Record, until: Option<Phase>) -> Result<Option<PlannedNode>, String> {
    let Some(blueprint) = site.lifecycle.as_ref().and_then(|name| site.blueprints.get(name)) else {
        return Ok(None);
    };
    if let Some(why) = in_doubt(record) {
        return Err(why);
    }
    let until = until.unwrap_or(Phase::PrepareSite);
    let steps = blueprint.steps.iter().filter(|step| step.phase <= until);
    let mut steps: Vec<PlannedStep> = steps
        .map(|step| PlannedStep {
            step: step.name.clone(),
            task: step.task.clone(),
            phase: step.phase,
            action: Action::Run,
            hazard: Hazard::None,
            reason: Reason::BeforeNodes,
            changes: Vec::new(),
            waiting: Vec::new(),
            after: None,
        })
        .collect();
    if steps.is_empty() {
        return Ok(None);
    }
    graph::note_order(blueprint, &mut steps);
    Ok(Some(PlannedNode {
        name: target_name(&site.name).into(),
        action: Action::Run,
        hazard: Hazard::None,
        lifecycle: blueprint.name.clone(),
        basis: NodeBasis { record: record.site.serial, power: None, observed: BTreeMap::new() },
        steps,
    }))
}

/// The question that a person must answer before anything is done for the site again.
pub fn in_doubt(record: &Record) -> Option<String> {
    record.site.steps.iter().find_map(|(name, step)| match &step.outcome {
        Outcome::InDoubt(question) => Some(format!("step `{name}` of the site is in doubt: {question}")),
        _ => None,
    })
}

/// The site as a target of tasks.
pub fn target(site: &Site) -> Node {
    let of_settings = |key: &str, other: Value| site.settings.get(key).cloned().unwrap_or(other);
    let revision = &site.revision;
    let spec = Value::map([
        ("name", Value::from(site.name.to_string())),
        ("domain", of_settings("domain", Value::Null)),
        ("dns", of_settings("dns", Value::list(Vec::new()))),
        ("ntp", of_settings("ntp", Value::list(Vec::new()))),
        ("rehearsal", Value::Bool(site.on_rack)),
        (
            "revision",
            Value::map([
                ("source", Value::from(revision.source.clone())),
                ("revision", Value::from(revision.revision.clone())),
                ("digest", Value::from(revision.digest.clone())),
            ]),
        ),
        ("payloads", payloads(site)),
        ("repositories", repositories(site)),
        ("secrets", secrets(site)),
    ]);
    let name: Arc<str> = target_name(&site.name).into();
    let layer = Layer {
        label: format!("site \"{}\"", site.name).into(),
        written: true,
        tree: spec.clone(),
        place: None,
        places: Arc::default(),
    };
    let place = site.blueprints.get(site.lifecycle.as_deref().unwrap_or_default());
    Node {
        name,
        was: None,
        spec,
        lifecycle: site.lifecycle.clone().unwrap_or_default(),
        boot_mac: None,
        layers: Layers { own: vec![layer], ..Layers::default() },
        place: place.map_or_else(|| crate::finding::Place::whole(""), |blueprint| blueprint.place.clone()),
    }
}

/// `[{of, url, checksum}]`: every kernel, initrd and image that some node is installed from, once.
fn payloads(site: &Site) -> Value {
    let mut found: BTreeMap<(String, Option<String>), String> = BTreeMap::new();
    for node in &site.nodes {
        let Some(image) = node.spec.str_at("image.name") else { continue };
        for (part, path) in PAYLOADS {
            let text = |key: &str| node.spec.str_at(&format!("{path}.{key}")).map(str::to_string);
            let Some(url) = text("url") else { continue };
            found.entry((url, text("checksum"))).or_insert_with(|| format!("{part} of image `{image}`"));
        }
    }
    let rows = found.into_iter().map(|((url, checksum), of)| {
        let checksum = checksum.map_or(Value::Null, Value::from);
        Value::map([("of", Value::from(of)), ("url", Value::from(url)), ("checksum", checksum)])
    });
    Value::list(rows.collect())
}

/// `[{name, url}]`: every package repository that some node uses.
fn repositories(site: &Site) -> Value {
    let used: BTreeSet<&str> = site
        .nodes
        .iter()
        .filter_map(|node| node.spec.get("repositories")?.as_list())
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let declared = site.things.get("repository");
    let rows = used.into_iter().filter_map(|name| {
        let url = declared?.get(name)?.tree.str_at("url")?;
        Some(Value::map([("name", Value::from(name.to_string())), ("url", Value::from(url.to_string()))]))
    });
    Value::list(rows.collect())
}

/// `[{of, secret}]`: every secret that the specs of nodes refer to, once, and where the first of them stands.
fn secrets(site: &Site) -> Value {
    struct Found<'a> {
        path: Path,
        first: &'a Arc<str>,
        nodes: usize,
    }
    let mut found: BTreeMap<&Arc<str>, Found> = BTreeMap::new();
    for node in &site.nodes {
        for (path, leaf) in node.spec.leaves() {
            let Value::Secret(reference) = leaf else { continue };
            let known = found.entry(reference).or_insert_with(|| Found { path, first: &node.name, nodes: 0 });
            known.nodes += 1;
        }
    }
    let rows = found.into_iter().map(|(reference, Found { path, first, nodes })| {
        let of = match nodes {
            1 => format!("{path} of {first}"),
            more => format!("{path} of {first} and {} more", more - 1),
        };
        Value::map([("of", Value::from(of)), ("secret", Value::Secret(reference.clone()))])
    });
    Value::list(rows.collect())
}
