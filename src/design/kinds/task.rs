//! `task`: one script, container or command, what it makes true, may read, may call and may harm.
//!
//! Describes only; `build/task.rs` makes the typed value.

use super::param::DECLARED;
use crate::design::schema::{Shape, Type, slot};
use crate::model::hazard::{Aim, Hazard, Scope};

/// The networks that a container may be in.
const NETWORKS: &[&str] = &["none", "bridge", "host"];

pub const TASK: Shape = Shape::keyed("task", "")
    .arguments(&[slot("name", Type::Text).at("").required()])
    .properties(&[
        slot("script", Type::File),
        slot("container", Type::Text),
        slot("command", Type::Text),
        slot("playbook", Type::File),
    ])
    .children(&[&[
        Shape::once("doc").arguments(&[slot("doc", Type::Prose).required()]),
        Shape::once("target").arguments(&[slot("target", Type::OneOf(Aim::WORDS)).required()]),
        Shape::listed("realizes", "realizes")
            .arguments(&[slot("paths", Type::SpecPath).rest().required()])
            .properties(&[slot("hazard", Type::OneOf(Hazard::WORDS)), slot("when", Type::Scalar)]),
        Shape::many("seeds").arguments(&[slot("seeds", Type::SpecPath).rest().required()]),
        Shape::many("uses").arguments(&[slot("uses", Type::SpecPath).rest().required()]),
        Shape::once("hazard").arguments(&[slot("hazard", Type::OneOf(Hazard::WORDS)).required()]),
        Shape::many("allow").arguments(&[slot("allow", Type::Text).rest().required()]),
        Shape::many("template").arguments(&[slot("template", Type::File).at("templates").rest().required()]),
        Shape::keyed("secret", "secrets")
            .arguments(&[slot("name", Type::Text).required(), slot("secret", Type::Secret).at("").required()])
            .properties(&[slot("version", Type::SecretVersion).at("")]),
        Shape::many("programs").arguments(&[slot("programs", Type::Text).rest().required()]),
        Shape::once("args").arguments(&[slot("args", Type::Text).rest().required()]),
        Shape::keyed("environment", "environment")
            .arguments(&[slot("name", Type::Text).required(), slot("value", Type::Text).at("").required()]),
        Shape::once("network").arguments(&[slot("network", Type::OneOf(NETWORKS)).required()]),
        Shape::once("limits").under("limits").properties(&[
            slot("cpus", Type::Int { least: 1, most: 1024 }),
            slot("memory", Type::Size),
            slot("pids", Type::Int { least: 1, most: 65_536 }),
            slot("time", Type::Duration),
        ]),
        Shape::once("reveal-secrets").arguments(&[slot("reveal-secrets", Type::Bool).required()]),
        Shape::once("rehearse").arguments(&[slot("rehearse", Type::OneOf(&["skip", "run"])).required()]),
        Shape::once("timeout").arguments(&[slot("timeout", Type::Duration).required()]),
        Shape::once("settle").arguments(&[slot("settle", Type::Duration).required()]),
        Shape::once("scope").arguments(&[slot("scope", Type::OneOf(Scope::WORDS)).required()]),
        DECLARED,
        Shape::keyed("output", "outputs")
            .arguments(&[slot("name", Type::ScriptName).required()])
            .properties(&[slot("doc", Type::Prose)]),
    ]]);
