//! `secret` effects: only what the task declares, and only as a reference.

use super::{Live, text};
use crate::effect::{Job, failure};
use crate::model::value::Value;
use crate::script::tape::EffectFailure;
use crate::world::secret;

pub fn perform(live: &Live, job: &Job<'_>) -> Result<Value, EffectFailure> {
    if job.call.effect.name == "check" {
        return check(live, job).map(|()| Value::Null);
    }
    if job.call.effect.name != "get" {
        return Err(failure(format!("this build has no effect `secret.{}`", job.call.effect.name), false));
    }
    let (name, task) = (text(job, 0), &job.task);
    task.secrets.get(name).map(|reference| Value::Secret(reference.clone())).ok_or_else(|| {
        let why = format!(
            "task `{}` declares no secret `{name}`; add `secret \"{name}\" (secret)\"env:…\"` to it",
            task.name
        );
        failure(why, false)
    })
}

/// A text that is written in clear needs no fetching.
fn check(live: &Live, job: &Job<'_>) -> Result<(), EffectFailure> {
    match job.call.args.first() {
        Some(Value::Secret(reference)) if !live.hardware.is_rehearsal() => {
            secret::whole(reference).map(drop).map_err(|error| failure(error.to_string(), false))
        }
        _ => Ok(()),
    }
}
