//! `fact`: observed values with time and source, whose history is kept.

use super::{Effect, Kind, NODE, Shape, arg, seconds};

pub const ROWS: &[Effect] = &[Effect {
    module: "fact",
    name: "record",
    args: &[NODE, arg("source", Shape::Text), arg("value", Shape::Any)],
    kind: Kind::Ensure,
    deadline: seconds(30),
    doc: "Records what a source says of the node; a value that has not changed only refreshes its time.",
    returns: Shape::Nothing,
    example: "fact::record(node, \"burn-in\", #{ hours: 12 });",
    made_of: &[],
}];
