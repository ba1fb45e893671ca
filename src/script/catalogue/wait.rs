//! `wait`: until an event or a time. A waiting script is unloaded; its deadline is stored once.

use super::{Arg, Effect, Kind, NODE, Shape, arg, seconds};

/// How long one look may take while polling; the wait itself is bounded by its own argument.
const LOOK: std::time::Duration = seconds(60);
const WITHIN: Arg = arg("within", Shape::Duration);
const TICKET: Arg = arg("ticket", Shape::Text);

pub const ROWS: &[Effect] = &[
    Effect {
        module: "wait",
        name: "powered_on",
        args: &[NODE, WITHIN],
        kind: Kind::Wait,
        deadline: LOOK,
        doc: "Until the BMC says that the machine is on.",
        returns: Shape::Nothing,
        example: "wait::powered_on(node, \"5m\");",
        made_of: &[],
    },
    Effect {
        module: "wait",
        name: "powered_off",
        args: &[NODE, WITHIN],
        kind: Kind::Wait,
        deadline: LOOK,
        doc: "Until the BMC says that the machine is off.",
        returns: Shape::Nothing,
        example: "wait::powered_off(node, \"3m\");",
        made_of: &[],
    },
    Effect {
        module: "wait",
        name: "installed",
        args: &[NODE, TICKET, WITHIN],
        kind: Kind::Wait,
        deadline: LOOK,
        doc: "Until the installer reports that the ticket's image is on the disk; fails when it reports a fault or the machine booted its old disk instead.",
        returns: Shape::Nothing,
        example: "wait::installed(node, ticket, \"60m\");",
        made_of: &[],
    },
    Effect {
        module: "wait",
        name: "booted",
        args: &[NODE, TICKET, WITHIN],
        kind: Kind::Wait,
        deadline: LOOK,
        doc: "Until the system that the ticket installed has booted and phoned home.",
        returns: super::pxe::REPORT,
        example: "let system = wait::booted(node, ticket, \"20m\");",
        made_of: &[],
    },
    Effect {
        module: "wait",
        name: "resolves",
        args: &[arg("name", Shape::Text), WITHIN],
        kind: Kind::Wait,
        deadline: LOOK,
        doc: "Until the name has an address, of either kind.",
        returns: Shape::Nothing,
        example: "wait::resolves(\"n1.example.net\", \"10m\");",
        made_of: &[],
    },
    Effect {
        module: "wait",
        name: "ssh",
        args: &[NODE, WITHIN],
        kind: Kind::Wait,
        deadline: LOOK,
        doc: "Until the node answers as an SSH server does, and, where its `ssh` has a key or a password, until we can log in.",
        returns: Shape::Nothing,
        example: "wait::ssh(node, \"10m\");",
        made_of: &[],
    },
    Effect {
        module: "wait",
        name: "port_up",
        args: &[NODE, arg("interface", Shape::Text), WITHIN],
        kind: Kind::Wait,
        deadline: LOOK,
        doc: "Until the switch port that the interface is plugged into has a link (oper-status UP).",
        returns: Shape::Nothing,
        example: "wait::port_up(node, \"nic1\", \"2m\");",
        made_of: &[],
    },
    Effect {
        module: "wait",
        name: "time",
        args: &[WITHIN],
        kind: Kind::Wait,
        deadline: LOOK,
        doc: "For a stretch of time.",
        returns: Shape::Nothing,
        example: "wait::time(\"30s\");",
        made_of: &[],
    },
];
