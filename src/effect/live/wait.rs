//! `wait` effects: a condition over stored rows or over what a device shows. It is looked at when
//! the wait begins, at each event, and before its deadline is.

use super::agent::is_agents;
use super::pxe::said_by;
use super::{Live, bmc, dns, http, port, ssh, store_failed, text};
use crate::effect::{Job, failure};
use crate::model::value::Value;
use crate::script::tape::EffectFailure;
use crate::store::{Purpose, TicketState, fact_bell};
use crate::units;
use crate::world::bmc::Power;
use std::time::Duration;

/// Between two looks at a device: the first, and the longest.
const FIRST_LOOK: Duration = Duration::from_millis(100);
const LONGEST_LOOK: Duration = Duration::from_secs(5);
/// A row is looked at this often even when nobody rings.
const ROW_LOOK: Duration = Duration::from_secs(30);

pub async fn perform(live: &Live, job: &Job<'_>) -> Result<Value, EffectFailure> {
    match job.call.effect.name {
        // Boxed where a device is asked, so that those who wait for a row hold no room for it.
        "powered_on" => Box::pin(powered(live, job, Power::On)).await,
        "powered_off" => Box::pin(powered(live, job, Power::Off)).await,
        "agent" => ticket(live, job, Until::Agent).await,
        "installed" => ticket(live, job, Until::Installed).await,
        "booted" => ticket(live, job, Until::Booted).await,
        "port_up" => Box::pin(linked(live, job)).await,
        "fact" => fact(live, job).await,
        "http" => Box::pin(answered(live, job)).await,
        "resolves" => Box::pin(resolves(live, job)).await,
        "ssh" => Box::pin(reached(live, job)).await,
        "time" => {
            tokio::time::sleep(left(live, job)).await;
            Ok(Value::Null)
        }
        other => Err(failure(format!("this build has no effect `wait.{other}`"), false)),
    }
}

/// How much of the wait is left; its deadline is stored, not counted anew.
fn left(live: &Live, job: &Job<'_>) -> Duration {
    job.until.map_or(Duration::ZERO, |until| until.since((live.now)()))
}

/// The wait as its script wrote it.
fn within(job: &Job<'_>) -> String {
    let written = text(job, job.call.args.len().saturating_sub(1));
    units::duration(written).map(units::short).unwrap_or_else(|_| written.to_string())
}

