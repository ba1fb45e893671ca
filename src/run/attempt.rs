//! One attempt at one step: is it the right machine, is it true already, do it, see that it is so.

use super::driver::Driver;
use super::execute::Executor;
use super::prepared::PreparedStep;
use super::verdict::{Halt, Verdict};
use crate::effect::observe::{look, script_node};
use crate::effect::{Target, failure};
use crate::model::observed::{Identity, step_source};
use crate::model::record::{NodeRecord, Outcome};
use crate::model::value::Value;
use crate::plan::diff::{self, Comparison};
use crate::script::evaluate::{Function, Program};
use crate::script::tape::EffectFailure;
use crate::store::StepResult;
use crate::units::{self, Time};
use std::sync::Arc;
use std::time::Duration;

/// Between two looks while a result settles: the first, and the longest.
const FIRST_LOOK: Duration = Duration::from_millis(200);
const LONGEST_LOOK: Duration = Duration::from_secs(10);

/// A step of a node, with what the executor knows of both.
pub struct Attempt<'a> {
    pub executor: &'a Executor,
    pub target: &'a Target,
    pub step: &'a PreparedStep,
    pub program: &'a Arc<Program>,
    pub record: Option<&'a NodeRecord>,
}

/// What an attempt learned, for the record.
pub struct Ended {
    pub verdict: Verdict,
    pub identity: Option<Identity>,
}

