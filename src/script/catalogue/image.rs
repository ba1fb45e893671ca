//! `image`: what nodes are installed from.

use super::{Arg, Effect, Kind, Shape, arg, seconds};

/// Some gigabytes from a slow disk.
const WHOLE: std::time::Duration = seconds(1_800);

pub const ROWS: &[Effect] = &[Effect {
    module: "image",
    name: "check",
    args: &[
        arg("url", Shape::Text),
        Arg { name: "checksum", shape: Shape::Maybe(&Shape::Text), optional: true },
    ],
    kind: Kind::Read,
    deadline: WHOLE,
    doc: "Sees that machines could fetch a payload: a file of the design is there and, when a checksum is given, has it; a service at an http URL has something there (HEAD).",
    returns: Shape::Nothing,
    example: "image::check(\"files/vmlinuz\", \"sha256:0000000000000000000000000000000000000000000000000000000000000000\");",
    made_of: &[],
}];
