//! `output`: what a step leaves for the steps after it.

use super::{Effect, Kind, Shape, arg, seconds};

pub const ROWS: &[Effect] = &[Effect {
    module: "output",
    name: "set",
    args: &[arg("name", Shape::Text), arg("value", Shape::Any)],
    kind: Kind::Ensure,
    deadline: seconds(30),
    doc: "Leaves a value for later steps, which take it as a parameter by (ref)\"step.NAME.OUTPUT\"; the task declares the output.",
    returns: Shape::Nothing,
    example: "output::set(\"address\", \"10.20.0.11\");",
    made_of: &[],
}];
