//! What the machines of a rack share: cables, the relay agent, the log, faults, credentials.
//!
//! Owns the sharing. Knows no machine.

use super::boot::relay::Relay;
use super::faults::{self, Faults};
use super::log::Log;
use super::spec::Fabric;
use super::switch::Switch;
use base64::Engine;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// The user and password of every BMC of a rack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    pub user: String,
    pub password: String,
}

impl Credentials {
    /// The `Authorization` header of basic authentication (RFC 7617).
    pub fn basic(&self) -> String {
        let pair = format!("{}:{}", self.user, self.password);
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
    }
}

/// Everything outside a machine's case.
pub struct Surroundings {
    fabric: RwLock<Fabric>,
    pub link: Ipv4Addr,
    pub relay: Arc<Relay>,
    pub http: reqwest::Client,
    pub log: Log,
    pub faults: Faults,
    pub credentials: Credentials,
    /// The credentials as a request must carry them.
    pub basic: String,
    /// By name.
    pub switches: BTreeMap<String, Arc<Switch>>,
    /// The VLANs on which machines are answered when they boot.
    pub boot_vlans: BTreeSet<u16>,
    seed: u64,
}

impl Surroundings {
    pub fn new(
        relay: Arc<Relay>,
        http: reqwest::Client,
        log: Log,
        faults: Faults,
        credentials: Credentials,
        (link, seed): (Ipv4Addr, u64),
        (switches, boot_vlans): (BTreeMap<String, Arc<Switch>>, BTreeSet<u16>),
    ) -> Surroundings {
        let basic = credentials.basic();
        Surroundings {
            fabric: RwLock::new(Fabric::default()),
            link,
            relay,
            http,
            log,
            faults,
            credentials,
            basic,
            switches,
            boot_vlans,
            seed,
        }
    }

    pub fn fabric(&self) -> Fabric {
        *self.fabric.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn connect(&self, fabric: Fabric) {
        *self.fabric.write().unwrap_or_else(PoisonError::into_inner) = fabric;
    }

    /// A delay from `least` up to half as much more: machines of one kind are not equally quick.
    pub fn about(&self, node: &str, kind: &str, count: u64, least: Duration) -> Duration {
        least.mul_f64(1.0 + 0.5 * faults::draw(self.seed, node, kind, count))
    }
}
