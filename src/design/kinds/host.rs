//! What several kinds may say about a node: shared groups of children, each going to one place in the spec.
//!
//! Describes only. `EVERYWHERE` suits a whole site, `MARKS` suits hardware too, `HOST` is what profiles,
//! `nodes` blocks and nodes share; disks are in `storage.rs`, interfaces in `interfaces.rs`.

use super::{interfaces, storage};
use crate::design::schema::{Shape, Type, slot};

/// Settings that make sense for all nodes of a site as well as for one.
pub const EVERYWHERE: &[Shape] = &[
    Shape::once("domain").arguments(&[slot("domain", Type::Text).required()]),
    Shape::many("dns").arguments(&[slot("dns", Type::Address).rest().required()]),
    Shape::many("ntp").arguments(&[slot("ntp", Type::Text).rest().required()]),
    Shape::many("authorized-key")
        .arguments(&[slot("key", Type::Text).at("authorized-keys").rest().required()]),
    Shape::many("use-repository")
        .arguments(&[slot("repository", Type::Reference("repository")).at("repositories").rest().required()]),
];

/// Parameters for scripts: any value, by name.
pub const PARAM: &[Shape] = &[Shape::keyed("param", "params")
    .arguments(&[slot("name", Type::ScriptName).required(), slot("value", Type::Scalar).at("").required()])
    .properties(&[slot("version", Type::SecretVersion).at("")])];

/// Marks and parameters, which hardware, racks and regions may set as well.
pub const MARKS: &[Shape] = &[
    Shape::many("tag").arguments(&[slot("tag", Type::Text).at("tags").rest().required()]),
    Shape::keyed("label", "labels")
        .arguments(&[slot("name", Type::Text).required(), slot("value", Type::Text).at("").required()]),
    Shape::keyed("owner-data", "owner-data")
        .arguments(&[slot("name", Type::Text).required(), slot("value", Type::Text).at("").required()]),
    Shape::keyed("kernel-param", "kernel-params").arguments(&[
        slot("name", Type::Text).required(),
        slot("value", Type::KernelParam).at("").required(),
    ]),
    PARAM[0],
];

/// The management controllers that the language knows.
pub const BMC_KINDS: &[&str] = &["redfish", "ipmi"];

/// What is put on a node, and how it is brought there.
pub const HOST: &[Shape] = &[
    Shape::once("hardware")
        .arguments(&[slot("hardware", Type::Reference("hardware")).at("hardware.name").required()]),
    Shape::once("image").arguments(&[slot("image", Type::Reference("image")).at("image.name").required()]),
    // The kernel of the installed system, one of those that the image offers.
    Shape::once("kernel").arguments(&[slot("kernel", Type::Text).required()]),
    Shape::once("lifecycle").arguments(&[slot("lifecycle", Type::Reference("blueprint")).required()]),
    Shape::once("power").arguments(&[slot("power", Type::OneOf(&["on", "off"])).required()]),
    Shape::once("boot-override")
        .under("boot-override")
        .arguments(&[slot("device", Type::OneOf(&["none", "pxe", "disk", "cd", "http"])).required()])
        // A lasting override is the only one that stays true after a boot, so it is what a bare device means.
        .properties(&[slot("persistence", Type::OneOf(&["once", "continuous"])).or("continuous")]),
    Shape::once("protect").arguments(&[slot("protect", Type::Bool).required()]),
    // Address, user and password may come from different layers: what is missing in the end is a rule.
    Shape::once("bmc").under("bmc").arguments(&[slot("kind", Type::OneOf(BMC_KINDS)).required()]).properties(
        &[
            slot("address", Type::BmcAddress),
            slot("network", Type::Reference("network")),
            slot("user", Type::Text),
            slot("password", Type::Secret),
            slot("version", Type::SecretVersion).at("password"),
            slot("system", Type::Text),
        ],
    ),
    // How the installed system is reached; its parts may come from different layers, too.
    Shape::once("ssh").under("ssh").properties(&[
        slot("address", Type::Host),
        slot("port", Type::Int { least: 1, most: 65_535 }),
        slot("user", Type::Text),
        slot("key", Type::Secret),
        slot("password", Type::Secret),
        slot("host-key", Type::Text),
    ]),
    storage::STORAGE[0],
    storage::STORAGE[1],
    storage::STORAGE[2],
    storage::STORAGE[3],
    interfaces::INTERFACES[0],
    interfaces::INTERFACES[1],
];
