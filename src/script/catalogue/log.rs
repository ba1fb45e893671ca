//! `log`: messages that are attached to the run, the step and the node.

use super::{ArgKind, Effect, Kind, arg, seconds};

pub const ROWS: &[Effect] = &[
    Effect {
        module: "log",
        name: "info",
        args: &[arg("text", ArgKind::Text)],
        kind: Kind::Ensure,
        deadline: seconds(30),
        doc: "Writes a message into the run's log.",
        returns: "nothing",
        made_of: &[],
    },
    Effect {
        module: "log",
        name: "warn",
        args: &[arg("text", ArgKind::Text)],
        kind: Kind::Ensure,
        deadline: seconds(30),
        doc: "Writes a warning into the run's log.",
        returns: "nothing",
        made_of: &[],
    },
];
