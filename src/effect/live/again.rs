//! Finding a write again that must not be repeated: was it done before this process, or the one before it, ended?
//!
//! Owns what is noted before such a write and what is looked at after it. Where a device shows neither, nobody knows,
//! and the step is in doubt.

use super::{Live, bmc, command, container, ssh};
use crate::effect::{Found, Job, Performed};
use crate::model::value::Value;
use crate::script::catalogue::Effect;
use crate::script::tape::EffectFailure;
use crate::units::Time;
use std::time::Duration;

/// A BMC shows a reset within some seconds of having accepted it; what is not shown by then was never accepted.
const RESET_SHOWS: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(500);

impl Live {
    /// What the device shows before a `once` effect; `Null` where it shows nothing that would tell.
    pub async fn mark(&self, job: &Job<'_>) -> Result<Value, EffectFailure> {
        match job.call.effect.full_name().as_str() {
            "bmc.restart" => self.last_reset(job).await,
            _ => Ok(Value::Null),
        }
    }

    /// Whether a `once` effect that was begun at `since`, after the device had shown `mark`, was done.
    pub async fn find_again(&self, job: &Job<'_>, mark: &Value, since: Time) -> Found {
        match job.call.effect.full_name().as_str() {
            "bmc.restart" if !mark.is_null() => self.find_reset(job, mark, since).await,
            "command.run" => command::find_again(self, job).await,
            "container.run" => container::find_again(self, job).await,
            "ssh.run" => ssh::find_again(self, job).await,
            _ => Found::Unknown,
        }
    }

    /// What was begun goes on without us and is found again: nobody who is told to stop waits for it.
    pub fn goes_on(effect: &Effect) -> bool {
        matches!(effect.module, "command" | "container")
    }

    /// The answer of effect `id` is on record: what was kept for finding it again goes.
    pub async fn forget(&self, name: &str, id: &str) {
        match name {
            "command.run" => command::forget(self, id),
            "container.run" => container::forget(self, id).await,
            _ => {}
        }
    }

    /// Removes what was kept for effects that have their answers by now: a process that was killed may have left some.
    pub async fn sweep(&self) {
        let kept = command::all_kept(self).into_iter().map(|id| ("command.run", id));
        let left: Vec<(&str, String)> =
            kept.chain(container::all_kept(self).await.into_iter().map(|id| ("container.run", id))).collect();
        for (name, id) in left {
            // What is of another store is another's business.
            if matches!(self.store.is_answered(&id).await, Ok(true)) {
                self.forget(name, &id).await;
            }
        }
    }

    /// Ends what effect `id` began and what nobody waits for any more.
    pub async fn end(&self, name: &str, id: &str) {
        match name {
            "command.run" => command::end(self, id).await,
            "container.run" => container::end(self, id).await,
            _ => {}
        }
    }

    /// `LastResetTime` of the ComputerSystem (DSP0268).
    async fn last_reset(&self, job: &Job<'_>) -> Result<Value, EffectFailure> {
        let controller = self.hardware.controller(job.target).await?;
        let time = controller.redfish.last_reset().await.map_err(|error| bmc::failed(&error))?;
        Ok(time.map_or(Value::Null, Value::from))
    }

    /// The machine's last reset is another one than before: it was done. By whom, nobody else may have.
    async fn find_reset(&self, job: &Job<'_>, mark: &Value, since: Time) -> Found {
        loop {
            match self.last_reset(job).await {
                Ok(now) if now.is_null() => return Found::Unknown,
                Ok(now) if now != *mark => {
                    return Found::Done(Performed { answer: Ok(Value::Null), wrote: true, perhaps: false });
                }
                Ok(_) if (self.now)().since(since) >= RESET_SHOWS => return Found::NotDone,
                Err(why) if !why.transient => return Found::Unknown,
                _ => tokio::time::sleep(LOOK_EVERY).await,
            }
        }
    }
}
