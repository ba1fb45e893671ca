//! The endpoints of agents: hello, the next order, and what came of it (`world/agent/PROTOCOL.md`).
//!
//! Translates between HTTP and the desk. The size of a body is judged before it is read, its content before it is handed on.

use super::desk::Refusal;
use super::http::{Counter, is_key};
use crate::world::agent::{HELLO_LIMIT_BYTES, Hello, Next, SAID_LIMIT_BYTES, Said, parse};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Counter>> {
    Router::new()
        .route("/boot/agent/{key}/hello", post(hello).layer(DefaultBodyLimit::max(HELLO_LIMIT_BYTES)))
        .route("/boot/agent/{key}/next", post(next).layer(DefaultBodyLimit::max(HELLO_LIMIT_BYTES)))
        .route("/boot/agent/{key}/said", post(said).layer(DefaultBodyLimit::max(SAID_LIMIT_BYTES)))
}

async fn hello(State(counter): State<Arc<Counter>>, Path(key): Path<String>, body: Bytes) -> Response {
    if !is_key(&key) {
        return counter.refused("hello", Refusal::Unknown);
    }
    let hello: Hello = match parse(&body) {
        Ok(hello) => hello,
        Err(why) => return malformed(&why),
    };
    match counter.desk.agent_hello(&key, hello).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => counter.refused("hello", refusal),
    }
}

async fn next(State(counter): State<Arc<Counter>>, Path(key): Path<String>, body: Bytes) -> Response {
    if !is_key(&key) {
        return counter.refused("order", Refusal::Unknown);
    }
    let next: Next = match parse(&body) {
        Ok(next) => next,
        Err(why) => return malformed(&why),
    };
    tokio::select! {
        order = counter.desk.agent_order(&key, next) => match order {
            Ok(Some(order)) => Json(order).into_response(),
            Ok(None) => StatusCode::NO_CONTENT.into_response(),
            Err(refusal) => counter.refused("order", refusal),
        },
        () = counter.stop.cancelled() => counter.unavailable("order", "the boot services end"),
    }
}

async fn said(State(counter): State<Arc<Counter>>, Path(key): Path<String>, body: Bytes) -> Response {
    if !is_key(&key) {
        return counter.refused("answer", Refusal::Unknown);
    }
    let said: Said = match parse(&body) {
        Ok(said) => said,
        Err(why) => return malformed(&why),
    };
    match counter.desk.agent_said(&key, said).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => counter.refused("answer", refusal),
    }
}

fn malformed(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, format!("the message is malformed: {why}\n")).into_response()
}
