//! `site`: the place, its defaults for every node, and where the boot services listen.
//!
//! Describes only; `build/site.rs` makes the typed value.

use super::host;
use crate::design::schema::{Shape, Type, slot};

pub const SITE: Shape = Shape::once("site")
    .arguments(&[slot("name", Type::Text).at("").required()])
    .children(&[host::EVERYWHERE, host::MARKS, OWN]);

/// Where the site's blueprint stands in its tree; no node takes it over.
pub const SITE_LIFECYCLE: &str = "site-lifecycle";

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
    // What is done for the whole site before any node; a lifecycle of nodes is a profile's.
    Shape::once("lifecycle")
        .arguments(&[slot("lifecycle", Type::Reference("blueprint")).at(SITE_LIFECYCLE).required()]),
    Shape::once("services").children(&[SERVICES]),
];

const SERVICES: &[Shape] = &[
    Shape::once("dhcp").under("services.dhcp").properties(&[slot("listen", Type::Socket).required()]),
    Shape::once("tftp").under("services.tftp").properties(&[slot("listen", Type::Socket).required()]),
    Shape::once("http")
        .under("services.http")
        .properties(&[slot("listen", Type::Socket).required(), slot("advertise", Type::Url)]),
];
