//! `pool`: nodes, or runners, that others take from.
//!
//! Describes only.

use crate::design::schema::{Shape, Type, slot};

pub const POOL: Shape =
    Shape::keyed("pool", "").arguments(&[slot("name", Type::Text).at("").required()]).children(&[&[
        Shape::once("doc").arguments(&[slot("doc", Type::Prose).required()]),
        Shape::once("of").arguments(&[slot("of", Type::OneOf(&["nodes", "runners"])).required()]),
        Shape::once("match").arguments(&[slot("selector", Type::Selector).at("match").required()]),
    ]]);
