//! The BMC of each machine: a Redfish service over HTTP (DSP0266).
//!
//! Owns what a request to one BMC means. `listener` owns the faults on it, `resource` the
//! addresses, `reply` the shape of answers; the other files are resources.

pub mod bios;
pub mod desk;
pub mod hardware;
mod listener;
pub mod reply;
pub mod resource;
pub mod storage;
pub mod system;
pub mod tree;

use super::machine::Machine;
use axum::http::{HeaderMap, Method, header};
use reply::Reply;
use resource::Resource;
use serde_json::Value;
use std::sync::Arc;

/// A request, read whole.
pub struct Ask<'a> {
    pub method: &'a Method,
    pub path: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

/// Whether the request changes something that the log is to tell. Sessions do not.
pub fn is_mutating(method: &Method, path: &str) -> bool {
    let writes = [Method::POST, Method::PATCH, Method::PUT, Method::DELETE].contains(method);
    writes && !matches!(Resource::parse(path), Some(Resource::Sessions | Resource::Session(_)))
}

/// Carries a request out.
pub fn answer(machine: &Arc<Machine>, ask: &Ask<'_>) -> Reply {
    let resource = Resource::parse(ask.path);
    let open = match &resource {
        Some(Resource::Versions | Resource::Root | Resource::OData | Resource::Metadata) => true,
        Some(Resource::Sessions) => ask.method == Method::POST,
        _ => false,
    };
    if !open && !is_allowed(machine, ask.headers) {
        return Reply::unauthorized();
    }
    let Some(resource) = resource else { return Reply::not_found(ask.path) };
    let allowed = resource.methods();
    let method = if ask.method == Method::HEAD { &Method::GET } else { ask.method };
    if !allowed.split(", ").any(|name| name == method.as_str()) {
        return Reply::not_allowed(ask.method.as_str(), allowed);
    }
    if method == Method::GET { look(machine, &resource, ask) } else { act(machine, &resource, ask) }
}

/// Basic authentication, or the token of an open session (DSP0266 section 13.3).
fn is_allowed(machine: &Machine, headers: &HeaderMap) -> bool {
    if let Some(token) = headers.get("X-Auth-Token").and_then(|value| value.to_str().ok()) {
        return desk::lock(machine).knows(token);
    }
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    given.is_some_and(|given| given == machine.around.basic)
}

fn look(machine: &Machine, resource: &Resource, ask: &Ask<'_>) -> Reply {
    let path = ask.path.trim_end_matches('/');
    let reply = match resource {
        Resource::System => system::show(machine),
        Resource::Bios => bios::show(machine),
        Resource::BiosSettings => bios::show_pending(machine),
        Resource::BiosRegistry => bios::registry(machine),
        Resource::Sessions => desk::sessions(machine),
        Resource::Session(id) => desk::session(machine, id, path),
        Resource::Tasks => desk::tasks(machine),
        Resource::Task(id) => desk::task(machine, *id, path),
        Resource::TaskMonitor(id) => desk::monitor(machine, *id, path),
        other => tree::show(machine, other),
    };
    reply.unless_known(ask.headers)
}

fn act(machine: &Arc<Machine>, resource: &Resource, ask: &Ask<'_>) -> Reply {
    if let Resource::Session(id) = resource {
        return desk::close(machine, id, ask.path);
    }
    if let Resource::Volume(id) = resource {
        return storage::remove(machine, *id, ask.path);
    }
    let body = match serde_json::from_slice::<Value>(ask.body) {
        Ok(Value::Object(body)) => body,
        // An action without parameters may come without a body.
        Err(_) if ask.body.is_empty() && matches!(resource, Resource::Reset) => Default::default(),
        _ => return Reply::malformed(),
    };
    match resource {
        Resource::Sessions => desk::log_in(machine, &body),
        Resource::System => system::change(machine, &body, ask.headers),
        Resource::Reset => system::reset(machine, &body),
        Resource::BiosSettings => bios::change(machine, &body, ask.headers),
        Resource::Volumes => storage::create(machine, &body),
        _ => Reply::not_found(ask.path),
    }
}
