//! `pxe`: what our boot services do for the task's node.

use super::{Effect, Kind, NODE, Shape, arg, field, seconds};

const STORE: std::time::Duration = seconds(30);
const TICKET: super::Arg = arg("ticket", Shape::Text);

/// What an installed system says of itself on each of its boots; all of it is unknown where none ever did.
pub const REPORT: Shape = Shape::Record(&[
    field("ticket", Shape::Text, "the boot ticket that it was installed with").optional(),
    field("image", IMAGE, "what was written to its disk"),
    field("boot_id", Shape::Text, "new on every boot"),
    field("kernel_params", Shape::List(&Shape::Text), "the words of its kernel's command line"),
]);
const IMAGE: Shape = Shape::Record(&[
    field("name", Shape::Text, "the image's name in the design"),
    field("checksum", Shape::Text, "of the image as it was written"),
]);

pub const ROWS: &[Effect] = &[
    Effect {
        module: "pxe",
        name: "ticket",
        args: &[NODE],
        kind: Kind::Ensure,
        deadline: STORE,
        doc: "Opens a boot ticket: the node's next network boot installs its image, once, under a key made for this ticket; earlier tickets of the node are withdrawn.",
        returns: Shape::Text,
        example: "let ticket = pxe::ticket(node);",
        made_of: &[],
    },
    Effect {
        module: "pxe",
        name: "agent_ticket",
        args: &[NODE],
        kind: Kind::Ensure,
        deadline: STORE,
        doc: "Opens a boot ticket: the node's next network boot brings up the agent in the ramdisk of its image, which takes orders until the ticket is withdrawn or the attempt ends; earlier tickets of the node are withdrawn, and nothing is installed.",
        returns: Shape::Text,
        example: "let ticket = pxe::agent_ticket(node);",
        made_of: &[],
    },
    Effect {
        module: "pxe",
        name: "withdraw",
        args: &[NODE, TICKET],
        kind: Kind::Ensure,
        deadline: STORE,
        doc: "Withdraws a boot ticket that has not been used up; an agent that took orders with it ends.",
        returns: Shape::Nothing,
        example: "pxe::withdraw(node, ticket);",
        made_of: &[],
    },
    Effect {
        module: "pxe",
        name: "report",
        args: &[NODE],
        kind: Kind::Read,
        deadline: STORE,
        doc: "What the installed system last said of itself when it booted; its leaves are unknown when it never did.",
        returns: REPORT,
        example: "let system = pxe::report(node);",
        made_of: &[],
    },
];
