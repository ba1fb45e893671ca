//! What `container` and `command` have in common: options and the answer.

use super::{Field, Shape, field};

pub const ENV: Field = field("env", Shape::Map(&Shape::Text), "more environment").optional();
pub const PARAMS: Field =
    field("params", Shape::Map(&Shape::Any), "what stands as `params` in its payload").optional();
pub const TIME: Field =
    field("time", Shape::Duration, "when it is killed, at most 24h; `30m` when it is left out").optional();
pub const SECRETS: Field =
    field("secrets", Shape::Bool, "true: secrets stand in its payload in clear, else they are left out")
        .optional();
pub const REHEARSE: Field =
    field("rehearse", Shape::Word(&["skip", "run"]), "what a rehearsal does; skip when it is left out")
        .optional();

pub const ANSWER: Shape = Shape::Record(&[
    field("exit", Shape::Int, "its exit code"),
    field(
        "result",
        Shape::Any,
        "what it wrote to the file that RACKWRIGHT_RESULT names, or its last line, as JSON",
    ),
    field("stdout_tail", Shape::Text, "its last lines on standard output"),
    field("stderr_tail", Shape::Text, "its last lines on standard error"),
    field("skipped", Shape::Bool, "it was not run, because this is a rehearsal"),
]);
