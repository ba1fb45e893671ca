//! The controllers of the nodes: one client each, kept for the life of the process, and the bounds
//! on how many are spoken to at once.

use super::{Target, failure};
use crate::model::trace::Request;
use crate::model::value::Value;
use crate::script::tape::EffectFailure;
use crate::world::bmc::{BmcAddress, Password, Redfish, Written};
use crate::world::secret;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// One request to a BMC; a slow one takes some seconds, a minute is hung.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Requests under way at once, of all BMCs: beyond this the control plane itself becomes slow.
const AT_ONCE: usize = 128;
/// Requests under way at once on one BMC: they are small computers.
const AT_ONCE_PER_BMC: usize = 1;
/// How long a process takes over closing its sessions.
const LOGOUT: Duration = Duration::from_secs(5);

/// Where a BMC of the design really is, when a virtual rack stands in for it.
#[derive(Clone, Debug)]
pub struct Redirect {
    pub endpoint: String,
    pub user: String,
    pub password: Password,
}

pub struct Hardware {
    http: reqwest::Client,
    /// By the design's BMC address; `None` when the design's addresses are the real ones.
    redirects: Option<BTreeMap<String, Redirect>>,
    /// Nothing is written: every client notes what it would send.
    on_paper: bool,
    clients: Mutex<HashMap<(Arc<str>, String), Redfish>>,
    per_bmc: Mutex<HashMap<String, Arc<Semaphore>>>,
    all: Semaphore,
}

/// The right to speak to one BMC, and the client to do it with.
pub struct Controller<'a> {
    pub redfish: Redfish,
    _all: SemaphorePermit<'a>,
    _own: tokio::sync::OwnedSemaphorePermit,
}

impl Hardware {
    pub fn new(http: reqwest::Client, redirects: Option<BTreeMap<String, Redirect>>) -> Hardware {
        Hardware {
            http,
            redirects,
            on_paper: false,
            clients: Mutex::default(),
            per_bmc: Mutex::default(),
            all: Semaphore::new(AT_ONCE),
        }
    }

    /// The same, for tracing: BMCs are asked, and what would be written to them is only noted.
    pub fn on_paper(http: reqwest::Client, redirects: Option<BTreeMap<String, Redirect>>) -> Hardware {
        Hardware { on_paper: true, ..Hardware::new(http, redirects) }
    }

    /// A virtual rack stands in for the design's machines: nothing real is to be touched.
    pub fn is_rehearsal(&self) -> bool {
        self.redirects.is_some()
    }

    /// What would be written is only noted.
    pub fn is_on_paper(&self) -> bool {
        self.on_paper
    }

    /// What was noted for the target's BMC since this was last asked.
    pub fn written(&self, target: &Target) -> Vec<Request> {
        let Ok((_, redfish)) = self.client(target) else { return Vec::new() };
        let request = |written: Written| Request {
            method: written.method,
            path: written.path,
            body: json(written.body),
        };
        redfish.written().into_iter().map(request).collect()
    }

    /// Waits for its turn at the target's BMC.
    pub async fn controller(&self, target: &Target) -> Result<Controller<'_>, EffectFailure> {
        let (address, redfish) = self.client(target)?;
        let own = lock(&self.per_bmc)
            .entry(address)
            .or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE_PER_BMC)))
            .clone();
        let closed = |_| failure("the process is ending", true);
        let own = own.acquire_owned().await.map_err(closed)?;
        let all = self.all.acquire().await.map_err(closed)?;
        Ok(Controller { redfish, _all: all, _own: own })
    }

    fn client(&self, target: &Target) -> Result<(String, Redfish), EffectFailure> {
        let address = target
            .spec
            .str_at("bmc.address")
            .ok_or_else(|| failure(format!("node `{}` has no BMC", target.node), false))?
            .trim_end_matches('/')
            .to_string();
        let key = (target.node.clone(), target.spec.get("bmc").map(Value::digest).unwrap_or_default());
        if let Some(redfish) = lock(&self.clients).get(&key) {
            return Ok((address, redfish.clone()));
        }
        let made = if self.on_paper { Redfish::on_paper } else { Redfish::new };
        let redfish = made(self.address(target, &address)?, self.http.clone(), REQUEST_TIMEOUT);
        lock(&self.clients).insert(key, redfish.clone());
        Ok((address, redfish))
    }

    fn address(&self, target: &Target, address: &str) -> Result<BmcAddress, EffectFailure> {
        if let Some(redirects) = &self.redirects {
            let key = rehearsal_address(&target.spec).unwrap_or_default();
            let redirect = redirects
                .get(&key)
                .ok_or_else(|| failure(format!("the virtual rack has no BMC at {key}"), false))?;
            return Ok(BmcAddress {
                url: redirect.endpoint.clone(),
                user: redirect.user.clone(),
                password: redirect.password.clone(),
                // A rehearsal's BMC has one machine, which knows nothing of the design's name for it.
                system: None,
            });
        }
        if let Some(kind @ "ipmi") = target.spec.str_at("bmc.kind") {
            let message = format!(
                "node `{}` has a BMC of kind {kind}, which this build does not speak to yet; rehearse with --virtual",
                target.node
            );
            return Err(failure(message, false));
        }
        let password = match target.spec.get("bmc").and_then(|bmc| bmc.get("password")) {
            Some(Value::Secret(reference)) => {
                secret::resolve(reference).map_err(|error| failure(error.to_string(), false))?
            }
            _ => Password::new(""),
        };
        let user = target.spec.str_at("bmc.user").unwrap_or("").to_string();
        let system = target.spec.str_at("bmc.system").map(str::to_string);
        Ok(BmcAddress { url: address.to_string(), user, password, system })
    }

    /// Closes every session that was opened: best effort, all at once.
    pub async fn log_out(&self) {
        let clients: Vec<Redfish> = lock(&self.clients).drain().map(|(_, redfish)| redfish).collect();
        let all = futures::future::join_all(clients.iter().map(Redfish::logout));
        let _ = tokio::time::timeout(LOGOUT, all).await;
    }
}

/// What a rehearsal calls a node's BMC: each machine has one of its own there, also where several real ones share a
/// BMC and differ in its `system`.
pub fn rehearsal_address(spec: &Value) -> Option<String> {
    let address = spec.str_at("bmc.address")?.trim_end_matches('/');
    Some(match spec.str_at("bmc.system") {
        Some(system) => format!("{address}#{system}"),
        None => address.to_string(),
    })
}

fn json(body: serde_json::Value) -> Value {
    serde_json::from_value(body).unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
