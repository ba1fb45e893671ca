//! `bmc`: the management controller of the task's node (Redfish, DSP0266 and DSP2046).

use super::{Arg, Effect, Kind, NODE, Shape, arg, field, seconds};

/// A BMC answers within a second or two; a slow one within thirty. A minute leaves room for one
/// retry of a request that broke.
const READ: std::time::Duration = seconds(60);
/// Power transitions are awaited: a server that shuts its fans down takes up to a minute.
const POWER: std::time::Duration = seconds(180);
const MAYBE_TEXT: Shape = Shape::Maybe(&Shape::Text);
const IDENTITY: Shape = Shape::Record(&[
    field("uuid", MAYBE_TEXT, "ComputerSystem.UUID"),
    field("serial", MAYBE_TEXT, "ComputerSystem.SerialNumber"),
    field("vendor", MAYBE_TEXT, "ComputerSystem.Manufacturer"),
    field("model", MAYBE_TEXT, "ComputerSystem.Model"),
    field("macs", Shape::List(&Shape::Text), "EthernetInterface.MACAddress of each interface"),
]);
const LASTS: Shape = Shape::Word(&["disabled", "once", "continuous"]);
const OVERRIDE: Shape = Shape::Record(&[
    field("device", Shape::Text, "ComputerSystem.Boot.BootSourceOverrideTarget, as scripts write it"),
    field("persistence", LASTS, "ComputerSystem.Boot.BootSourceOverrideEnabled"),
]);
const DEVICE: Arg = arg("device", Shape::Word(&["none", "pxe", "disk", "cd", "http"]));
const PERSISTENCE: Arg = arg("persistence", LASTS);
const ATTRIBUTES: Arg = arg("attributes", Shape::Map(&Shape::Any));

pub const ROWS: &[Effect] = &[
    Effect {
        module: "bmc",
        name: "identity",
        args: &[NODE],
        kind: Kind::Read,
        deadline: READ,
        doc: "Reads what makes the machine itself: ComputerSystem.UUID, SerialNumber and the MACs of its EthernetInterfaces.",
        returns: IDENTITY,
        example: "let machine = bmc::identity(node);",
        made_of: &[],
    },
    Effect {
        module: "bmc",
        name: "power",
        args: &[NODE],
        kind: Kind::Read,
        deadline: READ,
        doc: "Reads ComputerSystem.PowerState.",
        returns: Shape::Word(&["on", "off", "powering-on", "powering-off"]),
        example: "if bmc::power(node) == \"off\" { return; }",
        made_of: &[],
    },
    Effect {
        module: "bmc",
        name: "inventory",
        args: &[NODE],
        kind: Kind::Read,
        deadline: READ,
        doc: "Reads vendor, model, processors, memory in GiB, BIOS version, NICs and drives, as far as the BMC tells.",
        returns: Shape::Map(&Shape::Any),
        example: "fact::record(node, \"inventory\", bmc::inventory(node));",
        made_of: &[],
    },
    Effect {
        module: "bmc",
        name: "bios",
        args: &[NODE, arg("attributes", Shape::List(&Shape::Text))],
        kind: Kind::Read,
        deadline: READ,
        doc: "Reads the named BIOS attributes as they are in force now; one that the BMC does not report is unknown.",
        returns: Shape::Map(&Shape::Any),
        example: "let seen = bmc::bios(node, [\"BootMode\"]);",
        made_of: &[],
    },
    Effect {
        module: "bmc",
        name: "boot_override",
        args: &[NODE],
        kind: Kind::Read,
        deadline: READ,
        doc: "Reads ComputerSystem.Boot: the override's device and how long it lasts.",
        returns: OVERRIDE,
        example: "let current = bmc::boot_override(node);",
        made_of: &[],
    },
    Effect {
        module: "bmc",
        name: "power_on",
        args: &[NODE],
        kind: Kind::Ensure,
        deadline: POWER,
        doc: "Makes sure that the machine is powered on, and waits until the BMC says so.",
        returns: Shape::Nothing,
        example: "bmc::power_on(node);",
        made_of: &[],
    },
    Effect {
        module: "bmc",
        name: "power_off",
        args: &[NODE],
        kind: Kind::Ensure,
        deadline: POWER,
        doc: "Makes sure that the machine is powered off, by force (ResetType ForceOff), and waits until the BMC says so.",
        returns: Shape::Nothing,
        example: "bmc::power_off(node);",
        made_of: &[],
    },
    Effect {
        module: "bmc",
        name: "power_cycle",
        args: &[NODE],
        kind: Kind::Ensure,
        deadline: POWER,
        doc: "Makes sure that the machine is off, then that it is on.",
        returns: Shape::Nothing,
        example: "bmc::power_cycle(node);",
        made_of: &["bmc.power_off", "bmc.power_on"],
    },
    Effect {
        module: "bmc",
        name: "shut_down",
        args: &[NODE],
        kind: Kind::Ensure,
        deadline: READ,
        doc: "Asks the operating system to shut down (ResetType GracefulShutdown) unless the machine is off; does not wait.",
        returns: Shape::Nothing,
        example: "bmc::shut_down(node);",
        made_of: &[],
    },
    Effect {
        module: "bmc",
        name: "restart",
        args: &[NODE],
        kind: Kind::Once,
        deadline: READ,
        doc: "Restarts the machine by force (ResetType ForceRestart); nothing shows afterwards whether it happened.",
        returns: Shape::Nothing,
        example: "bmc::restart(node);",
        made_of: &[],
    },
    Effect {
        module: "bmc",
        name: "set_bios",
        args: &[NODE, ATTRIBUTES],
        kind: Kind::Ensure,
        deadline: seconds(120),
        doc: "Makes sure that the named BIOS attributes are in force or pending; pending ones take effect at the next reset.",
        returns: Shape::Nothing,
        example: "bmc::set_bios(node, #{ BootMode: \"Uefi\" });",
        made_of: &[],
    },
    Effect {
        module: "bmc",
        name: "set_boot_override",
        args: &[NODE, DEVICE, PERSISTENCE],
        kind: Kind::Ensure,
        deadline: READ,
        doc: "Makes sure that the boot override is the device, for the next boot only, for every boot, or disabled.",
        returns: Shape::Nothing,
        example: "bmc::set_boot_override(node, \"pxe\", \"once\");",
        made_of: &[],
    },
];
