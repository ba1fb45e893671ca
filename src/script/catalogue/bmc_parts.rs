//! `bmc`: what the machine is made of, how it is, and the volumes of its storage controllers (DSP0268).

use super::{Arg, Effect, Field, Kind, NODE, Shape, arg, field, seconds};

/// A machine with many parts is a request for each; a slow BMC takes a second over one.
const MANY: std::time::Duration = seconds(300);
/// Some requests to look, one to write, and its task.
const WRITE: std::time::Duration = seconds(1200);
const MAYBE_TEXT: Shape = Shape::Maybe(&Shape::Text);
const MAYBE_INT: Shape = Shape::Maybe(&Shape::Int);
const HEALTH: Shape = Shape::Maybe(&Shape::Text);

const FIRMWARE: Shape = Shape::Record(&[
    field("bios", MAYBE_TEXT, "ComputerSystem.BiosVersion"),
    field("bmc", MAYBE_TEXT, "Manager.FirmwareVersion"),
    field("components", Shape::List(&COMPONENT), "the members of UpdateService.FirmwareInventory"),
]);
const COMPONENT: Shape = Shape::Record(&[
    field("component", Shape::Text, "SoftwareInventory.Id"),
    field("name", MAYBE_TEXT, "SoftwareInventory.Name"),
    field("version", MAYBE_TEXT, "SoftwareInventory.Version"),
]);
const PCI_DEVICE: Shape = Shape::Record(&[
    field("id", Shape::Text, "PCIeDevice.Id"),
    field("name", Shape::Text, "PCIeDevice.Name"),
    field("vendor", MAYBE_TEXT, "PCIeFunction.VendorId: four hexadecimal digits in lower case"),
    field("device", MAYBE_TEXT, "PCIeFunction.DeviceId: four hexadecimal digits in lower case"),
    field("class", MAYBE_TEXT, "PCIeFunction.DeviceClass"),
    field("slot", MAYBE_TEXT, "what is printed beside the slot"),
    field("health", HEALTH, "Status.Health in lower case"),
]);
const DRIVE: Shape = Shape::Record(&[
    field("id", Shape::Text, "Drive.Id"),
    field("name", MAYBE_TEXT, "Drive.Name"),
    field("bay", MAYBE_TEXT, "what is printed beside the drive"),
    field("path", Shape::Text, "its place in the service"),
    field("controller", Shape::Text, "Storage.Id of what it is behind"),
    optional("controller_name", "Storage.Name of what it is behind"),
    field("serial", MAYBE_TEXT, "Drive.SerialNumber"),
    field("model", MAYBE_TEXT, "Drive.Model"),
    field("media", MAYBE_TEXT, "Drive.MediaType in lower case: ssd, hdd"),
    field("protocol", MAYBE_TEXT, "Drive.Protocol in lower case: sas, sata, nvme"),
    field("capacity_bytes", MAYBE_INT, "Drive.CapacityBytes"),
    field("health", HEALTH, "Status.Health in lower case"),
    field("failure_predicted", Shape::Maybe(&Shape::Bool), "Drive.FailurePredicted"),
]);
const VOLUME: Shape = Shape::Record(&[
    field("path", Shape::Text, "its place in the service"),
    field("name", MAYBE_TEXT, "Volume.Name"),
    field("controller", Shape::Text, "Storage.Id of what it is of"),
    optional("controller_name", "Storage.Name of what it is of"),
    field(
        "level",
        MAYBE_TEXT,
        "what follows RAID in Volume.RAIDType; none for a bare drive shown as a volume",
    ),
    field("capacity_bytes", MAYBE_INT, "Volume.CapacityBytes"),
    field("drives", Shape::List(&Shape::Text), "the places of its drives in the service"),
    field("health", HEALTH, "Status.Health in lower case"),
]);
const AILING: Shape = Shape::Record(&[
    field("part", Shape::Text, "what it is and what it is called"),
    field("path", Shape::Text, "its place in the service"),
    field(
        "health",
        Shape::Text,
        "warning, critical, or unknown for a part that is listed and cannot be read",
    ),
    field("why", Shape::Text, "what the BMC says of it"),
]);
const STATE: Shape = Shape::Record(&[
    field("rollup", HEALTH, "ComputerSystem.Status.HealthRollup in lower case"),
    field("parts", Shape::List(&AILING), "the parts that are not ok"),
]);
const ALARM: Shape = Shape::Record(&[
    field("path", Shape::Text, "the place of the entry in the service"),
    field("id", Shape::Text, "LogEntry.Id"),
    field("severity", Shape::Word(&["warning", "critical"]), "LogEntry.Severity"),
    field("created", MAYBE_TEXT, "LogEntry.Created"),
    field("message", Shape::Text, "LogEntry.Message"),
]);
const ALARMS: Shape = Shape::Record(&[
    field("alarms", Shape::List(&ALARM), "the newest first, one hundred at most"),
    field("complete", Shape::Bool, "false when the logs hold more than was read, or could not all be read"),
]);
/// Levels that storage controllers offer (`Volume.RAIDType`).
const LEVEL: Shape = Shape::Word(&["0", "1", "5", "6", "10", "50", "60"]);
const NEW_VOLUME: Shape = Shape::Record(&[
    field("level", LEVEL, "what follows RAID in Volume.RAIDType"),
    field("drives", Shape::List(&Shape::Text), "the id, name, bay or serial number of each drive"),
    optional("size", "how large, such as 400GiB; without it all that the drives have left"),
    optional("controller", "Storage.Id or Name, where drives of several controllers are called the same"),
    field(
        "there",
        Shape::List(&Shape::Text),
        "the places of all volumes when it was found missing: one that is none of them, on these drives and at this level, is taken for it",
    )
    .optional(),
]);
const SEEN_VOLUME: Shape = Shape::Record(&[
    field("name", MAYBE_TEXT, "its name when it was looked at"),
    field("level", MAYBE_TEXT, "its level"),
    field("drives", Shape::List(&Shape::Text), "the places of its drives"),
    field("boot", Shape::Bool, "whether the operating system may be on it").optional(),
]);

