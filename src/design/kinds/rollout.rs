//! `rollout`: groups of nodes in the order in which they are worked on, and when a group has succeeded.
//!
//! Describes only.

use crate::design::schema::{Shape, Type, slot};

const COUNT: Type = Type::Int { least: 0, most: 1_000_000 };

pub const ROLLOUT: Shape =
    Shape::keyed("rollout", "").arguments(&[slot("name", Type::Text).at("").required()]).children(&[&[
        Shape::once("doc").arguments(&[slot("doc", Type::Prose).required()]),
        Shape::keyed("group", "groups")
            .arguments(&[slot("group", Type::Text).required()])
            .properties(&[
                slot("on", Type::Selector).required(),
                slot("after", Type::Text).split(),
                slot("critical", Type::Bool),
                slot("canary", COUNT),
            ])
            .children(&[&[Shape::once("success").under("success").properties(&[
                slot("percent", Type::Int { least: 0, most: 100 }),
                slot("minimum", COUNT),
                slot("maximum-failed", COUNT),
            ])]]),
    ]]);
