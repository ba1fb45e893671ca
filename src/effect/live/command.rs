//! `command` effects. A command is kept in a folder named by its effect: whoever begins it again finds it.

use super::program::{Heard, Options, named, skipped, texts};
use super::{Live, text};
use crate::effect::{Found, Job, Performed, failure};
use crate::model::inventory;
use crate::script::tape::EffectFailure;
use crate::world::command::{self, CommandError, Kept, Order};
use crate::world::program::{Ending, Payload, Stream};
use std::time::Duration;

/// In the kept folder.
const FOLDER: &str = "commands";
/// A command that is told to end has ended within this, by force if need be.
const ENDS: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(50);
const LONGEST_LOOK: Duration = Duration::from_secs(1);

fn failed(error: &CommandError) -> EffectFailure {
    failure(error.to_string(), false)
}

fn kept(live: &Live, id: &str) -> Result<Kept, EffectFailure> {
    Ok(Kept::of(&live.outside.folder(FOLDER)?, id))
}

pub async fn perform(live: &Live, job: &Job<'_>) -> Performed {
    let options = Options::of(job, 3);
    if options.is_skipped(live) {
        return skipped(live, job, &format!("`{}`", text(job, 1))).await;
    }
    match begun(live, job, &options).await {
        Ok((kept, payload, _turn)) => follow(live, job, &kept, &payload, &options).await,
        Err((why, perhaps)) => Performed { answer: Err(why), wrote: perhaps, perhaps },
    }
}

type Begun<'a> = (Kept, Payload, tokio::sync::SemaphorePermit<'a>);

/// The command on its way. An error says whether it may have been begun.
async fn begun<'a>(
    live: &'a Live,
    job: &Job<'_>,
    options: &Options<'_>,
) -> Result<Begun<'a>, (EffectFailure, bool)> {
    let before = |why: EffectFailure| (why, false);
    let (time, payload) = (options.time().map_err(before)?, options.payload(job).map_err(before)?);
    let (kept, env) = (kept(live, &job.id.0).map_err(before)?, options.env().map_err(before)?);
    let args: Vec<String> = texts(job.call.args.get(2)).iter().map(|arg| named(arg, job, live)).collect();
    let turn = live.outside.turn().await.map_err(before)?;
    let wants_inventory = args.iter().any(|arg| arg.contains("{inventory}"));
    let spec = job.target.spec.visible(job.task.visible());
    let inventory =
        wants_inventory.then(|| inventory::of_one(&job.target.node, &job.target.spec, &spec).to_string());
    let order =
        Order::new((text(job, 1), &args, &env), &payload, inventory, &kept.0, (live.now)().plus(time));
    let beginning = kept.clone();
    let began = tokio::task::spawn_blocking(move || beginning.begin(&order)).await;
    match began.map_err(|error| (failure(error.to_string(), false), true))? {
        Ok(()) => Ok((kept, payload, turn)),
        Err(error) => {
            let perhaps = !matches!(kept.find(), Ok(command::Found::NotBegun));
            Err((failed(&error), perhaps))
        }
    }
}

/// Reads what the command writes until its keeper says how it ended.
async fn follow(
    live: &Live,
    job: &Job<'_>,
    kept: &Kept,
    payload: &Payload,
    options: &Options<'_>,
) -> Performed {
    let mut heard = Heard::new(live, job, payload);
    let mut read = [0u64; 2];
    let mut pause = LOOK_EVERY;
    let lost = |why: String| Performed { answer: Err(failure(why, false)), wrote: true, perhaps: true };
    loop {
        // The end first: what had been written by then is read below, to its end.
        let found = match kept.find() {
            Ok(found) => found,
            Err(error) => return lost(error.to_string()),
        };
        let more = match listen(kept, &mut heard, &mut read).await {
            Ok(more) => more,
            Err(error) => return lost(error.to_string()),
        };
        match found {
            command::Found::Running if more => pause = LOOK_EVERY,
            command::Found::Running => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_LOOK);
            }
            command::Found::Ended(_) if more => {}
            command::Found::Ended(ending) => return ended(heard, kept, ending, options).await,
            command::Found::Lost | command::Found::NotBegun => {
                return lost(
                    "whoever looked after the command is gone, and nobody noted how it ended".into(),
                );
            }
        }
    }
}

/// One piece of each output; false when there was nothing more to read.
async fn listen(kept: &Kept, heard: &mut Heard<'_>, read: &mut [u64; 2]) -> Result<bool, CommandError> {
    let mut more = false;
    for stream in [Stream::Out, Stream::Err] {
        let bytes = kept.output(stream, read[stream as usize])?;
        read[stream as usize] += bytes.len() as u64;
        more |= !bytes.is_empty();
        heard.take(stream, &bytes).await;
    }
    Ok(more)
}

async fn ended(heard: Heard<'_>, kept: &Kept, ending: Ending, options: &Options<'_>) -> Performed {
    heard.performed(ending, &kept.result(), options).await
}

/// Whether the command was begun, by its folder: it is followed to its end when it was.
pub async fn find_again(live: &Live, job: &Job<'_>) -> Found {
    let options = Options::of(job, 3);
    if options.is_skipped(live) {
        return Found::NotDone;
    }
    let (Ok(kept), Ok(payload)) = (kept(live, &job.id.0), options.payload(job)) else {
        return Found::Unknown;
    };
    match kept.find() {
        Ok(command::Found::NotBegun) => Found::NotDone,
        Ok(command::Found::Running | command::Found::Ended(_)) => {
            let performed = follow(live, job, &kept, &payload, &options).await;
            if performed.perhaps { Found::Unknown } else { Found::Done(performed) }
        }
        Ok(command::Found::Lost) => {
            kept.remove_given();
            Found::Unknown
        }
        Err(_) => Found::Unknown,
    }
}

/// Its answer is on record: nobody looks for it again.
pub fn forget(live: &Live, id: &str) {
    let Ok(kept) = kept(live, id) else { return };
    if let Err(error) = kept.remove() {
        tracing::warn!(id, %error, "the folder of a command that has ended was not removed");
    }
}

/// The effects whose commands have a folder.
pub fn all_kept(live: &Live) -> Vec<String> {
    live.outside.folder(FOLDER).map(|folder| Kept::all(&folder)).unwrap_or_default()
}

/// Nobody waits for it any more: its keeper ends it, and its folder goes.
pub async fn end(live: &Live, id: &str) {
    let Ok(kept) = kept(live, id) else { return };
    if let Err(error) = kept.stop() {
        tracing::warn!(id, %error, "a command of a cancelled run may go on");
        return;
    }
    let began = (live.now)();
    while matches!(kept.find(), Ok(command::Found::Running)) && (live.now)().since(began) < ENDS {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    forget(live, id);
}
