//! `role`: what a group of people may do, and to which nodes.
//!
//! Describes only.

use crate::design::schema::{Shape, Type, slot};

pub const ROLE: Shape =
    Shape::keyed("role", "").arguments(&[slot("name", Type::Text).at("").required()]).children(&[&[
        Shape::once("doc").arguments(&[slot("doc", Type::Prose).required()]),
        Shape::once("on").arguments(&[slot("selector", Type::Selector).at("on").required()]),
        Shape::many("allow").arguments(&[slot(
            "action",
            Type::OneOf(&["view", "plan", "apply", "approve", "run", "hold", "release", "admin"]),
        )
        .at("allow")
        .rest()
        .required()]),
        Shape::many("task").arguments(&[slot("task", Type::Reference("task")).at("tasks").rest().required()]),
        Shape::many("blueprint")
            .arguments(&[slot("blueprint", Type::Reference("blueprint")).at("blueprints").rest().required()]),
    ]]);
