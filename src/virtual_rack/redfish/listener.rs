//! The port of one BMC: accepts connections and answers requests, with the faults that were ordered.
//!
//! Owns connections, their limits, and what a fault does to an answer. What a request means is `redfish`'s.

use super::super::faults::Failure;
use super::super::log::Entry;
use super::super::machine::Machine;
use super::reply::Reply;
use super::{Ask, answer, is_mutating};
use axum::body::{Body, Bytes, to_bytes};
use axum::http::request::Parts;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The largest body that a BMC takes.
const BODY_BYTES: usize = 64 * 1024;
/// Open connections to one BMC; one more waits in the backlog.
const CONNECTIONS: usize = 64;
/// Even a connection that is kept alive ends after this time.
const LIFETIME: Duration = Duration::from_secs(1800);
/// The longest body that the log tells.
const LOGGED_BYTES: usize = 4096;

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped")]
struct Dropped;

/// Serves the BMC of `machine` until the task is ended; its connections end with it.
pub async fn serve(listener: TcpListener, machine: Arc<Machine>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        while connections.len() >= CONNECTIONS {
            connections.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(connection(stream, machine.clone()));
            }
            Err(error) => {
                tracing::warn!(node = %machine.spec.node, %error, "a BMC cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, machine: Arc<Machine>) {
    // Small answers should not wait for more.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| handle(machine.clone(), request));
    let served =
        http1::Builder::new().max_buf_size(16 * 1024).serve_connection(TokioIo::new(stream), service);
    // How a connection ends is the client's affair.
    let _ = tokio::time::timeout(LIFETIME, served).await;
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
    let short = &body[..body.len().min(LOGGED_BYTES)];
    let told = match serde_json::from_slice::<Value>(short) {
        Ok(body) => Some(body),
        Err(_) if body.is_empty() => None,
        Err(_) => Some(Value::String(String::from_utf8_lossy(short).into_owned())),
    };
    machine.around.log.add(&Entry {
        node: &machine.spec.node,
        kind: "request",
        phase: "end",
        method: Some(parts.method.as_str()),
        path: Some(parts.uri.path()),
        body: told,
        status: Some(status),
        effect: parts.headers.get("X-Rackwright-Effect").and_then(|value| value.to_str().ok()),
        dropped: dropped.then_some(true),
        ..Entry::default()
    });
}
