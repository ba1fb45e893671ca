//! `broker`: something that makes or lends nodes, and the task that speaks to it.
//!
//! Describes only.

use super::host::PARAM;
use crate::design::schema::{Shape, Type, slot};

pub const BROKER: Shape =
    Shape::keyed("broker", "").arguments(&[slot("name", Type::Text).at("").required()]).children(&[
        PARAM,
        &[
            Shape::once("doc").arguments(&[slot("doc", Type::Prose).required()]),
            Shape::once("task").arguments(&[slot("task", Type::Reference("task")).required()]).required(),
            Shape::once("pool").arguments(&[slot("pool", Type::Reference("pool")).required()]),
        ],
    ]);
