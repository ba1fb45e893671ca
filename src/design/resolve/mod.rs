//! Items to nodes: every node's complete spec with its layers.
//!
//! Owns the order of resolution, from weakest to strongest: built-in defaults, site, region, rack, hardware,
//! image, profiles (parent before child), `nodes` block, inventory row, node. Everything below a node's own
//! words is a base, which nodes share. Judges nothing: names that lead nowhere are skipped and reported by the
//! rules.

mod base;
mod expand;
mod inventory;
pub mod lineage;

use super::catalog::Catalog;
use super::merge::over;
use super::read::{Item, Reference};
use super::refer;
use super::spec::contribution;
use crate::finding::{Finding, LIMIT, Place};
use crate::model::path::Path;
use crate::model::site::{Layer, Layers, Node};
use crate::units::Mac;
use base::Bases;
use std::sync::Arc;

/// The most nodes of all blocks, tables and nodes together: what each says counts, even of one node.
const MOST_PARTS: usize = 400_000;
/// The most bytes of text that patterns and forms of columns may come to. Each is short; a long one for a hundred
/// thousand nodes would fill the memory.
const MOST_EXPANDED_BYTES: usize = 512 << 20;

/// A node with what the rules must know of its making.
pub struct Resolved {
    pub node: Node,
    /// Something that it is made from was faulty or missing, so what it lacks may only seem lacking.
    pub doubtful: bool,
}

impl AsMut<Node> for Resolved {
    fn as_mut(&mut self) -> &mut Node {
        &mut self.node
    }
}

/// Where a node's own words come from; the later is nearer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Block,
    Row,
    Node,
}

/// What one block, row or item says of one node, or all of them together.
struct Part {
    name: Arc<str>,
    rank: Rank,
    /// Weakest first.
    layers: Vec<Layer>,
    place: Place,
    faulty: bool,
    was: Option<Arc<str>>,
}

pub struct Resolver<'a> {
    catalog: &'a Catalog,
    bases: Bases<'a>,
    parts: Vec<Part>,
    expanded_bytes: usize,
    /// A limit was reached, which is said once.
    full: bool,
    pub findings: Vec<Finding>,
    /// Texts that may be secrets in clear: never to be shown.
    pub hidden: Vec<Place>,
    /// References of expanded patterns and of rows that lead nowhere.
    pub references: Vec<(String, Reference)>,
}

/// All nodes of the design in order of name, with what was wrong in patterns and tables.
pub fn nodes(resolver: &mut Resolver<'_>) -> Vec<Resolved> {
    let catalog = resolver.catalog;
    for item in catalog.of("nodes") {
        expand::block(resolver, item);
    }
    for item in catalog.of("inventory") {
        inventory::rows(resolver, item);
    }
    for item in catalog.of("node") {
        resolver.parts.push(node_part(item));
    }
    let mut parts = std::mem::take(&mut resolver.parts);
    parts.sort_by(|a, b| (&a.name, a.rank).cmp(&(&b.name, b.rank)));
    let mut resolved = Vec::with_capacity(parts.len());
    let mut parts = parts.into_iter().peekable();
    while let Some(mut node) = parts.next() {
        while let Some(next) = parts.next_if(|next| next.name == node.name) {
            match next.rank == node.rank {
                // Twice in one rank is a mistake, which a rule reports of two nodes.
                true => resolved.push(resolver.compose(next)),
                false => node.add(next),
            }
        }
        resolved.push(resolver.compose(node));
    }
    resolved.sort_by(|a, b| a.node.name.cmp(&b.node.name));
    refer_to_nodes(&mut resolved);
    resolved
}

/// Values that name nodes get the names, now that all are known.
fn refer_to_nodes(resolved: &mut [Resolved]) {
    let refers = |it: &Resolved| refer::is_in(&it.node.spec);
    let referring: Vec<usize> = (0..resolved.len()).filter(|index| refers(&resolved[*index])).collect();
    if referring.is_empty() {
        return;
    }
    let names: Vec<Arc<str>> = resolved.iter().map(|it| it.node.name.clone()).collect();
    let is_node = |name: &str| names.binary_search_by(|known| (**known).cmp(name)).is_ok();
    for index in referring {
        refer::resolve_nodes(&mut resolved[index].node.spec, is_node);
    }
}

