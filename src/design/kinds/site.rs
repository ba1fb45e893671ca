//! `site`: the place, its defaults for every node, and where the boot services listen.
//!
//! Describes only; `build/site.rs` makes the typed value.

use super::host;
use crate::design::schema::{Shape, Type, slot};

pub const SITE: Shape = Shape::once("site")
    .arguments(&[slot("name", Type::Text).at("").required()])
    .children(&[host::EVERYWHERE, host::MARKS, OWN]);

const OWN: &[Shape] = &[
    Shape::once("doc").arguments(&[slot("doc", Type::Prose).required()]),
    // Used by any value of the design as (var)"NAME", and inside a text as (text)"…{NAME}…".
    Shape::keyed("variable", "variables")
        .arguments(&[slot("name", Type::Text).required(), slot("value", Type::Scalar).at("").required()]),
    Shape::once("defaults").properties(&[
        slot("profile", Type::Reference("profile")),
        slot("region", Type::Reference("region")),
    ]),
    Shape::once("first-install")
        .arguments(&[slot("first-install", Type::OneOf(&["ask", "allow"])).required()]),
    Shape::once("services").children(&[SERVICES]),
];

const SERVICES: &[Shape] = &[
    Shape::once("dhcp").under("services.dhcp").properties(&[slot("listen", Type::Socket).required()]),
    Shape::once("tftp").under("services.tftp").properties(&[slot("listen", Type::Socket).required()]),
    Shape::once("http")
        .under("services.http")
        .properties(&[slot("listen", Type::Socket).required(), slot("advertise", Type::Url)]),
];
