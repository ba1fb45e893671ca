//! `pxe`: what our boot services do for the task's node.

use super::{ArgKind, Effect, Kind, NODE, arg, seconds};

const STORE: std::time::Duration = seconds(30);
const TICKET: super::Arg = arg("ticket", ArgKind::Text);

pub const ROWS: &[Effect] = &[
    Effect {
        module: "pxe",
        name: "ticket",
        args: &[NODE],
        kind: Kind::Ensure,
        deadline: STORE,
        doc: "Opens a boot ticket: the node's next network boot installs its image, once, under a key made for this ticket; earlier tickets of the node are withdrawn.",
        returns: "the ticket, as text",
        made_of: &[],
    },
    Effect {
        module: "pxe",
        name: "withdraw",
        args: &[NODE, TICKET],
        kind: Kind::Ensure,
        deadline: STORE,
        doc: "Withdraws a boot ticket that has not been used up.",
        returns: "nothing",
        made_of: &[],
    },
    Effect {
        module: "pxe",
        name: "report",
        args: &[NODE],
        kind: Kind::Read,
        deadline: STORE,
        doc: "What the installed system last said of itself when it booted; its leaves are unknown when it never did.",
        returns: "#{image: #{name, checksum}, boot_id, kernel_params: [text]}",
        made_of: &[],
    },
];
