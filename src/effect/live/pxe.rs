//! `pxe` effects: boot tickets, and what installed systems said of themselves.

use super::{Live, store_failed, text};
use crate::effect::{Job, Performed, failure, keys};
use crate::model::value::Value;
use crate::script::tape::EffectFailure;
use crate::store::{Ticket, TicketState};

/// The fact source under which boot reports are kept.
pub const SYSTEM: &str = "system";

pub async fn perform(live: &Live, job: &Job<'_>) -> Performed {
    let answer = match job.call.effect.name {
        "ticket" => ticket(live, job).await,
        "withdraw" => withdraw(live, job).await,
        "report" => report(live, job).await,
        other => Err(failure(format!("this build has no effect `pxe.{other}`"), false)),
    };
    Performed::read(answer)
}

/// The ticket's id is the effect's: asking again finds the same ticket.
async fn ticket(live: &Live, job: &Job<'_>) -> Result<Value, EffectFailure> {
    let fence =
        live.fence.as_ref().ok_or_else(|| failure("no ticket is opened while only looking", false))?;
    if job.target.spec.str_at("image.url").is_none() {
        return Err(failure(format!("node `{}` has no image to install", job.target.node), false));
    }
    let id = job.id.0.clone();
    let ticket = Ticket {
        node: job.target.node.clone(),
        run: job.run.to_string(),
        state: TicketState::Open,
        spec: job.target.spec.clone(),
        install_key: keys::digest(&keys::install_key(&live.boot_secret, &id)),
        home_key: keys::digest(&keys::home_key(&live.boot_secret, &id)),
        created_at: (live.now)(),
        report: None,
        id,
    };
    live.store.open_ticket(fence, ticket).await.map_err(|error| store_failed(&error))?;
    Ok(Value::from(job.id.0.clone()))
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
    let fact = live.store.fact(&job.target.node, SYSTEM).await.map_err(|error| store_failed(&error))?;
    Ok(fact.map_or_else(never_reported, |fact| fact.value))
}

fn never_reported() -> Value {
    let unknown = || Value::Unknown("no system has reported from this node".into());
    Value::map([
        ("image", Value::map([("name", unknown()), ("checksum", unknown())])),
        ("boot-id", unknown()),
        ("kernel-params", unknown()),
    ])
}
