//! `image`: something that a node is installed from. Its values go below `image` in a node's spec.
//!
//! Describes only; what a method needs is `rules/image_complete.rs`.

use crate::design::schema::{Shape, Type, slot};

pub const IMAGE: Shape = Shape::keyed("image", "")
    .arguments(&[slot("name", Type::Text).at("image.name").required()])
    .children(&[&[
        Shape::once("doc").arguments(&[slot("doc", Type::Prose).required()]),
        Shape::once("method")
            .arguments(&[slot("method", Type::OneOf(&["disk-image"])).at("image.method").required()]),
        Shape::once("kernel")
            .under("image.kernel")
            .arguments(&[slot("url", Type::Location).required()])
            .properties(&[slot("checksum", Type::Checksum).required()]),
        Shape::once("initrd")
            .under("image.initrd")
            .arguments(&[slot("url", Type::Location).required()])
            .properties(&[slot("checksum", Type::Checksum).required()]),
        Shape::once("url").arguments(&[slot("url", Type::Location).at("image.url").required()]),
        Shape::once("checksum")
            .arguments(&[slot("checksum", Type::Checksum).at("image.checksum").required()]),
        Shape::once("format")
            .arguments(&[slot("format", Type::OneOf(&["raw"])).at("image.format").required()]),
        // The kernels of the installed system that nodes may ask for.
        Shape::many("kernels").arguments(&[slot("kernel", Type::Text).at("image.kernels").rest().required()]),
        // What an installer is told, by the name that it asks for.
        Shape::keyed("template", "image.templates")
            .arguments(&[slot("name", Type::Text).required()])
            .properties(&[slot("source", Type::File).required()]),
        // Its payloads are not known yet: it can be rehearsed, and nothing real is installed from it.
        Shape::once("rehearsal-only")
            .arguments(&[slot("rehearsal-only", Type::Bool).at("image.rehearsal-only").required()]),
    ]]);
