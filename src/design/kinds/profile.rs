//! `profile`: what is put on a kind of node; it may extend other profiles.
//!
//! Describes only. Of several parents the later one is nearer.

use super::host;
use crate::design::schema::{Shape, Type, slot};

const PARENT: Type = Type::Reference("profile");

pub const PROFILE: Shape = Shape::keyed("profile", "")
    .arguments(&[slot("name", Type::Text).at("").required()])
    .properties(&[slot("extends", PARENT).split()])
    .children(&[
        &[Shape::many("extends").arguments(&[slot("extends", PARENT).rest().required()])],
        host::EVERYWHERE,
        host::MARKS,
        host::HOST,
    ]);
