//! What profiles and nodes say about disks: partitions, volume groups, software RAID, filesystems.
//!
//! Describes only; what fits on what is asked by the rules about storage. A disk's name is an alias of the
//! hardware or the name that the kernel gives it.

use crate::design::schema::{Shape, Type, slot};

/// Levels of the Linux md driver that keep a machine bootable.
const SOFTWARE_LEVELS: &[&str] = &["0", "1", "4", "5", "6", "10"];
/// Levels that storage controllers offer (Redfish `Volume.RAIDType`, DSP0268).
pub const CONTROLLER_LEVELS: &[&str] = &["0", "1", "5", "6", "10", "50", "60"];

const FILESYSTEMS: &[&str] = &["ext2", "ext3", "ext4", "xfs", "btrfs", "vfat", "swap", "none"];

pub const STORAGE: &[Shape] = &[
    Shape::keyed("disk", "storage.disks")
        .arguments(&[slot("disk", Type::Text).required()])
        .properties(&[slot("group", Type::Text), slot("keep", Type::Bool)])
        .children(&[
            LABELS,
            &[Shape::keyed("partition", "partitions")
                .arguments(&[slot("partition", Type::Text).required()])
                .properties(&[
                    slot("size", Type::DiskSize).required(),
                    slot("bootable", Type::Bool),
                    slot("group", Type::Text),
                    slot("uuid", Type::Uuid),
                ])
                .children(&[FILESYSTEM, LABELS])],
        ]),
    Shape::keyed("volume-group", "storage.groups")
        .arguments(&[slot("group", Type::Text).required()])
        .properties(&[slot("uuid", Type::Uuid)])
        .children(&[&[Shape::keyed("volume", "volumes")
            .arguments(&[slot("volume", Type::Text).required()])
            .properties(&[slot("size", Type::DiskSize).required(), slot("uuid", Type::Uuid)])
            .children(&[FILESYSTEM, LABELS])]]),
    // Members are disks, or partitions written as disk/partition.
    Shape::keyed("raid", "storage.raids")
        .arguments(&[slot("raid", Type::Text).required()])
        .properties(&[
            slot("level", Type::OneOf(SOFTWARE_LEVELS)).required(),
            slot("group", Type::Text),
            slot("uuid", Type::Uuid),
        ])
        .children(&[
            FILESYSTEM,
            LABELS,
            &[
                Shape::many("members")
                    .arguments(&[slot("member", Type::Text).at("members").rest().required()]),
                Shape::many("spares").arguments(&[slot("spare", Type::Text).at("spares").rest().required()]),
            ],
        ]),
    // How the disk of the root filesystem is told from the others, when names are not enough.
    Shape::once("root-device").under("storage.root").properties(&[
        slot("name", Type::Text),
        slot("serial", Type::Text),
        slot("wwn", Type::Text),
        slot("model", Type::Text),
        slot("vendor", Type::Text),
        slot("hctl", Type::Text),
        slot("size", Type::DiskSize),
        slot("rotational", Type::Bool),
    ]),
];

const FILESYSTEM: &[Shape] = &[Shape::once("filesystem")
    .under("filesystem")
    .arguments(&[slot("type", Type::OneOf(FILESYSTEMS)).required()])
    .properties(&[
        slot("mount", Type::MountPoint),
        slot("options", Type::Text),
        slot("label", Type::Text),
        slot("uuid", Type::Uuid),
    ])];

const LABELS: &[Shape] = &[Shape::keyed("label", "labels")
    .arguments(&[slot("name", Type::Text).required(), slot("value", Type::Text).at("").required()])];
