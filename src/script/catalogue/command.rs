//! `command`: a program of the computer that Rackwright runs on, of the task's own list of programs.

use super::program::{ANSWER, ENV, PARAMS, REHEARSE, SECRETS, TIME};
use super::{Arg, Effect, Kind, NODE, Shape, arg, seconds};

/// Of the program itself its `time` is the bound.
const LONGEST: std::time::Duration = seconds(25 * 60 * 60);

const OPTIONS: Shape = Shape::Record(&[ENV, PARAMS, TIME, SECRETS, REHEARSE]);

pub const ROWS: &[Effect] = &[Effect {
    module: "command",
    name: "run",
    args: &[
        NODE,
        arg("program", Shape::Text),
        arg("args", Shape::List(&Shape::Text)),
        Arg { optional: true, ..arg("options", OPTIONS) },
    ],
    kind: Kind::Once,
    deadline: LONGEST,
    doc: "Runs a program that the task names in `programs`, without a shell and with an environment of its own, with the node as JSON on its standard input, and answers with its result; what it writes goes into the run's log, and another exit code than 0 is a failure.",
    returns: ANSWER,
    example: "let done = command::run(node, \"curl\", [\"--fail\", \"https://10.16.0.5/ports\"]);",
    made_of: &[],
}];
