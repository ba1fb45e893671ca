//! RESTCONF (RFC 8040) of one switch: its ports as data resources, each with an entity tag.
//!
//! Owns addresses, methods, preconditions and errors. Knows no connections.

use super::model::{self, LIST, Wrong};
use super::{Port, Switch};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub const MEDIA_TYPE: &str = "application/yang-data+json";
const INTERFACES: &str = "/restconf/data/openconfig-interfaces:interfaces";
const ALLOWED: &str = "GET, HEAD, PATCH, PUT";

/// A request, read whole.
pub struct Ask<'a> {
    pub method: &'a Method,
    pub path: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

/// An answer before it becomes HTTP.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
}

/// The port that a path names, with its key decoded (RFC 8040, 3.5.3).
pub fn port_of(path: &str) -> Option<String> {
    let key = path.strip_prefix(INTERFACES)?.strip_prefix("/interface=")?;
    if key.is_empty() || key.contains('/') {
        return None;
    }
    let mut bytes = Vec::with_capacity(key.len());
    let mut rest = key.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// Carries a request out.
pub fn answer(switch: &Switch, authorization: &str, ask: &Ask<'_>) -> Reply {
    let given = ask.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given != Some(authorization) {
        return error(401, "protocol", ("access-denied", "who are you?".into()))
            .with("www-authenticate", "Basic realm=\"RESTCONF\", charset=\"UTF-8\"".into());
    }
    let is_look = [Method::GET, Method::HEAD].contains(ask.method);
    if ask.path == INTERFACES && is_look {
        return all(switch);
    }
    let Some(name) = port_of(ask.path) else { return not_found(ask.path) };
    let port = switch.board().ports.get(&name).cloned();
    let Some(port) = port else { return not_found(ask.path) };
    match *ask.method {
        Method::GET | Method::HEAD => one(switch, &name, &port),
        Method::PATCH | Method::PUT => write(switch, &name, ask),
        _ => error(405, "protocol", ("operation-not-supported", format!("{} is not allowed", ask.method)))
            .with("allow", ALLOWED.into()),
    }
}

fn one(switch: &Switch, name: &str, port: &Port) -> Reply {
    let entry = model::entry(name, port, switch.has_link(name));
    Reply::with_body(200, json!({ LIST: [entry] })).with("etag", tag(port))
}

fn all(switch: &Switch) -> Reply {
    let ports = switch.board().ports.clone();
    let entries = ports.iter().map(|(name, port)| model::entry(name, port, switch.has_link(name)));
    let interfaces = json!({ "interface": entries.collect::<Vec<_>>() });
    Reply::with_body(200, json!({ "openconfig-interfaces:interfaces": interfaces }))
}

/// A plain patch (section 4.6.1), or a replacement of all that can be set (section 4.5).
fn write(switch: &Switch, name: &str, ask: &Ask<'_>) -> Reply {
    let kind =
        ask.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().map(str::trim) != Some(MEDIA_TYPE) {
        return error(415, "protocol", ("invalid-value", format!("the body is not {MEDIA_TYPE}")));
    }
    let Ok(body) = serde_json::from_slice::<Value>(ask.body) else {
        return error(400, "protocol", ("malformed-message", "the body is not JSON".into()));
    };
    let entry = match model::entry_of(name, &body) {
        Ok(entry) => entry,
        Err(wrong) => return error(400, "application", wrong),
    };
    let done = switch.change(|board| {
        let lags = board.ports.iter().filter(|(_, port)| port.lag).map(|(name, _)| name.clone());
        let aggregates: BTreeSet<String> = lags.collect();
        let Some(port) = board.ports.get_mut(name) else { return Ok(None) };
        if !precondition_holds(ask.headers, &tag(port)) {
            return Ok(None);
        }
        let mut changed = if *ask.method == Method::PUT { Port::new(port.lag) } else { port.clone() };
        model::merge(name, &mut changed, entry, &aggregates)?;
        *port = changed;
        Ok(Some(tag(port)))
    });
    match done {
        Ok(Some(tag)) => Reply { status: 204, headers: vec![("etag", tag)], body: None },
        Ok(None) => error(412, "protocol", ("operation-failed", "the port was changed since".into())),
        Err(wrong) => error(400, "application", wrong),
    }
}

/// The entity tag of what can be set (section 3.5.2).
fn tag(port: &Port) -> String {
    let digest = blake3::hash(serde_json::to_string(port).unwrap_or_default().as_bytes());
    format!("\"{}\"", crate::id::hex(&digest.as_bytes()[..8]))
}

fn precondition_holds(headers: &HeaderMap, own: &str) -> bool {
    match headers.get(header::IF_MATCH).map(HeaderValue::to_str) {
        None => true,
        Some(Ok(given)) => given.split(',').map(str::trim).any(|tag| tag == "*" || tag == own),
        Some(Err(_)) => false,
    }
}

fn not_found(path: &str) -> Reply {
    error(404, "application", ("invalid-value", format!("there is no resource {path}")))
}

pub fn busy() -> Reply {
    error(503, "application", ("resource-denied", "the switch is busy".into()))
        .with("retry-after", "1".into())
}

pub fn locked() -> Reply {
    error(409, "protocol", ("lock-denied", "the configuration is locked by session 4711".into()))
}

pub fn too_large() -> Reply {
    error(413, "protocol", ("too-big", "the body is larger than 64 KiB".into()))
}

/// Section 7.1.
fn error(status: u16, kind: &str, (tag, message): Wrong) -> Reply {
    let error = json!({ "error-type": kind, "error-tag": tag, "error-message": message });
    Reply::with_body(status, json!({ "ietf-restconf:errors": { "error": [error] } }))
}

impl Reply {
    fn with_body(status: u16, body: Value) -> Reply {
        Reply { status, headers: Vec::new(), body: Some(body) }
    }

    fn with(mut self, name: &'static str, value: String) -> Reply {
        self.headers.push((name, value));
        self
    }

    /// Makes the answer HTTP.
    pub fn into_response(self) -> Response<Body> {
        let bytes = self.body.as_ref().map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let empty = self.body.is_none();
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if !empty {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        response
    }
}