async fn powered(live: &Live, job: &Job<'_>, wanted: Power) -> Result<Value, EffectFailure> {
    let mut pause = FIRST_LOOK;
    loop {
        let looked = match live.hardware.controller(job.target).await {
            Ok(controller) => controller.redfish.power().await.map_err(|error| bmc::failed(&error)),
            Err(why) => Err(why),
        };
        match looked {
            Ok(power) if power == wanted => return Ok(Value::Null),
            Err(why) if !why.transient => return Err(why),
            _ => {}
        }
        let left = left(live, job);
        if left.is_zero() {
            let seen =
                looked.map_or_else(|why| why.message, |power| format!("it is {}", bmc::power_word(power)));
            let why = format!("not {} within {}: {seen}", bmc::power_word(wanted), within(job));
            return Err(failure(why, true));
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(LONGEST_LOOK);
    }
}

/// A login that is refused may be a system that is not ready yet; another host key is another machine.
async fn reached(live: &Live, job: &Job<'_>) -> Result<Value, EffectFailure> {
    let mut pause = FIRST_LOOK;
    loop {
        let why = match ssh::reached(live, job).await {
            Ok(()) => return Ok(Value::Null),
            Err(why) if !why.transient => return Err(why),
            Err(why) => why.message,
        };
        let left = left(live, job);
        if left.is_zero() {
            return Err(failure(format!("not reached within {}: {why}", within(job)), true));
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(LONGEST_LOOK);
    }
}

/// A switch that is busy may answer later; one that has no such port never does.
async fn linked(live: &Live, job: &Job<'_>) -> Result<Value, EffectFailure> {
    let mut pause = FIRST_LOOK;
    loop {
        let seen = match port::link(live, job).await {
            Ok(Ok(())) => return Ok(Value::Null),
            Ok(Err(seen)) => seen,
            Err(why) if !why.transient => return Err(why),
            Err(why) => why.message,
        };
        let left = left(live, job);
        if left.is_zero() {
            return Err(failure(format!("no link within {}: {seen}", within(job)), true));
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(LONGEST_LOOK);
    }
}

/// Until the newest fact of a source holds every value that is wanted.
async fn fact(live: &Live, job: &Job<'_>) -> Result<Value, EffectFailure> {
    let (node, source) = (&job.target.node, text(job, 1));
    let wanted = job.call.args.get(2).cloned().unwrap_or_default();
    let bell = live.store.bell.of(&fact_bell(node, source));
    loop {
        let rung = bell.notified();
        tokio::pin!(rung);
        rung.as_mut().enable();
        let newest = live.store.fact(node, source).await.map_err(|error| store_failed(&error))?;
        let missing = match &newest {
            None => Some(format!("no fact `{source}` is recorded")),
            Some(fact) => missing(&wanted, &fact.value),
        };
        match (missing, newest) {
            (None, Some(fact)) => return Ok(fact.value),
            (missing, _) if left(live, job).is_zero() => {
                let missing = missing.unwrap_or_default();
                return Err(failure(format!("not so within {}: {missing}", within(job)), true));
            }
            _ => {}
        }
        let _ = tokio::time::timeout(left(live, job).min(ROW_LOOK), rung).await;
    }
}

/// The first leaf that is not as wanted, in words.
fn missing(wanted: &Value, seen: &Value) -> Option<String> {
    wanted.leaves().into_iter().find_map(|(path, want)| match seen.at(&path) {
        Some(is) if is == want => None,
        Some(is) => Some(format!("`{path}` is {}, wanted {}", is.redacted(), want.redacted())),
        None => Some(format!("`{path}` is not there, wanted {}", want.redacted())),
    })
}

async fn answered(live: &Live, job: &Job<'_>) -> Result<Value, EffectFailure> {
    let mut pause = FIRST_LOOK;
    loop {
        let why = match http::answer(live, job).await? {
            Ok(answer) => return Ok(answer),
            Err(why) => why,
        };
        let left = left(live, job);
        if left.is_zero() {
            return Err(failure(format!("no answer as expected within {}: {why}", within(job)), true));
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(LONGEST_LOOK);
    }
}

async fn resolves(live: &Live, job: &Job<'_>) -> Result<Value, EffectFailure> {
    let name = text(job, 0);
    let mut pause = FIRST_LOOK;
    loop {
        let seen = match dns::resolves(live, job, name).await {
            Ok(true) => return Ok(Value::Null),
            Ok(false) => "there is no such record".to_string(),
            Err(why) if !why.transient => return Err(why),
            Err(why) => why.message,
        };
        let left = left(live, job);
        if left.is_zero() {
            return Err(failure(format!("`{name}` has no address within {}: {seen}", within(job)), true));
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 2).min(LONGEST_LOOK);
    }
}

/// What is waited for at a boot ticket.
#[derive(Clone, Copy)]
enum Until {
    /// Its agent has said hello.
    Agent,
    /// Its image is on the disk.
    Installed,
    /// The system that it installed has booted.
    Booted,
}

async fn ticket(live: &Live, job: &Job<'_>, until: Until) -> Result<Value, EffectFailure> {
    let id = text(job, 1);
    let bell = live.store.bell.of(id);
    loop {
        let rung = bell.notified();
        tokio::pin!(rung);
        rung.as_mut().enable();
        if let Some(answer) = look_at_ticket(live, id, until).await? {
            return Ok(answer);
        }
        let left = left(live, job);
        if left.is_zero() {
            let what = match until {
                Until::Agent => "no agent said hello",
                Until::Installed => "the installer did not report",
                Until::Booted => "no boot report",
            };
            return Err(failure(format!("{what} within {}", within(job)), true));
        }
        let _ = tokio::time::timeout(left.min(ROW_LOOK), rung).await;
    }
}

async fn look_at_ticket(live: &Live, id: &str, until: Until) -> Result<Option<Value>, EffectFailure> {
    let row = live.store.ticket(id).await.map_err(|error| store_failed(&error))?;
    let Some(ticket) = row else { return Err(failure(format!("there is no boot ticket {id}"), false)) };
    let booted = match until {
        Until::Agent => {
            is_agents(&ticket)?;
            return Ok(ticket.report.map(|_| Value::Null));
        }
        _ if ticket.purpose == Purpose::Agent => {
            return Err(failure("the boot ticket is an agent's; `wait::agent` waits for it", false));
        }
        Until::Installed => false,
        Until::Booted => true,
    };
    let said =
        || ticket.report.as_ref().and_then(|report| report.str_at("why")).unwrap_or("no reason").to_string();
    match ticket.state {
        TicketState::Booted => {
            let said = said_by(live, &ticket).await.map_err(|error| store_failed(&error))?;
            Ok(if booted { said } else { Some(Value::Null) })
        }
        TicketState::Installed => Ok((!booted).then_some(Value::Null)),
        TicketState::Open => Ok(None),
        TicketState::Failed => Err(failure(format!("the installer failed: {}", said()), true)),
        TicketState::Missed => {
            Err(failure("the machine booted what was on its disk instead of the installer", true))
        }
        TicketState::Withdrawn => Err(failure("the boot ticket was withdrawn", false)),
    }
}
