//! `nodes`: many machines by a pattern such as `nodes "r{rack}-n{slot:02}" rack="2..20" slot="1..40"`.
//!
//! Describes only; `pattern.rs` reads the pattern and `resolve/` expands it.

use super::{host, node};
use crate::design::schema::{Shape, Type, slot};

pub const NODES: Shape = Shape::keyed("nodes", "")
    .arguments(&[slot("pattern", Type::Text).at("name").required()])
    .properties(&[slot("profile", Type::Reference("profile")), slot("was", Type::Text)])
    .children(&[host::EVERYWHERE, host::MARKS, host::HOST, node::OWN])
    .pattern();
