//! `switch`: a network switch and how it is spoken to.
//!
//! Describes only. `driver` says what the switch speaks: RESTCONF is built in (`SWITCH_DRIVERS` are its names), everything
//! else is spoken by a site's own tasks.

use super::rack::MOST_UNITS;
use crate::design::schema::{Shape, Type, slot};

pub const SWITCH: Shape =
    Shape::keyed("switch", "").arguments(&[slot("name", Type::Text).at("").required()]).children(&[&[
        Shape::once("doc").arguments(&[slot("doc", Type::Prose).required()]),
        Shape::once("address").arguments(&[slot("address", Type::Host).required()]),
        Shape::once("uri").arguments(&[slot("uri", Type::Uri).required()]),
        Shape::once("driver").arguments(&[slot("driver", Type::Text).required()]),
        Shape::once("user").arguments(&[slot("user", Type::Text).required()]),
        Shape::once("password").arguments(&[slot("password", Type::Secret).required()]).properties(&[slot(
            "version",
            Type::SecretVersion,
        )
        .at("password")]),
        // Authorities that its certificate may be of, in PEM form.
        Shape::once("ca").arguments(&[slot("ca", Type::Prose).required()]),
        Shape::once("rack")
            .arguments(&[slot("rack", Type::Reference("rack")).required()])
            .properties(&[slot("unit", Type::Int { least: 1, most: MOST_UNITS })]),
        Shape::keyed("label", "labels")
            .arguments(&[slot("name", Type::Text).required(), slot("value", Type::Text).at("").required()]),
    ]]);
