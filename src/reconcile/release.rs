//! Taking one node out of care: with the spec that it last ran with, since the design may no longer
//! name it.

use crate::model::observed::{Observed, Seen};
use crate::model::plan::Plan;
use crate::model::record::Record;
use crate::model::site::{Layers, Node, Site};
use crate::model::value::Value;
use crate::plan;
use std::sync::Arc;

/// What becomes of what is on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// It stays.
    Data,
    /// It is wiped.
    Nothing,
}

impl Leaving {
    /// The blueprint that takes a node out of care.
    fn blueprint(self) -> &'static str {
        match self {
            Leaving::Data => "std/release",
            Leaving::Nothing => "std/destroy",
        }
    }
}

/// The site with `name` in it: as designed, or else as it last ran.
pub fn with_node(
    site: &Site,
    name: &str,
    leaving: Leaving,
    last_spec: Option<Value>,
) -> Result<Site, String> {
    let mut site = site.clone();
    if site.node(name).is_none() {
        let spec = last_spec.ok_or_else(|| {
            format!("there is no node `{name}`: the design does not name it and it has no record")
        })?;
        let boot_mac = spec.str_at("boot-mac").and_then(|text| text.parse().ok());
        site.nodes.push(Node {
            name: name.into(),
            was: None,
            spec,
            lifecycle: leaving.blueprint().into(),
            boot_mac,
            layers: Layers::default(),
            place: crate::finding::Place::whole("record"),
        });
        site.nodes.sort_by(|a, b| a.name.cmp(&b.name));
    }
    for node in site.nodes.iter_mut().filter(|node| *node.name == *name) {
        node.lifecycle = Arc::from(leaving.blueprint());
    }
    Ok(site)
}

/// Plans the release of a recorded node.
pub fn plan(site: &Site, name: &str, record: &Record, observed: &Observed) -> Result<Plan, String> {
    if !record.nodes.contains_key(name) {
        return Err(format!("node `{name}` has no record; there is nothing to release"));
    }
    if let Some(Seen::Unknown { why, .. }) = observed.nodes.get(name).map(|seen| &seen.machine) {
        return Err(format!("node `{name}` cannot be released, its machine cannot be seen: {why}"));
    }
    plan::release::plan(site, name, record, observed)
}
