//! `infrastructure`: arrays of identical members that take their nodes from a pool.
//!
//! Describes only. One without arrays is legal.

use crate::design::schema::{Shape, Type, slot};

pub const INFRASTRUCTURE: Shape = Shape::keyed("infrastructure", "")
    .arguments(&[slot("name", Type::Text).at("").required()])
    .children(&[&[
        Shape::once("doc").arguments(&[slot("doc", Type::Prose).required()]),
        Shape::once("pool").arguments(&[slot("pool", Type::Reference("pool")).required()]),
        Shape::once("network").arguments(&[slot("network", Type::Reference("network")).required()]),
        Shape::once("pre-deploy")
            .arguments(&[slot("blueprint", Type::Reference("blueprint")).at("pre-deploy").required()]),
        Shape::once("post-deploy")
            .arguments(&[slot("blueprint", Type::Reference("blueprint")).at("post-deploy").required()]),
        Shape::keyed("array", "arrays")
            .arguments(&[slot("array", Type::Text).required()])
            .properties(&[slot("count", Type::Int { least: 0, most: 100_000 }).required()])
            .children(&[&[
                Shape::once("match").arguments(&[slot("selector", Type::Selector).at("match").required()]),
                Shape::many("prefer").arguments(&[slot("node", Type::Text).at("prefer").rest().required()]),
                Shape::once("spread")
                    .arguments(&[slot("over", Type::OneOf(&["rack", "region"])).at("spread").required()]),
                Shape::once("profile").arguments(&[slot("profile", Type::Reference("profile")).required()]),
                Shape::once("blueprint")
                    .arguments(&[slot("blueprint", Type::Reference("blueprint")).required()]),
            ]]),
    ]]);
