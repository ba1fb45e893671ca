//! `container`: a container on the engine of the computer that Rackwright runs on (Docker Engine API).

use super::program::{ANSWER, ENV, PARAMS, REHEARSE, SECRETS, TIME};
use super::{Effect, Kind, NODE, Shape, arg, field, seconds};

/// Of the container itself its `time` is the bound; this is one day, and an hour for its image to come.
const LONGEST: std::time::Duration = seconds(25 * 60 * 60);

const OPTIONS: Shape = Shape::Record(&[
    field(
        "image",
        Shape::Text,
        "`registry/name@sha256:…`, or an archive of the design such as `files/burn-in.tar`",
    ),
    field("args", Shape::List(&Shape::Text), "in place of the image's own command").optional(),
    ENV,
    PARAMS,
    field("network", Shape::Word(&["none", "bridge", "host"]), "none when it is left out").optional(),
    field("cpus", Shape::Int, "processors, 1 when it is left out").optional(),
    field("memory", Shape::Text, "such as `1GiB`; `512MiB` when it is left out").optional(),
    field("pids", Shape::Int, "processes and threads, 256 when it is left out").optional(),
    TIME,
    SECRETS,
    REHEARSE,
]);

pub const ROWS: &[Effect] = &[Effect {
    module: "container",
    name: "run",
    args: &[NODE, arg("options", OPTIONS)],
    kind: Kind::Once,
    deadline: LONGEST,
    doc: "Runs a container with the node as JSON on its standard input, without a network, a writable root or privileges, and answers with its result; what it writes goes into the run's log, and another exit code than 0 is a failure.",
    returns: ANSWER,
    example: "let tested = container::run(node, #{ image: \"files/burn-in.tar\", time: \"1h\" });",
    made_of: &[],
}];
