//! `hardware`: what a kind of machine is. Its values go below `hardware` in a node's spec.
//!
//! Describes only. BIOS attributes are data: any name, with text, an integer or a bool.

use super::{host, storage};
use crate::design::schema::{Shape, Type, slot};

/// No machine has more drives or devices of a kind.
const MOST_PARTS: i64 = 256;
/// `Drive.MediaType` (DSP0268), in lower case.
const MEDIA: &[&str] = &["ssd", "hdd", "smr"];
/// `Drive.Protocol` (DSP0268), in lower case.
const PROTOCOLS: &[&str] = &["sas", "sata", "nvme"];

pub const HARDWARE: Shape = Shape::keyed("hardware", "")
    .arguments(&[slot("name", Type::Text).at("hardware.name").required()])
    .children(&[OWN, host::MARKS]);

const OWN: &[Shape] = &[
    Shape::once("vendor").arguments(&[slot("vendor", Type::Text).at("hardware.vendor").required()]),
    Shape::once("model").arguments(&[slot("model", Type::Text).at("hardware.model").required()]),
    Shape::once("generation")
        .arguments(&[slot("generation", Type::Text).at("hardware.generation").required()]),
    Shape::once("version").arguments(&[slot("version", Type::Text).at("hardware.version").required()]),
    Shape::once("boot-mode")
        .arguments(&[slot("boot-mode", Type::OneOf(&["uefi", "bios"])).at("hardware.boot-mode").required()]),
    Shape::once("boot-protocol").arguments(&[slot("boot-protocol", Type::OneOf(&["pxe", "http"]))
        .at("hardware.boot-protocol")
        .required()]),
    Shape::once("pxe-interface")
        .arguments(&[slot("pxe-interface", Type::Text).at("hardware.pxe-interface").required()]),
    Shape::once("bios").under("hardware.bios").data(Type::Attribute),
    Shape::keyed("firmware", "hardware.firmware")
        .arguments(&[slot("component", Type::Text).required()])
        .properties(&[slot("version", Type::Text).required(), slot("image", Type::Location)]),
    // Exact by `address=`, or the first that fits `address-pattern=`, a regular expression.
    Shape::keyed("alias", "hardware.alias").arguments(&[slot("alias", Type::Text).required()]).properties(&[
        slot("bus", Type::OneOf(&["pci", "scsi", "usb", "nvme", "virtio"])),
        slot("address", Type::Text),
        slot("address-pattern", Type::Pattern),
        slot("device", Type::Text),
    ]),
    // A list of processors as the kernel writes one, such as 2,4-7.
    Shape::keyed("cpuset", "hardware.cpuset").arguments(&[
        slot("name", Type::Text).required(),
        slot("processors", Type::CpuSet).at("").required(),
    ]),
    Shape::keyed("hugepages", "hardware.hugepages")
        .arguments(&[slot("name", Type::Text).required()])
        .properties(&[
            slot("size", Type::PageSize).required(),
            slot("count", Type::Int { least: 1, most: 1 << 32 }).required(),
        ]),
    // What must be in the machine. A device or a drive counts for each line that it fits; `count` is the least.
    Shape::keyed("pci", "hardware.pci").arguments(&[slot("name", Type::Text).required()]).properties(&[
        slot("vendor", Type::PciId),
        slot("device", Type::PciId),
        // Part of the device's name as the BMC writes it, in any case.
        slot("called", Type::Text),
        slot("count", Type::Int { least: 1, most: MOST_PARTS }).or("1"),
    ]),
    Shape::keyed("drives", "hardware.drives").arguments(&[slot("name", Type::Text).required()]).properties(
        &[
            slot("media", Type::OneOf(MEDIA)),
            slot("protocol", Type::OneOf(PROTOCOLS)),
            slot("least-size", Type::Size),
            slot("count", Type::Int { least: 1, most: MOST_PARTS }).or("1"),
        ],
    ),
    // Volumes of the storage controller, made before the operating system sees a disk.
    Shape::keyed("volume", "hardware.volumes")
        .arguments(&[slot("name", Type::Text).required()])
        .properties(&[
            slot("level", Type::OneOf(storage::CONTROLLER_LEVELS)).required(),
            slot("controller", Type::Text),
            slot("size", Type::Size),
            // The machine boots from it: without this volume nothing is installed.
            slot("boot", Type::Bool),
        ])
        .children(&[&[
            Shape::many("drive").arguments(&[slot("drive", Type::Text).at("drives").rest().required()])
        ]]),
];
