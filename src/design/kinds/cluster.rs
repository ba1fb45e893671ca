//! `cluster`: nodes that share data and have steps of their own as a group.
//!
//! Describes only.

use super::host::PARAM;
use crate::design::schema::{Shape, Type, slot};

pub const CLUSTER: Shape =
    Shape::keyed("cluster", "").arguments(&[slot("name", Type::Text).at("").required()]).children(&[
        PARAM,
        &[
            Shape::once("doc").arguments(&[slot("doc", Type::Prose).required()]),
            Shape::once("members").arguments(&[slot("selector", Type::Selector).at("members").required()]),
            Shape::once("leaders")
                .arguments(&[slot("count", Type::Int { least: 0, most: 1_000 }).at("leaders").required()]),
            Shape::once("blueprint").arguments(&[slot("blueprint", Type::Reference("blueprint")).required()]),
        ],
    ]);
