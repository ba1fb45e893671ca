//! HTTP boot: iPXE scripts, orders, reports, and the design's files with ranges (RFC 9110, 14).
//!
//! Translates between HTTP and the desk. File serving is tower-http's; what it may open is [`Folder`]'s choice.

use super::desk::{Boot, BootDesk, Order, Refusal};
use super::folder::{Folder, NotServed};
use super::links::Links;
use super::report::{self, REPORT_LIMIT_BYTES};
use super::{agent, ipxe, quiet::Quiet};
use crate::units::{Mac, Time};
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tower_http::services::ServeFile;

/// Chunks in which files are read: large images, many machines, few system calls.
const CHUNK_BYTES: usize = 128 << 10;
const KEY_LIMIT_BYTES: usize = 128;

pub(super) struct Counter {
    pub desk: Arc<dyn BootDesk>,
    pub links: Links,
    pub files: Option<Folder>,
    pub now: fn() -> Time,
    pub quiet: Quiet,
    /// The services end: whoever waits for an answer gets one.
    pub stop: CancellationToken,
}

pub(super) fn router(counter: Arc<Counter>) -> Router {
    Router::new()
        .route("/health", get(async || "ok\n"))
        .route("/boot/ipxe/{mac}", get(script))
        .route("/boot/order/{key}", get(order))
        .route("/boot/report/{key}", post(take_report))
        .merge(agent::routes())
        .route("/files/{*name}", get(file))
        .route("/tftp/{*name}", get(tftp_file))
        .layer(DefaultBodyLimit::max(REPORT_LIMIT_BYTES))
        .with_state(counter)
}

async fn script(State(counter): State<Arc<Counter>>, Path(mac): Path<String>) -> Response {
    let Ok(mac) = mac.parse::<Mac>() else {
        return (StatusCode::BAD_REQUEST, "this is not a MAC address\n").into_response();
    };
    let text = match counter.desk.boot(mac).await {
        Ok(Boot::Unknown) => {
            return (StatusCode::NOT_FOUND, "no node has this MAC address\n").into_response();
        }
        Ok(Boot::Disk { node }) => ipxe::disk(&node),
        Ok(Boot::Install { node, key, image }) => ipxe::install(&counter.links, &node, &key, &image),
        Ok(Boot::Agent { node, key, image }) => ipxe::agent(&counter.links, &node, &key, &image),
        Err(error) => return counter.unavailable("boot script", &error.0),
    };
    match text {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response(),
        Err(unfit) => {
            tracing::error!(%mac, error = %unfit, "no boot script can be written");
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{unfit}\n")).into_response()
        }
    }
}

async fn order(State(counter): State<Arc<Counter>>, Path(key): Path<String>) -> Response {
    if !is_key(&key) {
        return counter.refused("order", Refusal::Unknown);
    }
    match counter.desk.order(&key).await {
        Ok(order) => Json(written(&counter.links, &key, &order)).into_response(),
        Err(refusal) => counter.refused("order", refusal),
    }
}

async fn take_report(State(counter): State<Arc<Counter>>, Path(key): Path<String>, body: Bytes) -> Response {
    if !is_key(&key) {
        return counter.refused("report", Refusal::Unknown);
    }
    let report = match report::parse(&body) {
        Ok(report) => report,
        Err(why) => {
            return (StatusCode::BAD_REQUEST, format!("the report is malformed: {why}\n")).into_response();
        }
    };
    match counter.desk.report(&key, report).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => counter.refused("report", refusal),
    }
}

async fn file(State(counter): State<Arc<Counter>>, Path(name): Path<String>, request: Request) -> Response {
    serve(counter.files.clone(), &name, request).await
}

async fn tftp_file(
    State(counter): State<Arc<Counter>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    serve(counter.files.as_ref().map(|files| files.join("tftp")), &name, request).await
}

async fn serve(folder: Option<Folder>, name: &str, request: Request) -> Response {
    let Some(folder) = folder else { return StatusCode::NOT_FOUND.into_response() };
    let path = match folder.file(name).await {
        Ok(path) => path,
        Err(NotServed::Missing) => return (StatusCode::NOT_FOUND, "there is no such file\n").into_response(),
        Err(why @ NotServed::Outside) => return (StatusCode::FORBIDDEN, format!("{why}\n")).into_response(),
    };
    match ServeFile::new(path).with_buf_chunk_size(CHUNK_BYTES).try_call(request).await {
        Ok(response) => response.map(Body::new),
        Err(error) => {
            tracing::warn!(name, %error, "a file cannot be read");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl Counter {
    pub fn refused(&self, what: &'static str, refusal: Refusal) -> Response {
        let status = match &refusal {
            Refusal::Unknown => StatusCode::NOT_FOUND,
            Refusal::Stranger => StatusCode::CONFLICT,
            Refusal::Withdrawn => StatusCode::GONE,
            Refusal::Broken(why) => return self.unavailable(what, why),
        };
        (status, format!("{refusal}\n")).into_response()
    }

    /// 503, on which machines ask again. Why is for our log, not for the machine.
    pub fn unavailable(&self, what: &'static str, why: &str) -> Response {
        if let Some(left_out) = self.quiet.speak((self.now)()) {
            tracing::warn!(what, why, left_out, "a machine is told to ask again");
        }
        let retry = [(header::RETRY_AFTER, "1")];
        (StatusCode::SERVICE_UNAVAILABLE, retry, "not now\n").into_response()
    }
}

pub(super) fn is_key(key: &str) -> bool {
    let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    plain && !key.is_empty() && key.len() <= KEY_LIMIT_BYTES
}

/// The order as the agent reads it.
fn written(links: &Links, key: &str, order: &Order) -> Value {
    json!({
        "node": order.node,
        "image": {
            "name": order.image.name,
            "url": links.file(&order.image.url),
            "checksum": order.image.checksum,
            "format": order.image.format,
        },
        "hostname": order.hostname,
        "kernel-params": order.kernel_params,
        "authorized-keys": order.authorized_keys,
        "report": links.report(key),
        "phone-home": links.report(&order.phone_home),
    })
}