impl Attempt<'_> {
    /// Makes the attempt `id`, or goes on with it when its journal has begun.
    pub async fn make(&self, id: i64, deadline: Time) -> Result<Ended, Halt> {
        let identity = match self.identity().await {
            Ok(identity) => identity,
            Err(failure) => return Ok(Ended { verdict: Verdict::failed(failure), identity: None }),
        };
        let verdict = self.after_identity(id, deadline, &identity).await?;
        Ok(Ended { verdict, identity: Some(identity) })
    }

    async fn after_identity(&self, id: i64, deadline: Time, identity: &Identity) -> Result<Verdict, Halt> {
        self.note_begun(identity).await?;
        // With nothing in its journal a resumed attempt is as good as new: what it wants may be true by now.
        if !self.executor.live.store.has_journal(id).await? {
            match self.before().await? {
                Ok(None) => {}
                Ok(Some(verdict)) => return Ok(verdict),
                Err(failure) => return Ok(Verdict::failed(failure)),
            }
        }
        let node = script_node(self.target, &self.step.task);
        let driver = Driver {
            live: &self.executor.live,
            fence: &self.executor.fence,
            run: &self.executor.run.0,
            attempt: id,
            deadline,
            target: self.target,
            step: &self.step.pinned.step.name,
            program: self.program,
            node: &node,
            params: &self.step.pinned.step.params,
            cancel: &self.executor.cancel,
        };
        match driver.drive(Function::Apply).await? {
            Verdict::Done => self.settle().await,
            other => Ok(other),
        }
    }

    /// Reads who the machine is; another one than on record, or than the design names, is refused.
    async fn identity(&self) -> Result<Identity, EffectFailure> {
        let identity = self.executor.live.machine(self.target).await?.identity;
        let boot_mac = self.target.spec.str_at("boot-mac").and_then(|text| text.parse().ok());
        let recorded = self.record.and_then(|record| record.identity.as_ref());
        let wrong = recorded
            .and_then(|recorded| identity.differs_from(recorded))
            .or_else(|| identity.lacks_mac(boot_mac));
        match wrong {
            Some(why) => Err(failure(format!("another machine answers at its BMC address: {why}"), false)),
            None => Ok(identity),
        }
    }

    /// Before the first write: the record says that the step was begun, so that it is true whenever
    /// this process ends.
    async fn note_begun(&self, identity: &Identity) -> Result<(), Halt> {
        let mut result = self.result(Outcome::Interrupted, Some(identity.clone()));
        result.inputs = None;
        self.executor.live.store.write_result(&self.executor.fence, result).await?;
        Ok(())
    }

    /// Pre-conditions, and whether there is anything to do: `Some` ends the attempt.
    async fn before(&self) -> Result<Result<Option<Verdict>, EffectFailure>, Halt> {
        if self.program.has(Function::Check)
            && let Err(failure) = self.look(Function::Check).await
        {
            return Ok(Err(failure));
        }
        let seen = match self.observe().await {
            Ok(Some(seen)) => seen,
            Ok(None) => return Ok(Ok(None)),
            Err(failure) => return Ok(Err(failure)),
        };
        self.note_seen(&seen).await?;
        Ok(Ok(self.compare(&seen).is_true().then_some(Verdict::AlreadyTrue)))
    }

    /// What moved since a saved plan was made; what has become true is no reason to stop.
    pub async fn stale(&self) -> Result<Option<String>, EffectFailure> {
        let Some(planned) = self.step.pinned.basis.observed.get(&self.step.pinned.step.name) else {
            return Ok(None);
        };
        let Some(seen) = self.observe().await? else { return Ok(None) };
        if self.compare(&seen).is_true() {
            return Ok(None);
        }
        let now = seen.project(self.step.task.realized()).redacted();
        let moved = diff::changes(planned, &now);
        Ok(moved.first().map(|first| {
            format!(
                "the plan is stale: {} was {} when it was made and is {} now",
                first.path, first.before, first.after
            )
        }))
    }

    /// Keeps what was seen as a fact, so that a plan made from the store alone knows of it.
    async fn note_seen(&self, seen: &Value) -> Result<(), Halt> {
        let source: Arc<str> = step_source(&self.step.pinned.step.name).into();
        let fact = (self.target.node.clone(), source, seen.clone());
        let now = (self.executor.live.now)();
        self.executor.live.store.record_facts(&self.executor.fence, vec![fact], now).await?;
        Ok(())
    }

    /// Observes until it is true or `settle` ends.
    async fn settle(&self) -> Result<Verdict, Halt> {
        let until = (self.executor.live.now)().plus(self.step.task.settle);
        let mut pause = FIRST_LOOK;
        loop {
            let mut last = None;
            let why = match self.observe().await {
                Ok(None) => return Ok(Verdict::Done),
                Ok(Some(seen)) => {
                    let comparison = self.compare(&seen);
                    if comparison.is_true() {
                        self.note_seen(&seen).await?;
                        return Ok(Verdict::Done);
                    }
                    last = Some(seen);
                    untrue(&comparison)
                }
                Err(failure) if !failure.transient => return Ok(Verdict::failed(failure)),
                Err(failure) => failure.message,
            };
            let left = until.since((self.executor.live.now)());
            if left.is_zero() {
                if let Some(seen) = &last {
                    self.note_seen(seen).await?;
                }
                let settle = units::short(self.step.task.settle);
                let why = format!("done, but not true after {settle}: {why}");
                return Ok(Verdict::Failed { why, transient: true, once: false });
            }
            tokio::select! {
                () = tokio::time::sleep(pause.min(left)) => {}
                () = self.executor.cancel.cancelled() => return Ok(Verdict::Stopped),
            }
            pause = (pause * 2).min(LONGEST_LOOK);
        }
    }

    /// What `observe` says; `None` for a task that realizes nothing or has no `observe`.
    async fn observe(&self) -> Result<Option<Value>, EffectFailure> {
        if self.step.task.realizes.is_empty() || !self.program.has(Function::Observe) {
            return Ok(None);
        }
        self.look(Function::Observe).await.map(Some)
    }

    async fn look(&self, function: Function) -> Result<Value, EffectFailure> {
        let node = script_node(self.target, &self.step.task);
        let params = &self.step.pinned.step.params;
        look(&self.executor.live, self.program, function, self.target, &node, params).await
    }

    fn compare(&self, seen: &Value) -> Comparison {
        diff::compare(&self.target.spec.project(self.step.task.realized()), seen)
    }

    /// The step's result for the record; inputs are those that the run pinned.
    pub fn result(&self, outcome: Outcome, identity: Option<Identity>) -> StepResult {
        let task = &self.step.task;
        let done = outcome == Outcome::Done;
        StepResult {
            node: self.target.node.clone(),
            step: self.step.pinned.step.name.clone(),
            task: task.name.clone(),
            outcome,
            inputs: Some(self.target.spec.project(task.realized())),
            params: self.step.pinned.step.params.clone(),
            seeds: self.target.spec.project(&task.seeds),
            scope: task.scope,
            run: self.executor.run.0.clone(),
            identity,
            at: (self.executor.live.now)(),
            wipes_os: done && task.wipes_os(),
        }
    }
}

/// Which leaves are not as they should be.
fn untrue(comparison: &Comparison) -> String {
    let differs = comparison
        .differs
        .iter()
        .map(|change| format!("{} is {}, wanted {}", change.path, change.before, change.after));
    let unknown = comparison.unknown.iter().map(|path| format!("{path} cannot be read"));
    differs.chain(unknown).take(5).collect::<Vec<_>>().join("; ")
}
