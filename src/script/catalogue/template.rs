//! `template`: texts with places to be filled in. Pure: no machine is asked, and nothing is written.

use super::{Arg, Effect, Kind, Shape, arg, seconds};

/// Filling one in is bounded by its own limits, and takes milliseconds.
const FILL: std::time::Duration = seconds(30);
const VALUES: Arg = arg("values", Shape::Map(&Shape::Any));

pub const ROWS: &[Effect] = &[
    Effect {
        module: "template",
        name: "render",
        args: &[arg("text", Shape::Text), VALUES],
        kind: Kind::Read,
        deadline: FILL,
        doc: "Fills in a text in the Jinja language; an unknown name is an error. With a secret among the values the result is itself a secret.",
        returns: Shape::Secret,
        example: "let line = template::render(\"server {{ address }}\\n\", #{ address: \"10.20.0.1\" });",
        made_of: &[],
    },
    Effect {
        module: "template",
        name: "file",
        args: &[arg("name", Shape::Text), VALUES],
        kind: Kind::Read,
        deadline: FILL,
        doc: "Fills in a template that the task declares (`template \"motd\"` is `templates/motd` of the design); otherwise as `template::render`.",
        returns: Shape::Secret,
        example: "let motd = template::file(\"motd\", #{ node: node.name });",
        made_of: &[],
    },
];
