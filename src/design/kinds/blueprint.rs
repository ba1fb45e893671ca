//! `blueprint`: a named graph of steps made from tasks.
//!
//! Describes only; `build/blueprint.rs` orders the steps.

use super::param::DECLARED;
use crate::design::schema::{Shape, Type, slot};
use crate::model::hazard::{Hazard, Phase};

pub const BLUEPRINT: Shape =
    Shape::keyed("blueprint", "").arguments(&[slot("name", Type::Text).at("").required()]).children(&[&[
        Shape::once("doc").arguments(&[slot("doc", Type::Prose).required()]),
        DECLARED,
        Shape::keyed("step", "steps")
            .arguments(&[slot("name", Type::Text).required()])
            .properties(&[
                slot("task", Type::Reference("task")).required(),
                slot("phase", Type::OneOf(Phase::WORDS)),
                slot("after", Type::Text).split(),
                slot("hazard", Type::OneOf(Hazard::WORDS)),
                slot("was", Type::Text),
            ])
            .children(&[STEP]),
    ]]);

/// More retries than this help nobody: each waits twice as long as the one before.
const MOST_RETRIES: i64 = 100;

const STEP: &[Shape] = &[
    Shape::many("after").arguments(&[slot("after", Type::Text).rest().required()]),
    Shape::once("retry")
        .under("retry")
        .arguments(&[slot("count", Type::Int { least: 0, most: MOST_RETRIES }).required()])
        .properties(&[slot("backoff", Type::Duration)]),
    Shape::once("timeout").arguments(&[slot("timeout", Type::Duration).required()]),
    Shape::keyed("param", "params")
        .arguments(&[
            slot("name", Type::ScriptName).required(),
            slot("value", Type::Scalar).at("").required(),
        ])
        .properties(&[slot("version", Type::SecretVersion).at("")]),
];
