//! `repository`: where packages of an operating system come from.
//!
//! Describes only. Nodes name the repositories that they use; a region may name them for all its nodes.

use crate::design::schema::{Shape, Type, slot};

pub const REPOSITORY: Shape =
    Shape::keyed("repository", "").arguments(&[slot("name", Type::Text).at("").required()]).children(&[&[
        Shape::once("type").arguments(&[slot("type", Type::OneOf(&["apt", "yum"])).required()]).required(),
        Shape::once("url").arguments(&[slot("url", Type::Url).required()]).required(),
        Shape::many("distributions")
            .arguments(&[slot("distribution", Type::Text).at("distributions").rest().required()]),
        Shape::many("components")
            .arguments(&[slot("component", Type::Text).at("components").rest().required()]),
        Shape::many("architectures")
            .arguments(&[slot("architecture", Type::Text).at("architectures").rest().required()]),
        // The public key that signs it: armoured text, or a file of the design.
        Shape::once("key").arguments(&[slot("key", Type::Prose).required()]),
    ]]);
