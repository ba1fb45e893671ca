//! By which host key a node's installed system is known: the design's, or the first that was seen.
//!
//! Owns when another key is no surprise: only when the machine has been installed since. What is pinned is a fact, with the
//! boot ticket of the system that showed it.

use super::{Live, store_failed};
use crate::effect::{Job, failure};
use crate::model::observed::HOST_KEY_SOURCE;
use crate::model::value::Value;
use crate::script::tape::EffectFailure;
use crate::store::{Message, TicketState};
use crate::world::ssh::HostKey;
use std::sync::Arc;

/// What is known before a connection is made.
pub struct Pin {
    /// The only key that is right now; absent when one is to be pinned.
    pub meant: Option<String>,
    /// What was pinned before, if anything.
    before: Option<String>,
    /// The ticket by which the system was installed that a key is pinned for; empty for one that we did not install.
    installed_by: String,
}

pub async fn expected(live: &Live, job: &Job<'_>) -> Result<Pin, EffectFailure> {
    let target = job.target;
    if let Some(key) = target.spec.str_at("ssh.host-key") {
        let meant = Some(key.to_string());
        return Ok(Pin { meant, before: None, installed_by: String::new() });
    }
    let ticket =
        live.store.newest_fetched_ticket(&target.node).await.map_err(|error| store_failed(&error))?;
    if ticket.as_ref().is_some_and(|ticket| ticket.state == TicketState::Open) {
        let why = format!("an installer is at work on node `{}`: nobody knows its host key yet", target.node);
        return Err(failure(why, true));
    }
    let installed_by = ticket.map(|ticket| ticket.id).unwrap_or_default();
    let fact = live.store.fact(&target.node, HOST_KEY_SOURCE).await.map_err(|error| store_failed(&error))?;
    let before = fact.as_ref().and_then(|fact| fact.value.str_at("key")).map(str::to_string);
    let same_system =
        fact.as_ref().is_some_and(|fact| fact.value.str_at("installed-by") == Some(&installed_by));
    Ok(Pin { meant: before.clone().filter(|_| same_system), before, installed_by })
}

/// Pins the key of a machine that nobody has judged yet, before anybody logs in to it.
pub async fn keep(live: &Live, job: &Job<'_>, pin: &Pin, key: &HostKey) -> Result<(), EffectFailure> {
    if pin.meant.is_some() {
        return Ok(());
    }
    let Some(fence) = &live.fence else {
        // Nothing is written while only looking, and nothing is trusted that nobody has pinned.
        return match pin.before.as_deref() == Some(&*key.line) {
            true => Ok(()),
            false => {
                let why = format!(
                    "the host key of node `{}` ({}) is not known yet; `apply` pins it, or write `host-key=` in its `ssh`",
                    job.target.node, key.fingerprint
                );
                Err(failure(why, true))
            }
        };
    };
    let value = Value::map([
        ("key", Value::text(&key.line)),
        ("fingerprint", Value::text(&key.fingerprint)),
        ("installed-by", Value::text(&pin.installed_by)),
    ]);
    let now = (live.now)();
    let fact = (job.target.node.clone(), Arc::from(HOST_KEY_SOURCE), value);
    live.store.record_facts(fence, vec![fact], now).await.map_err(|error| store_failed(&error))?;
    if pin.before.as_deref() == Some(&*key.line) || job.run.is_empty() {
        return Ok(());
    }
    let since = if pin.before.is_some() { "since it was installed" } else { "from now on" };
    let message = Message {
        run: job.run.to_string(),
        node: Some(job.target.node.clone()),
        step: Some(job.step.clone()),
        at: now,
        level: "info",
        text: format!("its host key is {} {since}", key.fingerprint),
        effect: Some(job.id.0.clone()),
    };
    live.store.write_message(fence, message).await.map_err(|error| store_failed(&error))
}
