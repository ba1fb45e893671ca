//! `node`: one machine.
//!
//! Describes only. `OWN` is what a node has and a profile has not; `nodes` blocks and inventories share it.

use super::host;
use super::interfaces::CABLE;
use super::rack::MOST_UNITS;
use crate::design::schema::{Shape, Type, slot};

pub const NODE: Shape = Shape::keyed("node", "")
    .arguments(&[slot("name", Type::Text).required()])
    .properties(&[slot("profile", Type::Reference("profile")), slot("was", Type::Text)])
    .children(&[host::EVERYWHERE, host::MARKS, host::HOST, OWN]);

pub const OWN: &[Shape] = &[
    Shape::once("rack")
        .arguments(&[slot("rack", Type::Reference("rack")).required()])
        .properties(&[slot("unit", Type::Int { least: 1, most: MOST_UNITS }), slot("slot", Type::Text)]),
    Shape::once("region").arguments(&[slot("region", Type::Reference("region")).required()]),
    Shape::once("boot-mac").arguments(&[slot("boot-mac", Type::BootMac).required()]),
    Shape::keyed("address", "addresses").arguments(&[
        slot("network", Type::Reference("network")).required(),
        slot("address", Type::NodeAddress).at("").required(),
    ]),
    CABLE,
];
