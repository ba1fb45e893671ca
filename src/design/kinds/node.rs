//! `node`: one machine.
//!
//! Describes only. `OWN` is what a node has and a profile has not; `nodes` blocks share it.

use super::host;
use crate::design::schema::{Shape, Type, slot};

pub const NODE: Shape = Shape::keyed("node", "")
    .arguments(&[slot("name", Type::Text).required()])
    .properties(&[slot("profile", Type::Reference("profile")), slot("was", Type::Text)])
    .children(&[host::EVERYWHERE, host::MARKS, host::HOST, OWN]);

pub const OWN: &[Shape] = &[
    Shape::once("rack")
        .arguments(&[slot("rack", Type::Text).required()])
        // The tallest racks on the market have 60 units.
        .properties(&[slot("unit", Type::Int { least: 1, most: 100 })]),
    Shape::once("boot-mac").arguments(&[slot("boot-mac", Type::Mac).required()]),
    Shape::keyed("address", "addresses").arguments(&[
        slot("network", Type::Reference("network")).required(),
        slot("address", Type::Address).at("").required(),
    ]),
];
