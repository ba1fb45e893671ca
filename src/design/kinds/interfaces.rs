//! What profiles, racks and nodes say about network interfaces, addresses and cables.
//!
//! Describes only; whether links carry what interfaces want is asked by the rules about networks.

use crate::design::schema::{Shape, Type, slot};

pub const INTERFACES: &[Shape] = &[
    Shape::keyed("interface", "interfaces")
        .arguments(&[slot("interface", Type::Text).required()])
        .properties(&[slot("link", Type::Reference("link"))])
        .children(&[&[
            // Aliases of the hardware, or the names that the kernel gives.
            Shape::many("members").arguments(&[slot("member", Type::Text).at("members").rest().required()]),
            Shape::many("network")
                .arguments(&[slot("network", Type::Reference("network")).at("networks").rest().required()]),
            Shape::once("sriov").under("sriov").properties(&[
                slot("vf-count", Type::Int { least: 1, most: 1024 }).required(),
                slot("trusted", Type::Bool),
            ]),
            Shape::once("leave-alone").arguments(&[slot("leave-alone", Type::Bool).required()]),
            Shape::keyed("label", "labels").arguments(&[
                slot("name", Type::Text).required(),
                slot("value", Type::Text).at("").required(),
            ]),
        ]]),
    Shape::once("primary-network")
        .arguments(&[slot("network", Type::Reference("network")).at("primary-network").required()]),
];

/// The port of a switch that an interface is plugged into. Scripts have a word `switch` of their own. A rack may name the switch, and each of its nodes the port.
pub const CABLE: Shape = Shape::keyed("cable", "cables")
    .arguments(&[slot("interface", Type::Text).required()])
    .properties(&[slot("switch", Type::Reference("switch")).at("switch-name"), slot("port", Type::Text)]);
