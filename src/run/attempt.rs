//! One attempt at one step: is it the right machine, is it true already, do it, see that it is so.

use super::driver::Driver;
use super::execute::Executor;
use super::prepared::PreparedStep;
use super::verdict::{Halt, Verdict};
use crate::effect::observe::{look, script_node};
use crate::effect::{Target, failure};
use crate::model::hazard::Hazard;
use crate::model::observed::{Identity, step_source};
use crate::model::plan::{Change, Reason};
use crate::model::record::{NodeRecord, Outcome};
use crate::model::site::is_site;
use crate::model::value::Value;
use crate::plan::diff::{self, Comparison};
use crate::plan::need;
use crate::script::catalogue::Kind;
use crate::script::evaluate::{Function, Program};
use crate::script::tape::EffectFailure;
use crate::store::{EffectRow, StepResult};
use crate::units::{self, Time};
use std::sync::Arc;
use std::time::Duration;

/// Between two looks while a result settles: the first, and the longest.
const FIRST_LOOK: Duration = Duration::from_millis(200);
const LONGEST_LOOK: Duration = Duration::from_secs(10);
/// One run of `observe` or `check`: some reads of a slow BMC.
const LOOK: Duration = Duration::from_secs(300);

/// A step of a node, with what the executor knows of both.
pub struct Attempt<'a> {
    pub executor: &'a Executor,
    pub target: &'a Target,
    pub step: &'a PreparedStep,
    pub program: &'a Arc<Program>,
    pub record: Option<&'a NodeRecord>,
    /// The step's parameters, with the outputs of earlier steps in them.
    pub params: Value,
}

/// What an attempt learned, for the record.
pub struct Ended {
    pub verdict: Verdict,
    pub identity: Option<Identity>,
}

