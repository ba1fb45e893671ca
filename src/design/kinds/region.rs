//! `region`: racks that share keys, package repositories and tag rules. A layer of every node in it.
//!
//! Describes only. A node's region is what it says itself, then its rack's, then the site's default.

use super::host;
use crate::design::schema::{Shape, Type, slot};

pub const REGION: Shape = Shape::keyed("region", "")
    .arguments(&[slot("name", Type::Text).at("region").required()])
    .children(&[host::EVERYWHERE, host::MARKS, OWN]);

const OWN: &[Shape] = &[
    Shape::once("doc").arguments(&[slot("doc", Type::Prose).required()]),
    // How a machine's own inventory earns a tag: an expression over what it reports.
    Shape::keyed("tag-rule", "tag-rules").arguments(&[slot("tag", Type::Text).required()]).properties(&[
        slot("kind", Type::OneOf(&["lshw-xpath", "selector"])).required(),
        slot("definition", Type::Prose).required(),
    ]),
];
