//! `port`: the switch ports that the task's node is plugged into (RFC 8040; OpenConfig interfaces and VLANs).

use super::{Arg, Effect, Kind, NODE, Shape, arg, field, seconds};

/// A switch answers within some seconds; the rest is for several tries, and for others that wait for the same switch.
const ASK: std::time::Duration = seconds(120);
const MODE: Shape = Shape::Word(&["access", "trunk"]);
const VLANS: Shape = Shape::List(&Shape::Int);
const INTERFACE: Arg = arg("interface", Shape::Text);
const SEEN: Shape = Shape::Record(&[
    field(
        "switch_name",
        Shape::Text,
        "the switch that the interface is plugged into, as the design names it",
    ),
    field("port", Shape::Text, "and its port"),
    field("enabled", Shape::Bool, "interfaces/interface/config/enabled"),
    field(
        "oper_status",
        Shape::Text,
        "interfaces/interface/state/oper-status, in lower case: up, down, testing, …",
    ),
    field(
        "mode",
        Shape::Maybe(&MODE),
        "ethernet/switched-vlan/config/interface-mode; () for a port that is not switched",
    ),
    field(
        "native_vlan",
        Shape::Int,
        "the VLAN of untagged frames: access-vlan, or native-vlan of a trunk; 0 for none",
    ),
    field("vlans", VLANS, "the VLANs of tagged frames, in order: trunk-vlans"),
    field(
        "aggregate",
        Shape::Text,
        "the aggregate that the port is a member of (ethernet/config/aggregate-id), or nothing",
    ),
]);
const WANTED: Shape = Shape::Record(&[
    field("enabled", Shape::Bool, "whether the port is up").optional(),
    field("mode", MODE, "one network without tags, or several").optional(),
    field("native_vlan", Shape::Int, "the VLAN of untagged frames; 0 for none, of a trunk").optional(),
    field("vlans", VLANS, "the VLANs of tagged frames of a trunk, and no others").optional(),
    field("aggregate", Shape::Text, "the aggregate that the port is a member of; \"\" for none").optional(),
]);

pub const ROWS: &[Effect] = &[
    Effect {
        module: "port",
        name: "read",
        args: &[NODE, INTERFACE],
        kind: Kind::Read,
        deadline: ASK,
        doc: "Reads the port of the switch that the interface is plugged into.",
        returns: SEEN,
        example: "let port = port::read(node, \"nic1\");",
        made_of: &[],
    },
    Effect {
        module: "port",
        name: "set",
        args: &[NODE, INTERFACE, arg("settings", WANTED)],
        kind: Kind::Ensure,
        deadline: ASK,
        doc: "Makes sure that the interface's port is set so, with one request; what is left out stays as it is.",
        returns: Shape::Nothing,
        example: "port::set(node, \"nic1\", #{ enabled: true, mode: \"access\", native_vlan: 20 });",
        made_of: &[],
    },
    Effect {
        module: "port",
        name: "shut",
        args: &[NODE, INTERFACE],
        kind: Kind::Ensure,
        deadline: ASK,
        doc: "Makes sure that the interface's port is shut; its VLANs stay as they are.",
        returns: Shape::Nothing,
        example: "port::shut(node, \"nic1\");",
        made_of: &[],
    },
];
