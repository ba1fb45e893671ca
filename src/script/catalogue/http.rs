//! `http`: services beside the machines, such as inventories, ticket systems and load balancers (RFC 9110).

use super::{Arg, Effect, Field, Kind, Shape, arg, field, seconds};

/// All tries of one request; `timeout` bounds each.
const ALL: std::time::Duration = seconds(300);
const URL: Arg = arg("url", Shape::Text);

const HEADERS: Field = field("headers", Shape::Map(&Shape::Secret), "by name").optional();
const USER: Field = field("user", Shape::Text, "for basic authentication, with `password`").optional();
const PASSWORD: Field = field("password", Shape::Secret, "of the user").optional();
const BEARER: Field = field("bearer", Shape::Secret, "a token for the header Authorization").optional();
const EXPECT: Field =
    field("expect", Shape::List(&Shape::Int), "the statuses that are a success; default 200 to 299")
        .optional();
const TIMEOUT: Field = field("timeout", Shape::Duration, "for one try; default 30s, at most 5m").optional();
const CA: Field =
    field("ca", Shape::Text, "certificates in PEM form that are trusted in place of the system's").optional();

pub const READING: Arg = Arg {
    name: "options",
    shape: Shape::Record(&[HEADERS, USER, PASSWORD, BEARER, EXPECT, TIMEOUT, CA]),
    optional: true,
};
const WRITING: Arg = Arg {
    name: "options",
    shape: Shape::Record(&[
        field("body", Shape::Any, "sent as JSON; secrets in it are opened").optional(),
        field("text", Shape::Secret, "sent as plain text").optional(),
        field("form", Shape::Map(&Shape::Secret), "sent as a form").optional(),
        HEADERS,
        USER,
        PASSWORD,
        BEARER,
        EXPECT,
        TIMEOUT,
        CA,
    ]),
    optional: true,
};
pub const ANSWER: Shape = Shape::Record(&[
    field("status", Shape::Int, "the status code"),
    field("headers", Shape::Map(&Shape::Text), "by name in lower case; cookies are kept and not shown"),
    field("body", Shape::Any, "the answer when it is JSON"),
    field("text", Shape::Maybe(&Shape::Text), "the answer when it is not"),
]);

pub const ROWS: &[Effect] = &[
    Effect {
        module: "http",
        name: "get",
        args: &[URL, READING],
        kind: Kind::Read,
        deadline: ALL,
        doc: "Asks for what is at the URL (GET), at most 4 MiB. Redirections are followed, to another host only without secrets; cookies are kept for the node until the run's process ends.",
        returns: ANSWER,
        example: "let books = http::get(\"https://books.example.net/machines/7\").body;",
        made_of: &[],
    },
    Effect {
        module: "http",
        name: "head",
        args: &[URL, READING],
        kind: Kind::Read,
        deadline: ALL,
        doc: "Asks for the headers alone of what is at the URL (HEAD): whether it is there, and how large it is.",
        returns: ANSWER,
        example: "let bytes = http::head(\"https://images.example.net/debian.raw\").headers[\"content-length\"];",
        made_of: &[],
    },
    Effect {
        module: "http",
        name: "put",
        args: &[URL, WRITING],
        kind: Kind::Ensure,
        deadline: ALL,
        doc: "Makes sure that this is at the URL (PUT, which is idempotent: RFC 9110, 9.2.2).",
        returns: ANSWER,
        example: "http::put(\"https://books.example.net/machines/7\", #{ body: #{ rack: \"r1\" }, bearer: secret::get(\"books\") });",
        made_of: &[],
    },
    Effect {
        module: "http",
        name: "delete",
        args: &[URL, WRITING],
        kind: Kind::Ensure,
        deadline: ALL,
        doc: "Makes sure that nothing is at the URL (DELETE); 404 and 410 say that it is so.",
        returns: ANSWER,
        example: "http::delete(\"https://books.example.net/machines/7\");",
        made_of: &[],
    },
    Effect {
        module: "http",
        name: "post",
        args: &[URL, WRITING],
        kind: Kind::Once,
        deadline: ALL,
        doc: "Sends this to the URL (POST), once, with the effect's id as `Idempotency-Key`.",
        returns: ANSWER,
        example: "let ticket = http::post(\"https://tickets.example.net/\", #{ body: #{ about: node.name } }).body;",
        made_of: &[],
    },
    Effect {
        module: "http",
        name: "patch",
        args: &[URL, WRITING],
        kind: Kind::Once,
        deadline: ALL,
        doc: "Changes what is at the URL (PATCH), once, with the effect's id as `Idempotency-Key`.",
        returns: ANSWER,
        example: "http::patch(\"https://books.example.net/machines/7\", #{ body: #{ owner: \"lab\" } });",
        made_of: &[],
    },
];
