//! `agent` effects: an order is given to the agent that a boot ticket of this attempt brought up, and its answer awaited.
//!
//! The order's id is the effect's. A controller that was killed gives the same order again, and the agent answers what came of
//! it the first time.

use super::program::texts;
use super::{Live, store_failed, text};
use crate::effect::{Job, Performed, failure};
use crate::model::value::Value;
use crate::script::tape::EffectFailure;
use crate::store::{Message, Purpose, Ticket, TicketState};
use crate::units;
use crate::world::agent::{Heard, Inventory, Meant, Method, Order, Stressed, Wiped, Work};
use crate::world::clock::uptime;
use std::time::Duration;

/// The ticket is looked at this often while its agent works: the machine may have booted something else.
const TICKET_LOOK: Duration = Duration::from_secs(5);
/// An agent that is silent may be on its way up again: its machine was restarted, or the controller was. As long as the first
/// `wait::agent` of the tasks.
const RETURNS: Duration = Duration::from_secs(20 * 60);
/// Between two looks at whether the machine of a silent agent is off.
const POWER_LOOK: Duration = Duration::from_secs(30);
/// The deadline of the effect leaves room for this.
const LONGEST_STRESS: Duration = Duration::from_secs(72 * 60 * 60);
/// A long order is spoken of in the run's log each time that so many percent more are done.
const PERCENT: u64 = 10;

pub async fn perform(live: &Live, job: &Job<'_>) -> Performed {
    match job.call.effect.name {
        "inventory" => Performed::read(inventory(live, job).await),
        "stress" => Performed::read(stress(live, job).await),
        "wipe" => wipe(live, job).await,
        "wiped" => Performed::read(wiped(live, job).await),
        other => Performed::read(Err(failure(format!("this build has no effect `agent.{other}`"), false))),
    }
}

async fn inventory(live: &Live, job: &Job<'_>) -> Result<Value, EffectFailure> {
    let ticket = ticket(live, job).await?;
    let answer = carried_out(live, job, &ticket, Work::Inventory).await?;
    scripted(Inventory::of(answer))
}

async fn stress(live: &Live, job: &Job<'_>) -> Result<Value, EffectFailure> {
    let time = units::duration(text(job, 2)).map_err(|error| failure(error.to_string(), false))?;
    let percent = job.call.args.get(3).and_then(Value::as_int).unwrap_or_default();
    let Ok(memory_percent @ 0..=95) = u64::try_from(percent) else {
        return Err(failure(format!("{percent} is no share of the memory: 0 to 95 percent are"), false));
    };
    if time.is_zero() || time > LONGEST_STRESS {
        return Err(failure("a burn-in takes more than nothing, and at most three days", false));
    }
    let ticket = ticket(live, job).await?;
    let seconds = time.as_secs().max(1);
    let answer = carried_out(live, job, &ticket, Work::Stress { seconds, memory_percent }).await?;
    scripted(Stressed::of(answer, seconds))
}

async fn wipe(live: &Live, job: &Job<'_>) -> Performed {
    let before = |why: EffectFailure| Performed::read(Err(why));
    let disks = texts(job.call.args.get(2));
    let method = match text(job, 3) {
        "zero" => Method::Zero,
        "discard" => Method::Discard,
        other => return before(failure(format!("there is no way to wipe a disk called `{other}`"), false)),
    };
    // A name that could not be read is no text: nothing is wiped by half of a list.
    let given = job.call.args.get(2).and_then(Value::as_list).map_or(0, <[Value]>::len);
    if disks.is_empty() || disks.len() != given {
        return before(failure("the disks to be wiped are not all named: nothing is wiped", false));
    }
    let ticket = match ticket(live, job).await {
        Ok(ticket) => ticket,
        Err(why) => return before(why),
    };
    let disks = match meant(live, job, &disks).await {
        Ok(disks) => disks,
        Err(why) => return before(why),
    };
    if let Err(why) = note_wiping(live, job, &ticket).await {
        return before(why);
    }
    let work = Work::Wipe { disks: disks.clone(), method };
    let answer = match carried_out(live, job, &ticket, work).await {
        Ok(answer) => Wiped::of(answer, &disks),
        Err(why) => return Performed { answer: Err(why), wrote: true, perhaps: false },
    };
    let wrote = answer.as_ref().map_or(true, |proof| proof.iter().any(|wiped| !wiped.was_empty));
    Performed { answer: scripted(answer), wrote, perhaps: false }
}

