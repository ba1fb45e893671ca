//! `agent`: orders to the agent that a boot ticket of this attempt brought up in the machine's memory.

use super::{Arg, Effect, Kind, NODE, Shape, arg, field, seconds};

const MAYBE_TEXT: Shape = Shape::Maybe(&Shape::Text);
const TICKET: Arg = arg("ticket", Shape::Text);

const CPUS: Shape = Shape::Record(&[
    field("model", MAYBE_TEXT, "of the first one"),
    field("sockets", Shape::Int, ""),
    field("threads", Shape::Int, "that the kernel runs on"),
]);
const DISK: Shape = Shape::Record(&[
    field(
        "id",
        Shape::Text,
        "its world-wide id or serial number, the same on every boot; where it has neither, or another disk has the same, `NAME@BOOT`, which is good until the machine is restarted",
    ),
    field("name", Shape::Text, "as the agent's kernel calls it on this boot"),
    field("model", MAYBE_TEXT, ""),
    field("serial", MAYBE_TEXT, ""),
    field("bytes", Shape::Int, ""),
    field("rotational", Shape::Bool, ""),
    field("removable", Shape::Bool, ""),
    field(
        "transport",
        Shape::Text,
        "`ata`, `sas`, `raid`, `nvme`, `virtio`: in the machine; `named`: what the agent was given in place of its disks; `fc`, `iscsi`, `usb`, `nvme-fabrics`, `unknown`: it may be anywhere",
    ),
    field("in_use", MAYBE_TEXT, "why the agent would not write it; `()` when it would"),
]);
const NIC: Shape = Shape::Record(&[
    field("name", Shape::Text, ""),
    field("mac", Shape::Text, ""),
    field("link", Shape::Maybe(&Shape::Bool), "whether there is a carrier; `()` while the interface is down"),
    field("speed_mbps", Shape::Maybe(&Shape::Int), ""),
]);
const INVENTORY: Shape = Shape::Record(&[
    field("vendor", MAYBE_TEXT, "of the system (SMBIOS, DSP0134, 7.2)"),
    field("model", MAYBE_TEXT, "its product name"),
    field("serial", MAYBE_TEXT, ""),
    field("uuid", MAYBE_TEXT, ""),
    field("bios", MAYBE_TEXT, "version of the firmware (DSP0134, 7.1)"),
    field("cpus", CPUS, ""),
    field("memory_mib", Shape::Int, "what the kernel may use"),
    field("disks", Shape::List(&DISK), ""),
    field("nics", Shape::List(&NIC), "interfaces with a device behind them"),
]);
const STRESSED: Shape = Shape::Record(&[
    field("seconds", Shape::Int, "how long it took"),
    field("threads", Shape::Int, ""),
    field("memory_mib", Shape::Int, "how much memory was written and read back"),
    field("rounds", Shape::Int, "how often memory was gone through, all threads together"),
    field("faults", Shape::Int, "results and words of memory that came out wrong"),
    field(
        "corrected",
        Shape::Maybe(&Shape::Int),
        "memory errors that the controllers corrected meanwhile; `()` where the kernel watches none",
    ),
    field("uncorrected", Shape::Maybe(&Shape::Int), "those that they could not correct"),
]);
const WIPED: Shape = Shape::Record(&[
    field("disk", Shape::Text, "its id"),
    field("method", Shape::Text, ""),
    field("bytes", Shape::Int, "its size"),
    field("was_empty", Shape::Bool, "it held nothing but zeros before, and was not written"),
    field("read_back", Shape::Int, "how many bytes were read afterwards, all of them zero"),
]);

pub const ROWS: &[Effect] = &[
    Effect {
        module: "agent",
        name: "inventory",
        args: &[NODE, TICKET],
        kind: Kind::Read,
        // A machine that is restarted meanwhile takes its time.
        deadline: seconds(25 * 60),
        doc: "Reads what the machine has, as its agent sees it from inside: system, processors, memory, disks and network interfaces.",
        returns: INVENTORY,
        example: "let machine = agent::inventory(node, ticket);",
        made_of: &[],
    },
    Effect {
        module: "agent",
        name: "stress",
        args: &[NODE, TICKET, arg("time", Shape::Duration), arg("memory_percent", Shape::Int)],
        kind: Kind::Read,
        deadline: seconds(73 * 60 * 60),
        doc: "Keeps every processor busy for the time, at most three days, and writes and reads back so many percent of the free memory, at most 95; counts what came out wrong. What is too much is the script's to say.",
        returns: STRESSED,
        example: "let found = agent::stress(node, ticket, \"2h\", 80);",
        made_of: &[],
    },
    Effect {
        module: "agent",
        name: "wipe",
        args: &[
            NODE,
            TICKET,
            arg("disks", Shape::List(&Shape::Text)),
            arg("method", Shape::Word(&["zero", "discard"])),
        ],
        kind: Kind::Ensure,
        // A large disk takes a day to be written, and another to be read.
        deadline: seconds(72 * 60 * 60),
        doc: "Makes sure that the disks with these ids hold nothing but zeros, by writing them or by having the device forget its content, and reads all of it back. The disks are those of the attempt's last `agent::inventory`: none is touched when one of them is not there, has another size, model or serial number by now, is in use or read-only. A disk that is empty is not written. From here on the node counts as not installed.",
        returns: Shape::List(&WIPED),
        example: "let proof = agent::wipe(node, ticket, [\"eui.0025388b91b1c2d3\"], \"discard\");",
        made_of: &[],
    },
    Effect {
        module: "agent",
        name: "wiped",
        args: &[NODE],
        kind: Kind::Read,
        deadline: seconds(30),
        doc: "Reads the fact `wipe` of the node, when it is of the last thing that was done to its disks; `()` when they were installed since, or a later wipe came to no end.",
        returns: Shape::Maybe(&Shape::List(&WIPED)),
        example: "if agent::wiped(node) == () { throw \"nothing says that this node is wiped\"; }",
        made_of: &[],
    },
];
