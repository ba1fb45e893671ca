//! `dns`: what names and addresses are on record (RFC 1035).

use super::{Effect, Kind, Shape, arg, seconds};

pub const ROWS: &[Effect] = &[Effect {
    module: "dns",
    name: "lookup",
    args: &[arg("name", Shape::Text), arg("kind", Shape::Word(&["A", "AAAA", "PTR"]))],
    kind: Kind::Read,
    deadline: seconds(60),
    doc: "Looks a whole name up, or for PTR an address, at the node's `dns` servers or else the system's; an empty array says that there is no such record.",
    returns: Shape::List(&Shape::Text),
    example: "let addresses = dns::lookup(\"n1.example.net\", \"A\");",
    made_of: &[],
}];
