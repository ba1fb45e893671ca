//! `bmc` effects that make and remove volumes of a storage controller.
//!
//! Owns what they mean for the node: before the request for a volume that the operating system is on leaves, what was
//! installed counts no more, whatever becomes of the request.

use super::bmc::failed;
use super::{Live, pxe, store_failed, text};
use crate::effect::{Job, Performed, failure};
use crate::model::path::Path;
use crate::model::value::Value;
use crate::script::tape::EffectFailure;
use crate::store::{Purpose, TicketState};
use crate::units;
use crate::world::bmc::{BmcError, Fault, NewVolume, Redfish, SeenVolume, Sent};
use std::time::Duration;

/// What of the effect's deadline is left for saying what became of it.
const LAST_WORD: Duration = Duration::from_secs(60);

pub async fn create(live: &Live, redfish: &Redfish, job: &Job<'_>) -> Performed {
    let before = |why: EffectFailure| Performed::read(Err(why));
    let wanted = match new_volume(job) {
        Ok(wanted) => wanted,
        Err(why) => return before(failure(why, false)),
    };
    let making = match redfish.volume_to_make(&wanted).await {
        Ok(Some(making)) => making,
        Ok(None) => return Performed::read(Ok(Value::Null)),
        Err(error) => return before(failed(&error)),
    };
    if is_boot(&job.target.spec, &wanted.name).unwrap_or(true)
        && let Err(why) = give_disk_up(live, job).await
    {
        return before(why);
    }
    ended(redfish.make_volume(&making, Some(job.id), within(job)).await)
}

pub async fn delete(live: &Live, redfish: &Redfish, job: &Job<'_>) -> Performed {
    let before = |why: EffectFailure| Performed::read(Err(why));
    let seen = job.call.args.get(2).filter(|seen| !seen.is_null());
    let volume = match redfish.volume_to_remove(text(job, 1), seen.map(seen_volume).as_ref()).await {
        Ok(Some(volume)) => volume,
        Ok(None) => return Performed::read(Ok(Value::Null)),
        Err(error) => return before(failed(&error)),
    };
    let said = seen.and_then(|seen| seen.get("boot")).and_then(Value::as_bool);
    let by_name = || volume.name.as_deref().and_then(|name| is_boot(&job.target.spec, name));
    if said.or_else(by_name).unwrap_or(true)
        && let Err(why) = give_disk_up(live, job).await
    {
        return before(why);
    }
    ended(redfish.remove_volume(&volume, Some(job.id), within(job)).await)
}

fn within(job: &Job<'_>) -> Duration {
    job.call.effect.deadline.saturating_sub(LAST_WORD)
}

/// A task that has not ended in all that time is not asked for again by itself.
fn ended(came: Result<(), BmcError>) -> Performed {
    match came {
        Ok(()) => Performed { answer: Ok(Value::Null), wrote: true, perhaps: false },
        Err(error) => {
            let mut why = failed(&error);
            why.transient &= !matches!(*error.fault, Fault::TaskUnfinished { .. });
            Performed { answer: Err(why), wrote: error.sent() == Sent::Perhaps, perhaps: false }
        }
    }
}

/// Whether the machine boots from the volume of that name; `None` for one that the design does not name. Where none is
/// marked, each that is not said to be another is.
fn is_boot(spec: &Value, name: &str) -> Option<bool> {
    let volumes = spec.at(&Path::parse("hardware.volumes")).and_then(Value::as_map)?;
    let mark = |volume: &Value| volume.get("boot").and_then(Value::as_bool);
    let any_marked = || volumes.iter().any(|(_, volume)| mark(volume) == Some(true));
    volumes.get(name).map(|own| mark(own).unwrap_or_else(|| !any_marked()))
}

/// From here on no system counts as installed on the node; nothing is written while requests are only noted.
async fn give_disk_up(live: &Live, job: &Job<'_>) -> Result<(), EffectFailure> {
    if live.hardware.is_on_paper() {
        return Ok(());
    }
    let fence = live.fence().map_err(|error| store_failed(&error))?;
    let ticket = pxe::ticket_of(live, job, Purpose::Agent, TicketState::Withdrawn);
    live.store.give_disk_up(fence, ticket, job.record).await.map_err(|error| store_failed(&error))
}

fn texts_of(list: &[Value]) -> Vec<String> {
    list.iter().filter_map(Value::as_str).map(str::to_string).collect()
}

fn seen_volume(seen: &Value) -> SeenVolume {
    let word = |name: &str| seen.str_at(name).map(str::to_string);
    let drives = seen.get("drives").and_then(Value::as_list).map(texts_of).unwrap_or_default();
    SeenVolume { name: word("name"), level: word("level"), drives }
}

fn new_volume(job: &Job<'_>) -> Result<NewVolume, String> {
    let name = text(job, 1).to_string();
    let given = job.call.args.get(2).cloned().unwrap_or_default();
    let option = |name: &str| given.str_at(name).map(str::to_string);
    let bytes =
        option("size").map(|size| units::size(&size).map_err(|error| error.to_string())).transpose()?;
    if bytes == Some(0) {
        return Err(format!("volume `{name}` cannot have no size"));
    }
    let drives = given.get("drives").and_then(Value::as_list).map(texts_of).unwrap_or_default();
    match (name.is_empty(), drives.is_empty()) {
        (true, _) => return Err("a volume needs a name".into()),
        (_, true) => return Err(format!("volume `{name}` needs drives")),
        _ => {}
    }
    let level = option("level").unwrap_or_default();
    let there = given.get("there").and_then(Value::as_list).map(texts_of);
    Ok(NewVolume { name, level, drives, bytes, controller: option("controller"), there })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marked_volume_or_the_only_one_is_booted_from() {
        let spec = |volumes: serde_json::Value| {
            Value::from_json(&serde_json::json!({ "hardware": { "volumes": volumes } }))
        };
        let two = spec(serde_json::json!({ "os": { "boot": true }, "data": {} }));
        assert_eq!(
            (is_boot(&two, "os"), is_boot(&two, "data"), is_boot(&two, "x")),
            (Some(true), Some(false), None)
        );
        assert_eq!(is_boot(&spec(serde_json::json!({ "os": {} })), "os"), Some(true));
        assert_eq!(is_boot(&spec(serde_json::json!({ "data": { "boot": false } })), "data"), Some(false));
        // Of two of which neither says it, either may be.
        let open = spec(serde_json::json!({ "a": {}, "b": {} }));
        assert_eq!((is_boot(&open, "a"), is_boot(&open, "b")), (Some(true), Some(true)));
        assert_eq!(is_boot(&Value::Null, "os"), None);
    }
}
