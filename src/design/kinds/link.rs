//! `link`: what a switch port, or a bond of ports, carries.
//!
//! Describes only; whether the parts suit each other is asked by the rules about links.

use crate::design::schema::{Shape, Type, slot};

/// The modes of the Linux bonding driver, by their names.
pub const BOND_MODES: &[&str] = &[
    "disabled",
    "802.3ad",
    "active-backup",
    "balance-rr",
    "balance-xor",
    "broadcast",
    "balance-tlb",
    "balance-alb",
];

/// The transmit hash policies of the Linux bonding driver.
const HASHES: &[&str] = &["layer2", "layer2+3", "layer3+4", "encap2+3", "encap3+4", "vlan+srcmac"];

/// An hour in milliseconds: longer delays are slips of the pen.
const MOST_MS: i64 = 3_600_000;
const MS: Type = Type::Int { least: 0, most: MOST_MS };

pub const LINK: Shape =
    Shape::keyed("link", "").arguments(&[slot("name", Type::Text).at("").required()]).children(&[&[
        Shape::once("bond")
            .under("bond")
            .arguments(&[slot("mode", Type::OneOf(BOND_MODES)).required()])
            .properties(&[
                slot("hash", Type::OneOf(HASHES)),
                slot("peer-rate", Type::OneOf(&["slow", "fast"])),
                // Milliseconds, as the driver takes them.
                slot("monitor-rate", MS),
                slot("up-delay", MS),
                slot("down-delay", MS),
            ]),
        Shape::once("mtu").arguments(&[slot("mtu", Type::Int { least: 0, most: i64::MAX }).required()]),
        Shape::once("speed").arguments(&[slot(
            "speed",
            Type::OneOf(&["auto", "100full", "1gfull", "10gfull", "25gfull", "40gfull", "100gfull"]),
        )
        .required()]),
        Shape::once("trunk").under("trunk").properties(&[
            slot("mode", Type::OneOf(&["802.1q", "disabled"])).or("802.1q"),
            slot("native", Type::Reference("network")),
        ]),
        Shape::many("allow")
            .arguments(&[slot("network", Type::Reference("network")).at("allow").rest().required()]),
        Shape::once("leave-alone").arguments(&[slot("leave-alone", Type::Bool).required()]),
        Shape::keyed("label", "labels")
            .arguments(&[slot("name", Type::Text).required(), slot("value", Type::Text).at("").required()]),
    ]]);
