//! Boot keys: derived from the site's secret and the ticket, so that none is stored.

use crate::id::hex;

const CONTEXT: &str = "rackwright boot keys v1";

/// The key with which the installer of a ticket fetches its order and reports.
pub fn install_key(boot_secret: &str, ticket: &str) -> String {
    derive(boot_secret, "install", ticket)
}

/// The key with which the agent of a ticket says who it is and asks for its orders.
pub fn agent_key(boot_secret: &str, ticket: &str) -> String {
    derive(boot_secret, "agent", ticket)
}

/// The key with which the installed system reports each of its boots.
pub fn home_key(boot_secret: &str, ticket: &str) -> String {
    derive(boot_secret, "home", ticket)
}

/// What the store holds of a key.
pub fn digest(key: &str) -> String {
    blake3::hash(key.as_bytes()).to_hex().to_string()
}

fn derive(boot_secret: &str, purpose: &str, ticket: &str) -> String {
    let material = format!("{boot_secret}\n{purpose}\n{ticket}");
    hex(&blake3::derive_key(CONTEXT, material.as_bytes())[..20])
}
