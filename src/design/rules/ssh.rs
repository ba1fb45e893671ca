//! A node on which a task of its lifecycle runs commands has an address, a user and a key or password; a pinned host key
//! is a host key.
//!
//! Why: what cannot be reached fails when it has been installed, and a host key with a slip of the pen fits no machine.
//! Example: `ssh host-key="ssh-ed25519"`. Fix: write `ssh user="…" key=(secret)"file:…"`, and the key as `ssh-keyscan`
//! prints it, without the host, or its fingerprint.

use super::{Context, allowing, subject};
use crate::design::resolve::place_in;
use crate::finding::{Finding, SSH};
use crate::model::value::Value;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

const HELP: &str = "write ssh user=\"…\" key=(secret)\"file:…\" in the node, or in one of its profiles";
const KEY_HELP: &str =
    "write \"ssh-ed25519 AAAA…\", or the fingerprint \"SHA256:…\" that `ssh-keygen -l` prints";

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for resolved in context.nodes {
        let Some(key) = resolved.node.spec.str_at("ssh.host-key").filter(|key| !is_host_key(key)) else {
            continue;
        };
        let shown: String = key.chars().take(40).collect();
        let message = format!("`{shown}` is no host key");
        let place = place_in(&resolved.node, "ssh.host-key");
        findings.push(Finding::new(SSH, subject(resolved), message).at(place).help(KEY_HELP));
    }
    for resolved in allowing(context, "ssh") {
        let spec = &resolved.node.spec;
        let has =
            |key: &str| spec.get("ssh").and_then(|ssh| ssh.get(key)).is_some_and(|value| !value.is_null());
        let mut find = |what: &str, help: &str| {
            let node = &resolved.node;
            let message = format!(
                "`{}` runs commands on node `{}`, which has no {what} for SSH",
                node.lifecycle, node.name
            );
            findings.push(Finding::new(SSH, subject(resolved), message).at(node.place.clone()).help(help));
        };
        if !has("user") {
            find("user", HELP);
        }
        if !has("key") && !has("password") {
            find("key or password", HELP);
        }
        if !has("address") && primary_address(spec).is_none() {
            find("address", "write ssh address=\"…\", or an address on the node's primary network");
        }
    }
}

/// An address that is known before the machine asks for one; `auto` is one of them.
fn primary_address(spec: &Value) -> Option<&str> {
    let network = spec.str_at("primary-network")?;
    spec.get("addresses")?.get(network)?.as_str().filter(|address| *address != "dhcp")
}

/// RFC 4253, 6.6: an algorithm, and a blob that begins with its name; or SHA-256 of the blob.
fn is_host_key(text: &str) -> bool {
    if let Some(digest) = text.strip_prefix("SHA256:") {
        return STANDARD_NO_PAD.decode(digest).is_ok_and(|bytes| bytes.len() == 32);
    }
    let mut words = text.split_whitespace();
    let (Some(kind), Some(blob)) = (words.next(), words.next()) else { return false };
    let Ok(blob) = STANDARD.decode(blob) else { return false };
    let length = u32::try_from(kind.len()).unwrap_or(u32::MAX).to_be_bytes();
    blob.starts_with(&[&length[..], kind.as_bytes()].concat()) && blob.len() > kind.len() + 8
}
