//! `param` of tasks and blueprints: what may be given to them, and what it must be.
//!
//! Describes only; `build/param.rs` makes the typed value.

use crate::design::schema::{Shape, Type, slot};
use crate::model::param::ParamKind;

pub const DECLARED: Shape = Shape::keyed("param", "params")
    .arguments(&[slot("name", Type::ScriptName).required()])
    .properties(&[
        slot("type", Type::OneOf(ParamKind::WORDS)).or("string"),
        slot("required", Type::Bool),
        slot("default", Type::Scalar),
        slot("pattern", Type::Pattern),
        slot("least", Type::Scalar),
        slot("most", Type::Scalar),
        slot("doc", Type::Prose),
    ])
    .children(&[&[
        Shape::many("one-of").arguments(&[slot("value", Type::Text).at("values").rest().required()])
    ]]);
