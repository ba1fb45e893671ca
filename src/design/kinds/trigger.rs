//! `trigger`: what starts a blueprint: a clock, a signed call, an event, a commit.
//!
//! Describes only.

use super::host::PARAM;
use crate::design::schema::{Shape, Type, slot};

pub const TRIGGER: Shape =
    Shape::keyed("trigger", "").arguments(&[slot("name", Type::Text).at("").required()]).children(&[
        PARAM,
        &[
            Shape::once("doc").arguments(&[slot("doc", Type::Prose).required()]),
            Shape::once("cron").arguments(&[slot("schedule", Type::Text).at("cron").required()]),
            Shape::once("webhook").under("webhook").properties(&[slot("secret", Type::Secret).required()]),
            Shape::once("event").arguments(&[slot("event", Type::Text).required()]),
            Shape::once("commit").arguments(&[slot("ref", Type::Text).at("commit").required()]),
            Shape::once("blueprint").arguments(&[slot("blueprint", Type::Reference("blueprint")).required()]),
            Shape::once("task").arguments(&[slot("task", Type::Reference("task")).required()]),
            Shape::once("on").arguments(&[slot("selector", Type::Selector).at("on").required()]),
            Shape::once("filter").arguments(&[slot("filter", Type::Text).required()]),
            Shape::once("count")
                .arguments(&[slot("count", Type::Int { least: 1, most: 100_000 }).required()]),
        ],
    ]);
