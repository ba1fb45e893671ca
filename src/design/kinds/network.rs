//! `network`: an IPv4 network, its ranges, and whether we answer DHCP on it.
//!
//! Describes only; `build/network.rs` makes the typed value.

use crate::design::schema::{Shape, Type, slot};

pub const NETWORK: Shape = Shape::keyed("network", "")
    .arguments(&[slot("name", Type::ScriptName).at("").required()])
    .children(&[&[
        Shape::once("cidr").arguments(&[slot("cidr", Type::Cidr).required()]).required(),
        Shape::once("gateway").arguments(&[slot("gateway", Type::Address).required()]),
        Shape::once("vlan").arguments(&[slot("vlan", Type::Int { least: 1, most: 4094 }).required()]),
        // 68 is the least MTU of IPv4 (RFC 791).
        Shape::once("mtu").arguments(&[slot("mtu", Type::Int { least: 68, most: 65535 }).required()]),
        Shape::many("dns").arguments(&[slot("dns", Type::Address).rest().required()]),
        Shape::once("domain").arguments(&[slot("domain", Type::Text).required()]),
        Shape::listed("range", "ranges").arguments(&[
            slot("kind", Type::OneOf(&["static", "reserved"])).required(),
            slot("first", Type::Address).required(),
            slot("last", Type::Address).required(),
        ]),
        Shape::once("dhcp")
            .under("dhcp")
            .properties(&[slot("mode", Type::OneOf(&["server"])).required()])
            .children(&[DHCP]),
    ]]);

const DHCP: &[Shape] = &[
    Shape::once("range")
        .required()
        .arguments(&[slot("first", Type::Address).required(), slot("last", Type::Address).required()]),
    Shape::once("lease").arguments(&[slot("lease", Type::Duration).required()]),
];
