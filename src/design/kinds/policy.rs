//! `policy`: what may be done to which nodes, when, and to how many at once.
//!
//! Describes only.

use crate::design::schema::{Shape, Type, slot};
use crate::model::hazard::Hazard;

pub const POLICY: Shape =
    Shape::keyed("policy", "").arguments(&[slot("name", Type::Text).at("").required()]).children(&[&[
        Shape::once("doc").arguments(&[slot("doc", Type::Prose).required()]),
        Shape::once("on").arguments(&[slot("selector", Type::Selector).at("on").required()]),
        Shape::many("approve")
            .arguments(&[slot("hazard", Type::OneOf(Hazard::WORDS)).at("approve").rest().required()]),
        Shape::once("max-unavailable")
            .under("max-unavailable")
            .arguments(&[slot("most", Type::CountOrPercent).required()])
            .properties(&[slot("per", Type::OneOf(&["site", "rack", "region"])).or("site")]),
        Shape::once("blast-radius")
            .arguments(&[slot("most", Type::CountOrPercent).at("blast-radius").required()]),
        Shape::keyed("window", "windows")
            .arguments(&[slot("window", Type::Text).required()])
            .properties(&[slot("cron", Type::Text).required(), slot("for", Type::Duration).required()]),
    ]]);
