//! `rack`: where nodes stand, how tall it is, and its switches. A layer of every node in it.
//!
//! Describes only. Location is data: sites write what their own records call a place.

use super::host;
use super::interfaces::CABLE;
use crate::design::schema::{Shape, Type, slot};

pub const RACK: Shape = Shape::keyed("rack", "")
    .arguments(&[slot("name", Type::Text).at("rack").required()])
    .children(&[host::EVERYWHERE, host::MARKS, OWN]);

/// The tallest racks on the market have 60 units.
pub const MOST_UNITS: i64 = 100;

const OWN: &[Shape] = &[
    Shape::once("doc").arguments(&[slot("doc", Type::Prose).required()]),
    Shape::once("region").arguments(&[slot("region", Type::Reference("region")).required()]),
    Shape::once("location").under("location").data(Type::Attribute),
    Shape::once("units").arguments(&[slot("units", Type::Int { least: 1, most: MOST_UNITS }).required()]),
    Shape::many("switch")
        .arguments(&[slot("switch", Type::Reference("switch")).at("switches").rest().required()]),
    Shape::many("local-network")
        .arguments(&[slot("network", Type::Reference("network")).at("local-networks").rest().required()]),
    CABLE,
];
