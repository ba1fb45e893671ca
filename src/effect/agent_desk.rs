//! The desk of agents: whether one is the ticket's, and what passes between it and the script that orders it.
//!
//! A key is good while the attempt that opened its ticket is under way. Who the agent is, is kept in the store; orders and
//! answers pass through the room only.

use super::live::Live;
use super::right_machine;
use crate::model::value::Value;
use crate::store::{Purpose, StoreError, Ticket, TicketState};
use crate::world::agent::{Hello, Next, Order, Said};
use crate::world::boot::{Identity, Refusal};
use crate::world::clock::uptime;
use std::time::Duration;

/// How long a question for an order stands open.
const LONG_POLL: Duration = Duration::from_secs(15);

/// In what is kept of an agent: what it drew when it started.
pub const BOOT: &str = "boot";

fn broken(error: StoreError) -> Refusal {
    Refusal::Broken(error.to_string())
}

/// The ticket behind an agent's key, while it is good.
async fn ticket(live: &Live, digest: &str) -> Result<Ticket, Refusal> {
    let found = live.store.ticket_by_install_key(digest).await.map_err(broken)?;
    let ticket = found.filter(|ticket| ticket.purpose == Purpose::Agent).ok_or(Refusal::Unknown)?;
    let is_good =
        ticket.state == TicketState::Open && live.store.is_under_way(&ticket).await.map_err(broken)?;
    if is_good { Ok(ticket) } else { Err(Refusal::Withdrawn) }
}

/// The ticket behind the key of the agent that said hello last.
async fn of_known(live: &Live, digest: &str, boot: &str) -> Result<Ticket, Refusal> {
    let ticket = ticket(live, digest).await?;
    let known = ticket.report.as_ref().and_then(|agent| agent.str_at(BOOT));
    if known == Some(boot) { Ok(ticket) } else { Err(Refusal::Stranger) }
}

pub async fn hello(live: &Live, digest: &str, hello: Hello) -> Result<(), Refusal> {
    let ticket = ticket(live, digest).await?;
    right_machine::says_hello(live, &ticket, hello.identity.clone()).await?;
    let before = ticket.report.as_ref().map(known_as);
    if before.is_some_and(|before| right_machine::is_another(&hello.identity, &before)) {
        tracing::warn!(node = %ticket.node, "a second agent with another UUID or other MACs was refused");
        return Err(Refusal::Withdrawn);
    }
    let maybe = |text: Option<String>| text.map_or(Value::Null, Value::from);
    let macs = hello.identity.macs.iter().map(|mac| Value::from(mac.to_string())).collect();
    let agent = Value::map([
        (BOOT, Value::from(hello.boot)),
        ("version", Value::from(hello.version)),
        ("uuid", maybe(hello.identity.uuid)),
        ("serial", maybe(hello.identity.serial)),
        ("macs", Value::list(macs)),
    ]);
    let fence = live.fence().map_err(broken)?;
    match live.store.note_agent(fence, &ticket.id, agent, (live.now)()).await.map_err(broken)? {
        true => Ok(()),
        false => Err(Refusal::Withdrawn),
    }
}

/// Who said hello with a ticket, as it is kept.
fn known_as(report: &Value) -> Identity {
    let text = |name: &str| report.str_at(name).map(str::to_string);
    let macs = report.get("macs").and_then(Value::as_list).unwrap_or_default();
    let macs = macs.iter().filter_map(|mac| mac.as_str()?.parse().ok()).collect();
    Identity { uuid: text("uuid"), serial: text("serial"), macs }
}

pub async fn order(live: &Live, digest: &str, next: Next) -> Result<Option<Order>, Refusal> {
    let ticket = of_known(live, digest, &next.boot).await?;
    // Rings when the ticket is withdrawn, or another agent says hello with it.
    let bell = live.store.bell.of(&ticket.id);
    let order = tokio::select! {
        order = live.agents.order(&ticket.id, LONG_POLL, uptime) => order,
        () = bell.notified() => None,
    };
    of_known(live, digest, &next.boot).await.map(|_| order)
}

pub async fn said(live: &Live, digest: &str, said: Said) -> Result<(), Refusal> {
    let ticket = of_known(live, digest, &said.boot).await?;
    live.agents.said(&ticket.id, said, uptime);
    Ok(())
}
