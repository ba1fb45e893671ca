//! `fact`: observed values with time and source, whose history is kept.

use super::{ArgKind, Effect, Kind, NODE, arg, seconds};

pub const ROWS: &[Effect] = &[Effect {
    module: "fact",
    name: "record",
    args: &[NODE, arg("source", ArgKind::Text), arg("value", ArgKind::Any)],
    kind: Kind::Ensure,
    deadline: seconds(30),
    doc: "Records what a source says of the node; a value that has not changed only refreshes its time.",
    returns: "nothing",
    made_of: &[],
}];
