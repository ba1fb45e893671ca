//! Items to nodes: every node's complete spec with its layers.
//!
//! Owns the order of resolution, from weakest to strongest: built-in defaults, site, [region, rack,] hardware,
//! image, profiles (parent before child), `nodes` block, [inventory row,] node. The bracketed ones have their
//! place in `Base::build` and `Resolver::node` and come with their kinds. Judges nothing: names that lead
//! nowhere are skipped and reported by the rules.

mod expand;
mod lineage;

use super::catalog::Catalog;
use super::merge::over;
use super::read::{Item, Reference};
use super::spec::{Defaults, contribution};
use crate::finding::{Finding, Place};
use crate::model::path::Path;
use crate::model::site::{Layer, Node};
use crate::model::value::Value;
use crate::units::Mac;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A node with what the rules must know of its making.
pub struct Resolved {
    pub node: Node,
    /// Something that it is made from was faulty or missing, so what it lacks may only seem lacking.
    pub doubtful: bool,
}

/// Names that a node's own item gives, before anything is resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Bases {
    profile: Option<Arc<str>>,
    hardware: Option<Arc<str>>,
    image: Option<Arc<str>>,
}

/// Everything below a node's own words; shared by all nodes with the same bases.
struct Base {
    spec: Value,
    layers: Vec<Layer>,
    doubtful: bool,
}

pub struct Resolver<'a> {
    catalog: &'a Catalog,
    defaults: Defaults,
    defaults_layer: Layer,
    layers: HashMap<(&'static str, Arc<str>), Layer>,
    bases: HashMap<Bases, Arc<Base>>,
    pub findings: Vec<Finding>,
    /// References that appeared only when patterns were expanded.
    pub references: Vec<(String, Reference)>,
}

/// All nodes of the design in order of name, with what was wrong in patterns.
pub fn nodes<'a>(resolver: &mut Resolver<'a>) -> Vec<Resolved> {
    let catalog = resolver.catalog;
    let mut resolved: Vec<Resolved> = catalog.of("node").map(|item| resolver.node(item)).collect();
    for item in catalog.of("nodes") {
        expand::block(resolver, item, &mut resolved);
    }
    resolved.sort_by(|a, b| a.node.name.cmp(&b.node.name));
    resolved
}

impl<'a> Resolver<'a> {
    pub fn new(catalog: &'a Catalog) -> Resolver<'a> {
        let defaults = Defaults::new();
        let defaults_layer = Layer {
            label: "built-in defaults".into(),
            written: false,
            tree: defaults.full.clone(),
            places: Arc::default(),
        };
        Resolver {
            catalog,
            defaults,
            defaults_layer,
            layers: HashMap::new(),
            bases: HashMap::new(),
            findings: Vec::new(),
            references: Vec::new(),
        }
    }

    fn node(&mut self, item: &Item) -> Resolved {
        let layer = own_layer(item);
        self.compose(item.name.clone(), &[layer], item.place.clone(), item.faulty, was(&item.tree))
    }

    /// A node from its bases and its own layers, weakest first.
    fn compose(
        &mut self,
        name: Arc<str>,
        own: &[Layer],
        place: Place,
        faulty: bool,
        was: Option<Arc<str>>,
    ) -> Resolved {
        let base = self.base(self.bases_of(own));
        let mut spec = base.spec.clone();
        let mut layers = Vec::with_capacity(base.layers.len() + own.len());
        layers.extend(base.layers.iter().cloned());
        for layer in own {
            over(&mut spec, &layer.tree);
            layers.push(layer.clone());
        }
        self.defaults.complete(&mut spec);
        let node = Node {
            name,
            was,
            lifecycle: spec.str_at("lifecycle").unwrap_or_default().into(),
            boot_mac: spec.str_at("boot-mac").and_then(|text| text.parse::<Mac>().ok()),
            spec,
            layers,
            place,
        };
        Resolved { node, doubtful: faulty || base.doubtful }
    }

    /// Which profile, hardware and image the node's own layers and its profiles name; the nearest wins.
    fn bases_of(&self, own: &[Layer]) -> Bases {
        let named = |path: &str| own.iter().rev().find_map(|layer| layer.tree.str_at(path)).map(Arc::from);
        let site = self.catalog.of("site").next().and_then(|site| site.tree.str_at("profile")).map(Arc::from);
        let profile = named("profile").or(site);
        Bases { hardware: named("hardware.name"), image: named("image.name"), profile }
    }

    fn base(&mut self, bases: Bases) -> Arc<Base> {
        if let Some(base) = self.bases.get(&bases) {
            return base.clone();
        }
        let base = Arc::new(self.build_base(&bases));
        self.bases.insert(bases, base.clone());
        base
    }

    fn build_base(&mut self, bases: &Bases) -> Base {
        let catalog = self.catalog;
        let profiles = bases.profile.as_deref().map(|name| lineage::of(catalog, name)).unwrap_or_default();
        let inherited =
            |path: &str| profiles.iter().rev().find_map(|item| item.tree.str_at(path)).map(Arc::from);
        let hardware = bases.hardware.clone().or_else(|| inherited("hardware.name"));
        let image = bases.image.clone().or_else(|| inherited("image.name"));
        let mut items: Vec<&Item> = catalog.of("site").take(1).collect();
        items.extend(hardware.as_deref().and_then(|name| catalog.get("hardware", name)));
        items.extend(image.as_deref().and_then(|name| catalog.get("image", name)));
        items.extend(profiles.iter().copied());
        let mut spec = self.defaults.bare.clone();
        let mut layers = vec![self.defaults_layer.clone()];
        for item in &items {
            let layer = self.layer(item);
            over(&mut spec, &layer.tree);
            layers.push(layer);
        }
        // Everything but a BMC usually comes from here, so that what is completed is shared.
        self.defaults.complete(&mut spec);
        let missing = [("profile", &bases.profile), ("hardware", &hardware), ("image", &image)]
            .iter()
            .any(|(kind, name)| name.as_deref().is_some_and(|name| catalog.get(kind, name).is_none()));
        Base {
            spec,
            layers,
            doubtful: missing || lineage::is_broken(catalog, &profiles) || any_faulty(&items),
        }
    }

    /// The layer of a shared item, made once.
    fn layer(&mut self, item: &Item) -> Layer {
        self.layers.entry((item.kind, item.name.clone())).or_insert_with(|| own_layer(item)).clone()
    }
}

fn any_faulty(items: &[&Item]) -> bool {
    items.iter().any(|item| item.faulty)
}

fn own_layer(item: &Item) -> Layer {
    Layer {
        label: item.subject().into(),
        written: true,
        tree: contribution(&item.tree),
        places: item.places.clone(),
    }
}

fn was(tree: &Value) -> Option<Arc<str>> {
    tree.str_at("was").map(Arc::from)
}

/// Where a leaf of a node was written: the nearest layer that has it, or the node itself.
pub fn place_in(node: &Node, dotted: &str) -> Place {
    let path = Path::parse(dotted);
    let written = |places: &BTreeMap<Path, Place>| places.get(&path).cloned();
    let found = node.layers.iter().rev().find_map(|layer| written(&layer.places));
    found.unwrap_or_else(|| node.place.clone())
}
