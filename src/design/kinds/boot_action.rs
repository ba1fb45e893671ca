//! `boot-action`: files, units and packages that the installed system of chosen nodes gets.
//!
//! Describes only. Without `on` it is for every node.

use crate::design::schema::{Shape, Type, slot};

pub const BOOT_ACTION: Shape =
    Shape::keyed("boot-action", "").arguments(&[slot("name", Type::Text).at("").required()]).children(&[&[
        Shape::once("doc").arguments(&[slot("doc", Type::Prose).required()]),
        Shape::once("on").arguments(&[slot("selector", Type::Selector).at("on").required()]),
        // Whether the deployment waits until the system says that the action is done.
        Shape::once("signal").arguments(&[slot("signal", Type::Bool).required()]),
        Shape::keyed("file", "files")
            .arguments(&[slot("path", Type::MountPoint).required()])
            .properties(ASSET)
            .children(&[CONTENT]),
        Shape::keyed("unit", "units")
            .arguments(&[slot("unit", Type::Text).required()])
            .properties(ASSET)
            .children(&[CONTENT]),
        Shape::keyed("package", "packages")
            .arguments(&[slot("package", Type::Text).required()])
            .properties(&[slot("version", Type::Text)]),
    ]]);

const ASSET: &[crate::design::schema::Slot] = &[
    slot("mode", Type::FileMode),
    slot("source", Type::File),
    slot("encoding", Type::OneOf(&["text", "base64"])).or("text"),
    slot("template", Type::Bool),
];

const CONTENT: &[Shape] = &[Shape::once("content").arguments(&[slot("content", Type::Prose).required()])];
