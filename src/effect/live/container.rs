//! `container` effects. A container is named by its effect: whoever begins it again finds it.

use super::Live;
use super::program::{Heard, Options, named, skipped};
use crate::effect::{Found, Job, Performed, failure, images};
use crate::script::tape::EffectFailure;
use crate::units;
use crate::world::container::{self, ContainerError, Engine, Network, Wanted};
use crate::world::program::{Payload, Stream};
use bytes::Bytes;
use std::time::Duration;
use tokio::sync::mpsc;

const PIDS: i64 = 256;
const MOST_PIDS: i64 = 1 << 16;
const MOST_CPUS: i64 = 1024;
const MEMORY: &str = "512MiB";
/// Engines refuse less.
const LEAST_MEMORY_BYTES: u64 = 6 << 20;
/// An engine that is being restarted answers again within this.
const ENGINE_RETURNS: Duration = Duration::from_secs(60);
/// Pieces of output that wait to be written down; more make the engine wait.
const PIECES: usize = 64;
const LOOK_EVERY: Duration = Duration::from_secs(1);

fn failed(error: &ContainerError) -> EffectFailure {
    failure(error.to_string(), error.is_transient())
}

pub async fn perform(live: &Live, job: &Job<'_>) -> Performed {
    let options = Options::of(job, 1);
    if options.is_skipped(live) {
        return skipped(live, job, "the container").await;
    }
    match begun(live, job, &options).await {
        Ok((engine, payload, _turn)) => follow(live, job, engine, &payload, &options).await,
        Err((why, perhaps)) => Performed { answer: Err(why), wrote: perhaps, perhaps },
    }
}

type Begun<'a> = (&'a Engine, Payload, tokio::sync::SemaphorePermit<'a>);

/// The container on its way. An error says whether it may have been begun.
async fn begun<'a>(
    live: &'a Live,
    job: &Job<'_>,
    options: &Options<'_>,
) -> Result<Begun<'a>, (EffectFailure, bool)> {
    let before = |why: EffectFailure| (why, false);
    let (time, payload) = (options.time().map_err(before)?, options.payload(job).map_err(before)?);
    live.outside.folder("containers").map_err(before)?;
    let turn = live.outside.turn().await.map_err(before)?;
    let engine = live.outside.engine().await.map_err(|error| before(failed(&error)))?;
    let word = options.str("image").unwrap_or_default();
    let image = images::ensure(&live.outside, word).await;
    let image = image.map_err(|error| before(failure(error.to_string(), false)))?;
    let wanted = Wanted {
        id: &job.id.0,
        image: &image,
        args: options.texts("args").iter().map(|arg| named(arg, job, live)).collect(),
        env: options.env().map_err(before)?,
        payload: &payload,
        network: match options.str("network") {
            Some("host") => Network::Host,
            Some("bridge") => Network::Bridge,
            _ => Network::None,
        },
        milli_cpus: options.number("cpus", 1, MOST_CPUS).map_err(before)? * 1_000,
        memory_bytes: memory(options).map_err(before)?,
        pids: options.number("pids", PIDS, MOST_PIDS).map_err(before)?,
        until: (live.now)().plus(time),
    };
    match engine.begin_container(&wanted).await {
        Ok(()) => Ok((engine, payload, turn)),
        // Where its answer is missing, it is looked for.
        Err(error) if error.is_transient() => Err((failed(&error), true)),
        // What the engine refused was not begun.
        Err(error) => {
            forget(live, &job.id.0).await;
            Err((failed(&error), false))
        }
    }
}

fn memory(options: &Options<'_>) -> Result<i64, EffectFailure> {
    let text = options.str("memory").unwrap_or(MEMORY);
    let bytes = units::size(text).map_err(|error| failure(error.to_string(), false))?;
    match bytes < LEAST_MEMORY_BYTES {
        true => Err(failure(format!("`memory` is {text}; no container starts with less than 6MiB"), false)),
        false => Ok(i64::try_from(bytes).unwrap_or(i64::MAX)),
    }
}

async fn follow(
    live: &Live,
    job: &Job<'_>,
    engine: &Engine,
    payload: &Payload,
    options: &Options<'_>,
) -> Performed {
    let mut heard = Heard::new(live, job, payload);
    let id = &job.id.0;
    let (sender, mut receiver) = mpsc::channel::<(Stream, Bytes)>(PIECES);
    let hearing = async {
        while let Some((stream, bytes)) = receiver.recv().await {
            heard.take(stream, &bytes).await;
        }
    };
    let (ending, ()) = tokio::join!(engine.follow_container(id, live.now, sender), hearing);
    let ended = match ending {
        Ok(ending) => engine.container_result(id).await.map(|result| (ending, result)),
        Err(error) => Err(error),
    };
    match ended {
        Ok((ending, result)) => heard.performed(ending, &result, options).await,
        Err(error) => Performed { answer: Err(failed(&error)), wrote: true, perhaps: true },
    }
}

/// Whether the container was begun, by its name: it is followed to its end when it was.
pub async fn find_again(live: &Live, job: &Job<'_>) -> Found {
    let options = Options::of(job, 1);
    if options.is_skipped(live) {
        return Found::NotDone;
    }
    let Ok(payload) = options.payload(job) else { return Found::Unknown };
    let began = (live.now)();
    loop {
        let looked = match live.outside.engine().await {
            Ok(engine) => engine.find_container(&job.id.0).await.map(|found| (engine, found)),
            Err(error) => Err(error),
        };
        match looked {
            Ok((_, container::Found::NotBegun)) => return Found::NotDone,
            Ok((engine, _)) => {
                let performed = follow(live, job, engine, &payload, &options).await;
                return if performed.perhaps { Found::Unknown } else { Found::Done(performed) };
            }
            Err(_) if (live.now)().since(began) < ENGINE_RETURNS => tokio::time::sleep(LOOK_EVERY).await,
            Err(_) => return Found::Unknown,
        }
    }
}

/// Its answer is on record: nobody looks for it again. In a rehearsal there may be no engine, and nothing to remove.
pub async fn forget(live: &Live, id: &str) {
    let engine = match live.outside.rehearsed {
        true => live.outside.known_engine(),
        false => live.outside.engine().await.ok(),
    };
    let Some(engine) = engine else { return };
    if let Err(error) = engine.remove_container(id).await {
        tracing::warn!(id, %error, "a container that has ended was not removed");
    }
}

/// The effects whose containers are on the engine, when this process has used one.
pub async fn all_kept(live: &Live) -> Vec<String> {
    match live.outside.known_engine() {
        Some(engine) => engine.containers().await.unwrap_or_default(),
        None => Vec::new(),
    }
}

/// Nobody waits for it any more: it is killed and removed.
pub async fn end(live: &Live, id: &str) {
    match live.outside.engine().await {
        Ok(engine) => {
            if let Err(error) = engine.remove_container(id).await {
                tracing::warn!(id, %error, "a container of a cancelled run was not removed");
            }
        }
        Err(error) => tracing::warn!(id, %error, "a container of a cancelled run may go on"),
    }
}
