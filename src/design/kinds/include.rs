//! `include`: KDL that lies where designs are not looked for by themselves, such as under `templates/`.
//!
//! Describes only; `load.rs` follows it. Files that are loaded anyway are never loaded twice.

use crate::design::schema::{Shape, Type, slot};

pub const INCLUDE: Shape =
    Shape::keyed("include", "").arguments(&[slot("file", Type::File).at("file").required()]);
