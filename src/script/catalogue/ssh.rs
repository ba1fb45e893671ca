//! `ssh`: the installed system of the task's node, as its `ssh` in the design says to reach it.

use super::{Arg, Effect, Field, Kind, NODE, Shape, arg, field, seconds};

const COMMAND: Arg = arg("command", Shape::Text);
const EXPECT: Field =
    field("expect", Shape::List(&Shape::Int), "the exit statuses that are a success; default 0").optional();
const TIMEOUT: Field = field("timeout", Shape::Duration, "for the command").optional();
const INPUT: Field = field("input", Shape::Secret, "what it reads").optional();
const OPTIONS: Arg = Arg { name: "options", shape: Shape::Record(&[EXPECT, TIMEOUT, INPUT]), optional: true };
const FILE: Arg = Arg {
    name: "options",
    shape: Shape::Record(&[
        field("mode", Shape::Text, "in octal, such as 0640; what is not said stays as it is").optional(),
        field("owner", Shape::Text, "`user` or `user:group`").optional(),
    ]),
    optional: true,
};
const OUTPUT: Shape = Shape::Record(&[
    field("status", Shape::Int, "the exit status"),
    field("stdout", Shape::Text, "what it wrote, at most 128 KiB"),
    field("stderr", Shape::Text, "what it complained of, at most 128 KiB"),
]);

pub const ROWS: &[Effect] = &[
    Effect {
        module: "ssh",
        name: "run",
        args: &[NODE, COMMAND, OPTIONS],
        kind: Kind::Once,
        // An hour for the command, and time to find the machine again.
        deadline: seconds(4_200),
        doc: "Runs a shell command on the node, once, at most an hour (default 5m). It is kept there by the effect's id, so that it is found again when a connection or the controller breaks off. Another exit status than 0 is a failure unless `expect` lists it.",
        returns: OUTPUT,
        example: "ssh::run(node, \"apt-get install -y chrony\", #{ timeout: \"20m\" });",
        made_of: &[],
    },
    Effect {
        module: "ssh",
        name: "read",
        args: &[NODE, COMMAND, OPTIONS],
        kind: Kind::Read,
        deadline: seconds(330),
        doc: "Runs a shell command that changes nothing, which its author promises, at most 5m (default 1m). Otherwise as `ssh::run`.",
        returns: OUTPUT,
        example: "let release = ssh::read(node, \"uname -r\").stdout;",
        made_of: &[],
    },
    Effect {
        module: "ssh",
        name: "put",
        args: &[NODE, arg("path", Shape::Text), arg("content", Shape::Secret), FILE],
        kind: Kind::Ensure,
        deadline: seconds(300),
        doc: "Makes sure that the file on the node has this content, mode and owner: compared by digest, written beside it, and renamed.",
        returns: Shape::Nothing,
        example: "ssh::put(node, \"/etc/motd\", template::file(\"motd\", #{ node: node.name }), #{ mode: \"0644\" });",
        made_of: &[],
    },
];
