//! `secret`: the secrets that a task declares, as opaque values.

use super::{Effect, Kind, Shape, arg, seconds};

pub const ROWS: &[Effect] = &[
    Effect {
        module: "secret",
        name: "check",
        args: &[arg("secret", Shape::Secret)],
        kind: Kind::Read,
        deadline: seconds(30),
        doc: "Sees that a secret can be fetched, and lets go of it; a rehearsal, which needs none, fetches none.",
        returns: Shape::Nothing,
        example: "secret::check(secret::get(\"api-token\"));",
        made_of: &[],
    },
    Effect {
        module: "secret",
        name: "get",
        args: &[arg("name", Shape::Text)],
        kind: Kind::Read,
        deadline: seconds(30),
        doc: "Gives a secret that the task declares (`secret \"NAME\" (secret)\"env:X\"`), to be handed on to an effect that takes one; its clear text is fetched there.",
        returns: Shape::Secret,
        example: "let token = secret::get(\"api-token\");",
        made_of: &[],
    },
];
