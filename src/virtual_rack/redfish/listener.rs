//! Requests to one BMC, with the faults that were ordered.
//!
//! Owns what a fault does to an answer. Connections are `wire`'s, what a request means is `redfish`'s.

use super::super::faults::Failure;
use super::super::log::{Entry, told};
use super::super::machine::Machine;
use super::super::wire::{BODY_BYTES, Device, Dropped};
use super::reply::Reply;
use super::{Ask, answer, is_mutating};
use axum::body::{Body, Bytes, to_bytes};
use axum::http::request::Parts;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Device for Machine {
    fn name(&self) -> &str {
        &self.spec.node
    }

    async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Dropped> {
        handle(self, request).await
    }
}

async fn handle(machine: Arc<Machine>, request: Request<Incoming>) -> Result<Response<Body>, Dropped> {
    let count = machine.requests.fetch_add(1, Ordering::Relaxed);
    let fault = machine.around.faults.of_request(&machine.spec.node, count);
    let responding = machine.live().board.responding;
    if !responding || fault.failure == Some(Failure::Hang) {
        return std::future::pending().await;
    }
    if let Some(delay) = fault.delay {
        tokio::time::sleep(delay).await;
    }
    if fault.failure == Some(Failure::DropBefore) {
        return Err(Dropped);
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(Body::new(body), BODY_BYTES).await;
    let reply = match &body {
        _ if fault.failure == Some(Failure::Busy) => Reply::busy(),
        Ok(body) => {
            let ask = Ask { method: &parts.method, path: parts.uri.path(), headers: &parts.headers, body };
            answer(&machine, &ask)
        }
        Err(_) => Reply::too_large(),
    };
    let dropped = fault.failure == Some(Failure::DropAfter);
    if is_mutating(&parts.method, parts.uri.path()) {
        log(&machine, &parts, &body.unwrap_or_default(), reply.status, dropped);
    }
    if dropped { Err(Dropped) } else { Ok(reply.into_response()) }
}

fn log(machine: &Machine, parts: &Parts, body: &Bytes, status: u16, dropped: bool) {
    machine.around.log.add(&Entry {
        node: &machine.spec.node,
        kind: "request",
        phase: "end",
        method: Some(parts.method.as_str()),
        path: Some(parts.uri.path()),
        body: told(body),
        status: Some(status),
        effect: parts.headers.get("X-Rackwright-Effect").and_then(|value| value.to_str().ok()),
        dropped: dropped.then_some(true),
        ..Entry::default()
    });
}
