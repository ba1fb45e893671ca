//! The control side of the rack: the log, and machines and switches seen and changed from outside.
//!
//! Owns the addresses under `/rack`. What a change means is `machine::inspect`'s and `switch::inspect`'s.

use super::RackParts;
use super::machine::{Machine, inspect};
use super::switch::inspect as inspect_switch;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use std::sync::Arc;

/// The routes of the control side.
pub fn router(parts: Arc<RackParts>) -> Router {
    Router::new()
        .route("/rack/log", get(log))
        .route("/rack/nodes", get(nodes))
        .route("/rack/nodes/{name}", get(node).patch(change))
        .route("/rack/switches", get(switches))
        .route("/rack/switches/{name}", get(switch).patch(change_switch))
        .with_state(parts)
}

async fn log(State(parts): State<Arc<RackParts>>) -> Response {
    match parts.around.log.text().await {
        Ok(text) => ([(header::CONTENT_TYPE, "application/x-ndjson")], text).into_response(),
        Err(error) => failure(StatusCode::INTERNAL_SERVER_ERROR, &format!("the log cannot be read: {error}")),
    }
}

async fn nodes(State(parts): State<Arc<RackParts>>) -> Response {
    let nodes: Vec<Value> = parts.machines.iter().map(|machine| inspect::describe(machine)).collect();
    axum::Json(nodes).into_response()
}

async fn node(State(parts): State<Arc<RackParts>>, Path(name): Path<String>) -> Response {
    match find(&parts, &name) {
        Some(machine) => axum::Json(inspect::describe(machine)).into_response(),
        None => unknown(&name),
    }
}

async fn change(State(parts): State<Arc<RackParts>>, Path(name): Path<String>, body: Bytes) -> Response {
    let Some(machine) = find(&parts, &name) else { return unknown(&name) };
    let Ok(Value::Object(wanted)) = serde_json::from_slice::<Value>(&body) else {
        return failure(StatusCode::BAD_REQUEST, "the body is not a JSON object");
    };
    match inspect::change(machine, &wanted) {
        Ok(()) => axum::Json(inspect::describe(machine)).into_response(),
        Err(why) => failure(StatusCode::BAD_REQUEST, &why),
    }
}

async fn switches(State(parts): State<Arc<RackParts>>) -> Response {
    let switches = parts.around.switches.values();
    axum::Json(switches.map(|switch| inspect_switch::describe(switch)).collect::<Vec<Value>>())
        .into_response()
}

async fn switch(State(parts): State<Arc<RackParts>>, Path(name): Path<String>) -> Response {
    match parts.around.switches.get(&name) {
        Some(switch) => axum::Json(inspect_switch::describe(switch)).into_response(),
        None => unknown_switch(&name),
    }
}

async fn change_switch(
    State(parts): State<Arc<RackParts>>,
    Path(name): Path<String>,
    body: Bytes,
) -> Response {
    let Some(switch) = parts.around.switches.get(&name) else { return unknown_switch(&name) };
    let Ok(Value::Object(wanted)) = serde_json::from_slice::<Value>(&body) else {
        return failure(StatusCode::BAD_REQUEST, "the body is not a JSON object");
    };
    match inspect_switch::change(switch, &wanted) {
        Ok(()) => axum::Json(inspect_switch::describe(switch)).into_response(),
        Err(why) => failure(StatusCode::BAD_REQUEST, &why),
    }
}

fn unknown_switch(name: &str) -> Response {
    failure(StatusCode::NOT_FOUND, &format!("the rack has no switch `{name}`"))
}

fn find<'a>(parts: &'a RackParts, name: &str) -> Option<&'a Arc<Machine>> {
    parts.machines.iter().find(|machine| machine.spec.node == name)
}

fn unknown(name: &str) -> Response {
    failure(StatusCode::NOT_FOUND, &format!("the rack has no node `{name}`"))
}

fn failure(status: StatusCode, message: &str) -> Response {
    (status, axum::Json(json!({"error": message}))).into_response()
}
