//! Requests to one switch, with the faults that were ordered, and their lines in the log.

use super::Served;
use super::restconf::{self, Ask, answer, port_of};
use crate::virtual_rack::faults::Failure;
use crate::virtual_rack::log::{Entry, told};
use crate::virtual_rack::wire::{BODY_BYTES, Device, Dropped};
use axum::body::{Body, Bytes, to_bytes};
use axum::http::request::Parts;
use axum::http::{Method, Request, Response};
use hyper::body::Incoming;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Device for Served {
    fn name(&self) -> &str {
        &self.switch.name
    }

    async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Dropped> {
        let writes = ![Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
        let count = self.switch.requests.fetch_add(1, Ordering::Relaxed);
        let fault = self.faults().of_switch(&self.switch.name, count, writes);
        let silent = self.switch.board().silent;
        if silent || fault.failure == Some(Failure::Hang) {
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
        let reply = match (&body, fault.failure) {
            (_, Some(Failure::Busy)) => restconf::busy(),
            (_, Some(Failure::Refused)) => restconf::locked(),
            (Ok(body), _) => {
                let path = parts.uri.path();
                let ask = Ask { method: &parts.method, path, headers: &parts.headers, body };
                answer(&self.switch, &self.around.basic, &ask)
            }
            (Err(_), _) => restconf::too_large(),
        };
        let dropped = fault.failure == Some(Failure::DropAfter);
        if writes {
            self.tell(&parts, &body.unwrap_or_default(), reply.status, dropped);
        }
        if dropped { Err(Dropped) } else { Ok(reply.into_response()) }
    }
}

impl Served {
    fn tell(&self, parts: &Parts, body: &Bytes, status: u16, dropped: bool) {
        let machine = port_of(parts.uri.path()).and_then(|port| self.switch.end(&port));
        self.log().add(&Entry {
            node: machine.as_ref().map_or("", |(_, machine)| &machine.spec.node),
            switch: Some(&self.switch.name),
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
}