const fn optional(name: &'static str, doc: &'static str) -> Field {
    field(name, MAYBE_TEXT, doc).optional()
}

pub const ROWS: &[Effect] = &[
    Effect {
        module: "bmc",
        name: "firmware",
        args: &[NODE],
        kind: Kind::Read,
        deadline: MANY,
        doc: "Reads the versions of BIOS, BMC and every component of the firmware inventory, under the names that the BMC gives them.",
        returns: FIRMWARE,
        example: "let versions = bmc::firmware(node);",
        made_of: &[],
    },
    Effect {
        module: "bmc",
        name: "pci_devices",
        args: &[NODE],
        kind: Kind::Read,
        deadline: MANY,
        doc: "Reads the devices on the PCI bus; unknown when the BMC shows none. Of a device that is listed and cannot be read the parts are unknown.",
        returns: Shape::List(&PCI_DEVICE),
        example: "let devices = bmc::pci_devices(node);",
        made_of: &[],
    },
    Effect {
        module: "bmc",
        name: "drives",
        args: &[NODE],
        kind: Kind::Read,
        deadline: MANY,
        doc: "Reads the drives behind the storage controllers; unknown when the BMC shows no storage. Of a drive that is listed and cannot be read the parts are unknown.",
        returns: Shape::List(&DRIVE),
        example: "let drives = bmc::drives(node);",
        made_of: &[],
    },
    Effect {
        module: "bmc",
        name: "health",
        args: &[NODE],
        kind: Kind::Read,
        deadline: MANY,
        doc: "Reads the health of the machine, and which of its parts are not ok: chassis, fans, power supplies, processors, memory, storage, drives, volumes and PCI devices. A drive whose failure is predicted is one of them.",
        returns: STATE,
        example: "let state = bmc::health(node);",
        made_of: &[],
    },
    Effect {
        module: "bmc",
        name: "alarms",
        args: &[NODE],
        kind: Kind::Read,
        deadline: MANY,
        doc: "Reads the entries of severity Warning and Critical in the system event log, or in all logs where there is none, that are not resolved and that no later entry of their sensor takes back; unknown when the BMC shows no log.",
        returns: ALARMS,
        example: "let seen = bmc::alarms(node);",
        made_of: &[],
    },
    Effect {
        module: "bmc",
        name: "volumes",
        args: &[NODE],
        kind: Kind::Read,
        deadline: MANY,
        doc: "Reads the volumes of the storage controllers; unknown when the BMC shows no storage.",
        returns: Shape::List(&VOLUME),
        example: "let volumes = bmc::volumes(node);",
        made_of: &[],
    },
    Effect {
        module: "bmc",
        name: "create_volume",
        args: &[NODE, arg("name", Shape::Text), arg("volume", NEW_VOLUME)],
        kind: Kind::Ensure,
        deadline: WRITE,
        doc: "Makes sure that there is a volume of that name, with that level and on these drives; what was on the drives is lost. A volume without size that fills the same drives is taken for it, whatever it is called. A volume of that name with another level or other drives is an error: none is ever removed to make another. When it is the one that the machine boots from, the node counts as not installed from before the request on.",
        returns: Shape::Nothing,
        example: "bmc::create_volume(node, \"os\", #{ level: \"1\", drives: [\"Bay 0\", \"Bay 1\"], size: \"400GiB\" });",
        made_of: &[],
    },
    Effect {
        module: "bmc",
        name: "delete_volume",
        args: &[NODE, arg("volume", Shape::Text), Arg { name: "seen", shape: SEEN_VOLUME, optional: true }],
        kind: Kind::Ensure,
        deadline: WRITE,
        doc: "Makes sure that there is no volume of that path or name. Everything on it is lost. `seen` is what it was when the script looked: another one is not removed. When the operating system may be on it, the node counts as not installed from before the request on; without `boot` that is any volume that the design does not name as another one.",
        returns: Shape::Nothing,
        example: "bmc::delete_volume(node, \"os\");",
        made_of: &[],
    },
];
