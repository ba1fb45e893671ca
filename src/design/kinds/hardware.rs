//! `hardware`: what a kind of machine is. Its values go below `hardware` in a node's spec.
//!
//! Describes only. BIOS attributes are data: any name, with text, an integer or a bool.

use super::host;
use crate::design::schema::{Shape, Type, slot};

pub const HARDWARE: Shape = Shape::keyed("hardware", "")
    .arguments(&[slot("name", Type::Text).at("hardware.name").required()])
    .children(&[OWN, host::MARKS]);

const OWN: &[Shape] = &[
    Shape::once("vendor").arguments(&[slot("vendor", Type::Text).at("hardware.vendor").required()]),
    Shape::once("model").arguments(&[slot("model", Type::Text).at("hardware.model").required()]),
    Shape::once("boot-mode")
        .arguments(&[slot("boot-mode", Type::OneOf(&["uefi", "bios"])).at("hardware.boot-mode").required()]),
    Shape::once("pxe-interface")
        .arguments(&[slot("pxe-interface", Type::Text).at("hardware.pxe-interface").required()]),
    Shape::once("bios").under("hardware.bios").data(Type::Attribute),
    Shape::keyed("firmware", "hardware.firmware")
        .arguments(&[slot("component", Type::Text).required()])
        .properties(&[slot("version", Type::Text).required(), slot("image", Type::Location)]),
    Shape::keyed("alias", "hardware.alias").arguments(&[slot("alias", Type::Text).required()]).properties(&[
        slot("bus", Type::Text),
        slot("address", Type::Text),
        slot("device", Type::Text),
    ]),
];