/// The proof of the last wipe, while the ticket that was last at the disks is that of an agent, and the proof is as new.
async fn wiped(live: &Live, job: &Job<'_>) -> Result<Value, EffectFailure> {
    let (store, node) = (&live.store, &job.target.node);
    let last = store.newest_fetched_ticket(node).await.map_err(|error| store_failed(&error))?;
    let Some(last) = last.filter(|ticket| ticket.purpose == Purpose::Agent) else { return Ok(Value::Null) };
    let proof = store.fact(node, "wipe").await.map_err(|error| store_failed(&error))?;
    Ok(proof.filter(|fact| fact.seen_at >= last.created_at).map_or(Value::Null, |fact| fact.value))
}

/// The disks with these ids, as the journal has the last inventory of this attempt.
async fn meant(live: &Live, job: &Job<'_>, ids: &[String]) -> Result<Vec<Meant>, EffectFailure> {
    let journal = live.store.journal(job.attempt).await.map_err(|error| store_failed(&error))?;
    let answers = journal.iter().rev().filter(|effect| effect.name == "agent.inventory");
    let Some(seen) = answers.filter_map(|effect| effect.answer.as_ref()?.as_ref().ok()).next() else {
        let why = "a wipe is of disks that this attempt has inventoried; call `agent::inventory` first";
        return Err(failure(why, false));
    };
    ids.iter().map(|id| meant_by(seen, id)).collect()
}

fn meant_by(inventory: &Value, id: &str) -> Result<Meant, EffectFailure> {
    let there = inventory.get("disks").and_then(Value::as_list).unwrap_or_default();
    let Some(disk) = there.iter().find(|disk| disk.str_at("id") == Some(id)) else {
        let known: Vec<&str> = there.iter().filter_map(|disk| disk.str_at("id")).collect();
        let known = if known.is_empty() { "none".into() } else { known.join(", ") };
        let restarted = match id.contains('@') {
            true => "; an id with an @ is good until the machine is restarted",
            false => "",
        };
        let why = format!("the machine has no disk `{id}`, it has {known}{restarted}; nothing was wiped");
        return Err(failure(why, false));
    };
    let bytes = disk.get("bytes").and_then(Value::as_int).and_then(|bytes| u64::try_from(bytes).ok());
    let text = |name: &str| disk.str_at(name).map(str::to_string);
    let bytes = bytes.ok_or_else(|| failure(format!("the size of disk `{id}` is not known"), false))?;
    Ok(Meant { id: id.to_string(), bytes, model: text("model"), serial: text("serial") })
}

/// What an agent answered, with the names that scripts see; letter by letter, so that nothing in it is a secret.
fn scripted<T: serde::Serialize>(answer: Result<T, String>) -> Result<Value, EffectFailure> {
    let json = answer.and_then(|answer| serde_json::to_value(answer).map_err(|error| error.to_string()));
    match json {
        Ok(json) => Ok(Value::from_json(&json)),
        Err(why) => Err(failure(format!("the agent's answer is none: {why}"), false)),
    }
}

/// The ticket that the script hands on: of this attempt, and for an agent.
async fn ticket(live: &Live, job: &Job<'_>) -> Result<Ticket, EffectFailure> {
    let id = text(job, 1);
    let found = live.store.ticket(id).await.map_err(|error| store_failed(&error))?;
    let own = found.filter(|ticket| ticket.attempt == job.attempt && ticket.node == job.target.node);
    let ticket = own.ok_or_else(|| failure(format!("`{id}` is no boot ticket of this attempt"), false))?;
    is_agents(&ticket)?;
    Ok(ticket)
}

/// An agent's ticket that is open; the error says what became of it.
pub fn is_agents(ticket: &Ticket) -> Result<(), EffectFailure> {
    if ticket.purpose != Purpose::Agent {
        return Err(failure("the boot ticket installs; `pxe::agent_ticket` opens one for an agent", false));
    }
    match ticket.state {
        TicketState::Open => Ok(()),
        TicketState::Missed => {
            Err(failure("the machine booted what was on its disk instead of the agent", true))
        }
        _ => Err(failure("the boot ticket was withdrawn", false)),
    }
}

/// Before the order: what was installed counts no more, whatever becomes of it.
async fn note_wiping(live: &Live, job: &Job<'_>, ticket: &Ticket) -> Result<(), EffectFailure> {
    let fence = live.fence().map_err(|error| store_failed(&error))?;
    let noted = live.store.note_wiping(fence, ticket, job.record, (live.now)()).await;
    match noted.map_err(|error| store_failed(&error))? {
        true => Ok(()),
        false => Err(failure("the boot ticket was withdrawn", false)),
    }
}

