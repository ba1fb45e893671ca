//! `log`: messages that are attached to the run, the step and the node.

use super::{Effect, Kind, Shape, arg, seconds};

pub const ROWS: &[Effect] = &[
    Effect {
        module: "log",
        name: "info",
        args: &[arg("text", Shape::Text)],
        kind: Kind::Ensure,
        deadline: seconds(30),
        doc: "Writes a message into the run's log.",
        returns: Shape::Nothing,
        example: "log::info(`the disk is wiped`);",
        made_of: &[],
    },
    Effect {
        module: "log",
        name: "warn",
        args: &[arg("text", Shape::Text)],
        kind: Kind::Ensure,
        deadline: seconds(30),
        doc: "Writes a warning into the run's log.",
        returns: Shape::Nothing,
        example: "log::warn(`one fan is slow`);",
        made_of: &[],
    },
];
