//! The HTTP clients and the cookies of a process.
//!
//! Owns that cookies are kept apart: one jar for each run and node, for as long as the process lives. What a jar holds is
//! written nowhere.

use reqwest::cookie::Jar;
use reqwest::redirect::Policy;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Jars kept at once, more than there are nodes under way; beyond it all are emptied, and whoever needs one logs in again.
const JARS_AT_MOST: usize = 16_384;
/// Clients kept at once: one for each authority that designs name.
const CLIENTS_AT_MOST: usize = 64;

#[derive(Default)]
pub struct Web {
    jars: Mutex<HashMap<String, Arc<Jar>>>,
    /// By the PEM text of the authorities that they trust; empty: those of the system.
    clients: Mutex<HashMap<String, reqwest::Client>>,
}

impl Web {
    pub(super) fn jar(&self, owner: &str) -> Arc<Jar> {
        let mut jars = lock(&self.jars);
        if jars.len() >= JARS_AT_MOST && !jars.contains_key(owner) {
            jars.clear();
        }
        jars.entry(owner.to_string()).or_default().clone()
    }

    /// The client that trusts these authorities and no others. The error says what is wrong with them.
    pub(super) fn client(&self, ca: &str) -> Result<reqwest::Client, String> {
        if let Some(client) = lock(&self.clients).get(ca) {
            return Ok(client.clone());
        }
        let mut builder = reqwest::Client::builder().no_proxy().redirect(Policy::none()).referer(false);
        if !ca.is_empty() {
            let authorities = reqwest::Certificate::from_pem_bundle(ca.as_bytes())
                .map_err(|_| "`ca` is no certificate in PEM form".to_string())?;
            if authorities.is_empty() {
                return Err("`ca` holds no certificate in PEM form".into());
            }
            builder = builder.tls_certs_only(authorities);
        }
        let client = builder.build().map_err(|error| format!("no HTTP client can be made ({error})"))?;
        let mut clients = lock(&self.clients);
        if clients.len() >= CLIENTS_AT_MOST {
            clients.clear();
        }
        clients.insert(ca.to_string(), client.clone());
        Ok(client)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