impl Part {
    /// What a nearer part says of the same node goes over this one.
    fn add(&mut self, nearer: Part) {
        self.rank = nearer.rank;
        self.layers.extend(nearer.layers);
        self.place = nearer.place;
        self.faulty |= nearer.faulty;
        self.was = nearer.was.or(self.was.take());
    }
}

impl<'a> Resolver<'a> {
    pub fn new(catalog: &'a Catalog) -> Resolver<'a> {
        Resolver {
            catalog,
            bases: Bases::new(catalog),
            parts: Vec::new(),
            expanded_bytes: 0,
            full: false,
            findings: Vec::new(),
            hidden: Vec::new(),
            references: Vec::new(),
        }
    }

    fn compose(&mut self, part: Part) -> Resolved {
        let Part { name, layers: own, place, faulty, was, .. } = part;
        let base = self.bases.of(&own);
        let mut spec = base.spec.clone();
        let mut refers = false;
        for layer in &own {
            over(&mut spec, &layer.tree);
            refers |= refer::is_in(&layer.tree);
        }
        self.bases.defaults.complete(&mut spec);
        if refers {
            refer::resolve(&mut spec);
        }
        let node = Node {
            name,
            was,
            lifecycle: spec.str_at("lifecycle").unwrap_or_default().into(),
            boot_mac: spec.str_at("boot-mac").and_then(|text| text.parse::<Mac>().ok()),
            spec,
            layers: Layers { shared: base.layers.clone(), own },
            place,
        };
        Resolved { node, doubtful: faulty || base.doubtful }
    }

    /// Whether there may be one more part; says so once when there may not.
    fn may_add(&mut self, item: &Item) -> bool {
        if self.parts.len() >= MOST_PARTS {
            self.limit(item, format!("the design has more than {MOST_PARTS} nodes"));
        }
        !self.full
    }

    /// Whether a pattern may become so many bytes; says so once when it may not.
    fn may_expand(&mut self, item: &Item, bytes: usize) -> bool {
        self.expanded_bytes = self.expanded_bytes.saturating_add(bytes);
        if self.expanded_bytes > MOST_EXPANDED_BYTES {
            self.limit(item, format!("patterns come to more than {MOST_EXPANDED_BYTES} bytes of text"));
        }
        !self.full
    }

    fn limit(&mut self, item: &Item, message: String) {
        if !std::mem::replace(&mut self.full, true) {
            let finding = Finding::new(LIMIT, item.subject(), message).at(item.place.clone());
            self.findings.push(finding.help("split the design into several sites"));
        }
    }

    /// Keeps a reference that leads nowhere; the others are of no interest to anybody.
    fn refer(&mut self, subject: impl FnOnce() -> String, reference: Reference) {
        if !self.catalog.knows(reference.kind, &reference.name) {
            self.references.push((subject(), reference));
        }
    }
}

fn node_part(item: &Item) -> Part {
    Part {
        name: item.name.clone(),
        rank: Rank::Node,
        layers: vec![own_layer(item)],
        place: item.place.clone(),
        faulty: item.faulty,
        was: item.tree.str_at("was").map(Arc::from),
    }
}

fn own_layer(item: &Item) -> Layer {
    Layer {
        label: item.subject().into(),
        written: true,
        tree: contribution(&item.tree),
        place: Some(item.place.clone()),
        places: item.places.clone(),
    }
}

/// Where a leaf of a node was written: the nearest layer that has it, or the node itself.
pub fn place_in(node: &Node, dotted: &str) -> Place {
    place_at(node, &Path::parse(dotted))
}

/// The same for a path whose keys may hold dots.
pub fn place_at(node: &Node, path: &Path) -> Place {
    let found = node.layers.iter().rev().find_map(|layer| match layer.places.get(path) {
        Some(place) => Some(place),
        None => layer.place.as_ref().filter(|_| layer.tree.at(path).is_some()),
    });
    found.unwrap_or(&node.place).clone()
}

/// Where a text of a list was written. Lists of several layers are merged, so its index is that of its layer.
pub fn place_in_list(node: &Node, list: &Path, text: &str) -> Option<Place> {
    node.layers.iter().rev().find_map(|layer| {
        let items = layer.tree.at(list).and_then(|value| value.as_list()).unwrap_or_default();
        let index = items.iter().position(|item| item.as_str() == Some(text))?;
        layer.places.get(&list.join(&index.to_string())).cloned()
    })
}
