//! `secret` effects: only what the task declares, and only as a reference.

use super::text;
use crate::effect::{Job, failure};
use crate::model::value::Value;
use crate::script::tape::EffectFailure;

pub fn perform(job: &Job<'_>) -> Result<Value, EffectFailure> {
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
