//! Everything below a node's own words, made once for all nodes that name the same things.
//!
//! Owns what chooses a base (region, rack, hardware, image, profile) and the order of its layers. Ten thousand
//! nodes of one rack and profile share one base, and with it most of their specs.

use super::{lineage, own_layer};
use crate::design::catalog::Catalog;
use crate::design::merge::over;
use crate::design::read::Item;
use crate::design::refer;
use crate::model::site::Layer;
use crate::model::value::Value;
use std::collections::HashMap;
use std::sync::Arc;

pub use crate::design::spec::Defaults;

/// Names that a node's own layers give, before anything is resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Names {
    region: Option<Arc<str>>,
    rack: Option<Arc<str>>,
    profile: Option<Arc<str>>,
    hardware: Option<Arc<str>>,
    image: Option<Arc<str>>,
}

/// One of them, resolved.
pub struct Base {
    pub spec: Value,
    pub layers: Arc<[Layer]>,
    pub doubtful: bool,
}

pub struct Bases<'a> {
    catalog: &'a Catalog,
    pub defaults: Defaults,
    defaults_layer: Layer,
    layers: HashMap<(&'static str, Arc<str>), Layer>,
    made: HashMap<Names, Arc<Base>>,
}

impl<'a> Bases<'a> {
    pub fn new(catalog: &'a Catalog) -> Bases<'a> {
        let defaults = Defaults::new();
        let defaults_layer = Layer {
            label: "built-in defaults".into(),
            written: false,
            tree: defaults.full.clone(),
            place: None,
            places: Arc::default(),
        };
        Bases { catalog, defaults, defaults_layer, layers: HashMap::new(), made: HashMap::new() }
    }

    /// The base of a node with these layers of its own.
    pub fn of(&mut self, own: &[Layer]) -> Arc<Base> {
        let names = self.names(own);
        if let Some(base) = self.made.get(&names) {
            return base.clone();
        }
        let base = Arc::new(self.build(&names));
        self.made.insert(names, base.clone());
        base
    }

    /// What the node's own layers name; of a profile also the site's default. The nearest wins.
    fn names(&self, own: &[Layer]) -> Names {
        let named = |path: &str| own.iter().rev().find_map(|layer| layer.tree.str_at(path)).map(Arc::from);
        let of_site = || self.catalog.of("site").next()?.tree.str_at("profile").map(Arc::from);
        Names {
            region: named("region"),
            // A rack that nobody declares has nothing to say.
            rack: named("rack").filter(|_| self.catalog.has("rack")),
            profile: named("profile").or_else(of_site),
            hardware: named("hardware.name"),
            image: named("image.name"),
        }
    }

    fn build(&mut self, names: &Names) -> Base {
        let catalog = self.catalog;
        let profiles = names.profile.as_deref().map(|name| lineage::of(catalog, name)).unwrap_or_default();
        let inherited =
            |path: &str| profiles.iter().rev().find_map(|item| item.tree.str_at(path)).map(Arc::from);
        let hardware = names.hardware.clone().or_else(|| inherited("hardware.name"));
        let image = names.image.clone().or_else(|| inherited("image.name"));
        let site = catalog.of("site").next();
        let rack = names.rack.as_deref().and_then(|name| catalog.get("rack", name));
        let region = names
            .region
            .clone()
            .or_else(|| rack?.tree.str_at("region").map(Arc::from))
            .or_else(|| site?.tree.str_at("region").map(Arc::from));
        let find = |kind, name: &Option<Arc<str>>| name.as_deref().and_then(|name| catalog.get(kind, name));
        let mut items: Vec<&Item> = site.into_iter().collect();
        items.extend(find("region", &region));
        items.extend(rack);
        items.extend(find("hardware", &hardware));
        items.extend(find("image", &image));
        items.extend(profiles.iter().copied());
        let named = [
            ("region", &region),
            ("rack", &names.rack),
            ("profile", &names.profile),
            ("hardware", &hardware),
            ("image", &image),
        ];
        let missing =
            named.iter().any(|(kind, name)| name.as_deref().is_some_and(|name| !catalog.knows(kind, name)));
        let doubtful = missing || lineage::is_broken(catalog, &profiles) || items.iter().any(|it| it.faulty);
        let (spec, layers) = self.stack(&items);
        Base { spec, layers: layers.into(), doubtful }
    }

    fn stack(&mut self, items: &[&Item]) -> (Value, Vec<Layer>) {
        let mut spec = self.defaults.bare.clone();
        let mut layers = vec![self.defaults_layer.clone()];
        for item in items {
            let layer = self.layer(item);
            over(&mut spec, &layer.tree);
            layers.push(layer);
        }
        // Everything but a BMC usually comes from here, so that what is completed is shared.
        self.defaults.complete(&mut spec);
        refer::resolve(&mut spec);
        (spec, layers)
    }

    /// The layer of a shared item, made once.
    fn layer(&mut self, item: &Item) -> Layer {
        self.layers.entry((item.kind, item.name.clone())).or_insert_with(|| own_layer(item)).clone()
    }
}
