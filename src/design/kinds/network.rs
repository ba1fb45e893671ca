//! `network`: an IPv4 network, its ranges and routes, and whether we answer DHCP on it.
//!
//! Describes only; `build/network.rs` makes the typed value.

use crate::design::schema::{Shape, Type, slot};

pub const NETWORK: Shape =
    Shape::keyed("network", "").arguments(&[slot("name", Type::Text).at("").required()]).children(&[&[
        Shape::once("cidr").arguments(&[slot("cidr", Type::Cidr).required()]).required(),
        Shape::once("gateway").arguments(&[slot("gateway", Type::Address).required()]),
        Shape::once("vlan").arguments(&[slot("vlan", Type::Int { least: 1, most: 4094 }).required()]),
        // The limits are a rule's, which says why.
        Shape::once("mtu").arguments(&[slot("mtu", Type::Int { least: 0, most: i64::MAX }).required()]),
        Shape::many("dns").arguments(&[slot("dns", Type::Address).rest().required()]),
        Shape::once("domain").arguments(&[slot("domain", Type::Text).required()]),
        Shape::once("route-domain").arguments(&[slot("route-domain", Type::Text).required()]),
        Shape::listed("range", "ranges").arguments(&[
            slot("kind", Type::OneOf(&["static", "dhcp", "reserved"])).required(),
            slot("first", Type::Address).required(),
            slot("last", Type::Address).required(),
        ]),
        // To a network, or to all networks of a route domain.
        Shape::listed("route", "routes").arguments(&[slot("to", Type::Cidr)]).properties(&[
            slot("route-domain", Type::Text),
            slot("gateway", Type::Address).required(),
            slot("metric", Type::Int { least: 0, most: u32::MAX as i64 }),
        ]),
        Shape::once("dhcp")
            .under("dhcp")
            .properties(&[slot("mode", Type::OneOf(&["server", "proxy", "off"])).required()])
            .children(&[DHCP]),
        Shape::keyed("label", "labels")
            .arguments(&[slot("name", Type::Text).required(), slot("value", Type::Text).at("").required()]),
    ]]);

const DHCP: &[Shape] = &[
    Shape::once("range")
        .arguments(&[slot("first", Type::Address).required(), slot("last", Type::Address).required()]),
    Shape::once("lease").arguments(&[slot("lease", Type::Duration).required()]),
    // The agent on this network that passes requests on (RFC 2131, giaddr), and where it sends them.
    Shape::keyed("relay", "relays")
        .arguments(&[slot("address", Type::Address).required()])
        .properties(&[slot("upstream", Type::Address)]),
];