/// Gives the order and waits for its end.
async fn carried_out(
    live: &Live,
    job: &Job<'_>,
    ticket: &Ticket,
    work: Work,
) -> Result<serde_json::Value, EffectFailure> {
    let order = Order { id: job.id.0.clone(), version: env!("CARGO_PKG_VERSION").into(), work };
    let mut errand = live.agents.give(&ticket.id, order, uptime);
    let (mut looked, mut spoke, mut powered) = (uptime(), 0, None);
    loop {
        match errand.news().await {
            Heard::Done(answer) => return Ok(answer),
            Heard::Failed(why) => return Err(failure(format!("the agent failed: {why}"), false)),
            Heard::Silent(quiet) => {
                let off = is_due(powered.get_or_insert(Duration::ZERO), POWER_LOOK)
                    && live.is_off(job.target).await;
                if off || quiet >= RETURNS {
                    return Err(silent(quiet, off));
                }
            }
            Heard::UnderWay { done, of } => {
                let percent = percent(done, of);
                if percent / PERCENT > spoke / PERCENT {
                    spoke = percent;
                    speak(live, job, percent).await;
                }
            }
            Heard::Nothing => {}
        }
        if is_due(&mut looked, TICKET_LOOK) {
            let now = live.store.ticket(&ticket.id).await.map_err(|error| store_failed(&error))?;
            is_agents(&now.ok_or_else(|| failure("the boot ticket is gone", false))?)?;
        }
    }
}

fn silent(quiet: Duration, off: bool) -> EffectFailure {
    let what = if off { "its machine is off" } else { "its machine is not known to be off" };
    failure(format!("the agent was not heard of for {}; {what}", units::short(quiet)), true)
}

fn is_due(last: &mut Duration, every: Duration) -> bool {
    let now = uptime();
    let due = now.saturating_sub(*last) >= every;
    if due {
        *last = now;
    }
    due
}

/// An agent may say what it likes; what is more than all is all.
fn percent(done: u64, of: u64) -> u64 {
    let percent = u128::from(done).saturating_mul(100).checked_div(u128::from(of)).unwrap_or(0);
    u64::try_from(percent.min(100)).unwrap_or(100)
}

/// How far a long order is, in the log of the run. A message that cannot be written is left out.
async fn speak(live: &Live, job: &Job<'_>, percent: u64) {
    let Some(fence) = &live.fence else { return };
    let message = Message {
        run: job.run.to_string(),
        node: Some(job.target.node.clone()),
        step: Some(job.step.clone()),
        at: (live.now)(),
        level: "info",
        text: format!("{}: {percent} % done", job.call.effect.full_name()),
        effect: None,
    };
    if let Err(error) = live.store.write_message(fence, message).await {
        tracing::warn!(node = %job.target.node, %error, "a message of an agent's progress is lost");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_work_is_a_percentage_whatever_an_agent_says() {
        for (done, of, wanted) in [(0, 0, 0), (1, 3, 33), (3, 3, 100), (9, 3, 100), (u64::MAX, u64::MAX, 100)]
        {
            assert_eq!(percent(done, of), wanted);
        }
    }

    #[test]
    fn what_is_meant_by_an_id_is_the_disk_as_it_was_inventoried() {
        let inventory = Value::from_json(&serde_json::json!({"disks": [
            {"id": "S1", "bytes": 512, "model": "PM9A3", "serial": null},
            {"id": "sdb@77aa00bb", "bytes": -1, "model": null, "serial": null},
        ]}));
        let meant = meant_by(&inventory, "S1").unwrap();
        assert_eq!((meant.bytes, meant.model.as_deref(), meant.serial), (512, Some("PM9A3"), None));
        let why = |id: &str| meant_by(&inventory, id).unwrap_err().message;
        assert!(why("S2").ends_with("it has S1, sdb@77aa00bb; nothing was wiped"), "{}", why("S2"));
        assert!(why("sdb@1f3c9a2e").contains("good until the machine is restarted"));
        assert!(why("sdb@77aa00bb").contains("is not known"));
        assert!(meant_by(&Value::Null, "S1").unwrap_err().message.contains("it has none"));
    }

    #[test]
    fn nothing_that_an_agent_answers_is_a_secret() {
        let hostile = serde_json::json!({"$secret": "env:BMC_PASSWORD"});
        let value = scripted(Ok(hostile)).unwrap();
        assert!(matches!(value.get("$secret"), Some(Value::Text(_))), "{value}");
        assert!(scripted::<u8>(Err("it is none".into())).unwrap_err().message.contains("it is none"));
    }
}
