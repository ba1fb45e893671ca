//! `pxe` effects: boot tickets of installs and agents, and what installed systems said of themselves.

use super::{Live, store_failed, text};
use crate::effect::{Job, Performed, failure, keys};
use crate::model::names;
use crate::model::observed::SYSTEM_SOURCE;
use crate::model::value::Value;
use crate::script::tape::EffectFailure;
use crate::store::{Purpose, StoreError, Ticket, TicketState};

pub async fn perform(live: &Live, job: &Job<'_>) -> Performed {
    let answer = match job.call.effect.name {
        "ticket" => ticket(live, job, Purpose::Install).await,
        "agent_ticket" => ticket(live, job, Purpose::Agent).await,
        "withdraw" => withdraw(live, job).await,
        "report" => report(live, job).await,
        other => Err(failure(format!("this build has no effect `pxe.{other}`"), false)),
    };
    Performed::read(answer)
}

/// The ticket's id is the effect's: asking again finds the same ticket.
async fn ticket(live: &Live, job: &Job<'_>, purpose: Purpose) -> Result<Value, EffectFailure> {
    let fence =
        live.fence.as_ref().ok_or_else(|| failure("no ticket is opened while only looking", false))?;
    let (needed, what) = match purpose {
        Purpose::Install => (&["image.url"][..], "to install"),
        Purpose::Agent => (&["image.kernel.url", "image.initrd.url"][..], "whose ramdisk could be booted"),
    };
    if needed.iter().any(|path| job.target.spec.str_at(path).is_none()) {
        return Err(failure(format!("node `{}` has no image {what}", job.target.node), false));
    }
    let ticket = ticket_of(live, job, purpose, TicketState::Open);
    live.store.open_ticket(fence, ticket).await.map_err(|error| store_failed(&error))?;
    Ok(Value::from(job.id.0.clone()))
}

/// A ticket of this effect; nobody learns its keys but through a boot script, which only an open one has.
pub fn ticket_of(live: &Live, job: &Job<'_>, purpose: Purpose, state: TicketState) -> Ticket {
    let id = job.id.0.clone();
    let key = match purpose {
        Purpose::Install => keys::install_key(&live.boot_secret, &id),
        Purpose::Agent => keys::agent_key(&live.boot_secret, &id),
    };
    Ticket {
        node: job.target.node.clone(),
        run: job.run.to_string(),
        attempt: job.attempt,
        purpose,
        state,
        spec: job.target.spec.clone(),
        install_key: keys::digest(&key),
        home_key: keys::digest(&keys::home_key(&live.boot_secret, &id)),
        created_at: (live.now)(),
        fetched: false,
        report: None,
        id,
    }
}

async fn withdraw(live: &Live, job: &Job<'_>) -> Result<Value, EffectFailure> {
    const FROM: &[TicketState] = &[TicketState::Open];
    let fence = live.fence().map_err(|error| store_failed(&error))?;
    live.store
        .move_ticket(fence, text(job, 1), FROM, TicketState::Withdrawn, None, (live.now)())
        .await
        .map_err(|error| store_failed(&error))?;
    Ok(Value::Null)
}

async fn report(live: &Live, job: &Job<'_>) -> Result<Value, EffectFailure> {
    let failed = |error: StoreError| store_failed(&error);
    let last = live.store.newest_fetched_ticket(&job.target.node).await.map_err(failed)?;
    let Some(last) = last else { return Ok(never_reported()) };
    Ok(said_by(live, &last).await.map_err(failed)?.unwrap_or_else(never_reported))
}

/// What the system that `ticket` put on the disk last said of itself, with names as scripts see them.
/// What another one said before is no longer true: its disk was given to this one, or wiped.
pub async fn said_by(live: &Live, ticket: &Ticket) -> Result<Option<Value>, StoreError> {
    let fact = live.store.fact(&ticket.node, SYSTEM_SOURCE).await?;
    let own = fact.filter(|fact| fact.value.str_at("ticket") == Some(&ticket.id));
    Ok(own.map(|fact| names::to_script(&fact.value)))
}

fn never_reported() -> Value {
    let unknown = || Value::Unknown("no system has reported from this node".into());
    Value::map([
        ("image", Value::map([("name", unknown()), ("checksum", unknown())])),
        ("boot_id", unknown()),
        ("kernel_params", unknown()),
    ])
}