impl Attempt<'_> {
    /// Makes the attempt `id`; goes on from its journal when it has begun to change something.
    pub async fn make(&self, id: i64, deadline: Time, begun: bool) -> Result<Ended, Halt> {
        let journal = self.executor.live.store.journal(id).await?;
        let once = |row: &EffectRow| row.kind == Kind::Once.word();
        // A site has no machine.
        let machine = !is_site(&self.target.node);
        let identity = match if machine { self.identity(deadline, begun).await.map(Some) } else { Ok(None) } {
            Ok(identity) => identity,
            Err(verdict) => {
                return Ok(Ended { verdict: verdict.after(journal.iter().any(once)), identity: None });
            }
        };
        let verdict = self.after_identity(id, deadline, begun, &identity).await?;
        Ok(Ended { verdict, identity })
    }

    async fn after_identity(
        &self,
        id: i64,
        deadline: Time,
        begun: bool,
        identity: &Option<Identity>,
    ) -> Result<Verdict, Halt> {
        // An attempt that has changed nothing yet is as good as new: what it wants may be true by now.
        if !begun {
            match self.before().await? {
                Ok(None) => {}
                Ok(Some(verdict)) => return Ok(verdict),
                Err(failure) => return Ok(Verdict::failed(failure)),
            }
        }
        self.note_begun(identity).await?;
        let node = script_node(self.target, &self.step.task);
        let record = self.step.recorded_as(&self.step.pinned.step.name);
        let driver = Driver {
            live: &self.executor.live,
            fence: &self.executor.fence,
            run: &self.executor.run.0,
            attempt: id,
            deadline,
            target: self.target,
            step: &self.step.pinned.step.name,
            record: &record,
            program: self.program,
            task: &self.step.task,
            node: &node,
            params: &self.params,
            cancel: &self.executor.cancel,
        };
        match driver.drive(Function::Apply).await? {
            Verdict::Done { once } => self.settle(once).await,
            other => Ok(other),
        }
    }

    /// Reads who the machine is; another one than on record, or than the design names, is refused.
    /// When the attempt has begun, a BMC that does not answer is asked until the deadline: what is
    /// under way on the machine goes on without us.
    async fn identity(&self, deadline: Time, begun: bool) -> Result<Identity, Verdict> {
        let mut pause = FIRST_LOOK;
        loop {
            let failure = match Box::pin(self.executor.live.machine(self.target)).await {
                Ok(machine) => return self.right_machine(machine.identity).map_err(Verdict::failed),
                Err(failure) => failure,
            };
            let late = (self.executor.live.now)() >= deadline;
            match (begun, failure.transient) {
                (false, _) => return Err(Verdict::failed(failure)),
                (true, false) => {
                    let run = &self.executor.run;
                    let why =
                        format!("{}; mend it and apply again, or `rackwright cancel {run}`", failure.message);
                    return Err(Verdict::Stopped { why });
                }
                (true, true) if late => return Err(Verdict::failed(failure)),
                (true, true) => {}
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.executor.cancel.cancelled() => return Err(Verdict::interrupted()),
            }
            pause = (pause * 2).min(LONGEST_LOOK);
        }
    }

    fn right_machine(&self, identity: Identity) -> Result<Identity, EffectFailure> {
        let boot_mac = self.target.spec.str_at("boot-mac").and_then(|text| text.parse().ok());
        let recorded = self.record.and_then(|record| record.identity.as_ref());
        let wrong = recorded
            .and_then(|recorded| identity.differs_from(recorded))
            .or_else(|| identity.lacks_mac(boot_mac));
        if let Some(why) = wrong {
            return Err(failure(format!("another machine answers at its BMC address: {why}"), false));
        }
        match self.executor.owners.another(&identity, &[&self.target.node]) {
            Some(owner) => Err(failure(format!("its machine is on record as node `{owner}`"), false)),
            None => Ok(identity),
        }
    }

    /// Before the first write: the record says that the step was begun, so that it is true whenever
    /// this process ends.
    async fn note_begun(&self, identity: &Option<Identity>) -> Result<(), Halt> {
        let mut result =
            result(self.executor, self.target, self.step, Outcome::Interrupted, identity.clone());
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
        let comparison = self.compare(&seen);
        if comparison.is_true() {
            return Ok(Ok(Some(Verdict::AlreadyTrue)));
        }
        Ok(Ok(self.worse(&comparison).map(|why| Verdict::Failed { why, transient: false, once: false })))
    }

    /// What moved since the plan was made and makes the step more dangerous than what was approved.
    fn worse(&self, comparison: &Comparison) -> Option<String> {
        let planned = &self.step.pinned.planned;
        let base = self.step.pinned.step.hazard.unwrap_or(self.step.task.hazard);
        let now = need::hazard_of(&self.step.task, base, &comparison.differs);
        if now > planned.hazard {
            let first = comparison.differs.first().map(|change| change.path.to_string()).unwrap_or_default();
            return Some(format!("the plan is stale: {first} has moved, and the step now has hazard {now}"));
        }
        // What destroys was approved value by value: one that nobody has read is nobody's approval.
        // What steps of the same plan before this one have moved was approved with them.
        let is_first = planned.after.as_ref().is_some_and(Vec::is_empty);
        if !is_first || !matches!(planned.reason, Reason::Changed | Reason::Drift) {
            return None;
        }
        let named = |change: &&Change| planned.changes.iter().any(|known| known.path == change.path);
        let destroys = |change: &&Change| {
            need::hazard_of(&self.step.task, base, std::slice::from_ref(*change)) >= Hazard::Reinstall
        };
        let other = comparison.differs.iter().find(|change| !named(change) && destroys(change))?;
        Some(format!("the plan is stale: {} has moved since, and nobody has approved that", other.path))
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
    async fn settle(&self, once: bool) -> Result<Verdict, Halt> {
        let until = (self.executor.live.now)().plus(self.step.task.settle);
        let mut pause = FIRST_LOOK;
        loop {
            let mut last = None;
            let why = match self.observe().await {
                Ok(None) => return Ok(Verdict::Done { once }),
                Ok(Some(seen)) => {
                    let comparison = self.compare(&seen);
                    if comparison.is_true() {
                        self.note_seen(&seen).await?;
                        return Ok(Verdict::Done { once });
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
                return Ok(Verdict::Failed { why, transient: true, once });
            }
            tokio::select! {
                () = tokio::time::sleep(pause.min(left)) => {}
                () = self.executor.cancel.cancelled() => return Ok(Verdict::interrupted()),
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
        let looking =
            look(&self.executor.live, self.program, function, self.target, &self.step.task, &self.params);
        let why = format!("`{}` did not end within {}", function.name(), units::short(LOOK));
        // Boxed, because an attempt that waits is past its looks.
        tokio::time::timeout(LOOK, Box::pin(looking)).await.map_err(|_| failure(why, true))?
    }

    fn compare(&self, seen: &Value) -> Comparison {
        diff::compare(&self.target.spec.project(self.step.task.realized()), seen)
    }
}

/// A step's result for the record; inputs are those that the run pinned.
pub fn result(
    executor: &Executor,
    target: &Target,
    step: &PreparedStep,
    outcome: Outcome,
    identity: Option<Identity>,
) -> StepResult {
    let task = &step.task;
    let done = outcome == Outcome::Done;
    StepResult {
        node: target.node.clone(),
        step: step.recorded_as(&step.pinned.step.name).into(),
        task: task.name.clone(),
        scripts: step.scripts.clone(),
        outcome,
        inputs: Some(target.spec.project(task.realized())),
        params: task.params_of(&step.pinned.step, &target.spec),
        seeds: target.spec.project(&task.seeds),
        scope: task.scope,
        run: executor.run.0.clone(),
        identity,
        at: (executor.live.now)(),
        wipes_os: done && task.wipes_os(),
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
