//! One node of a run: its steps in order, with their retries, until one does not end well.

use super::attempt::{self, Attempt, Ended};
use super::budget::Place;
use super::event::{StepEnd, What};
use super::execute::Executor;
use super::params;
use super::prepared::{PreparedNode, PreparedStep};
use super::verdict::{Halt, Verdict};
use crate::effect::Target;
use crate::model::hazard::Hazard;
use crate::model::observed::Identity;
use crate::model::plan::{Action, Reason};
use crate::model::record::{NodeRecord, Outcome, with_ways_out};
use crate::model::run::{NodeState, StepState};
use crate::model::value::Value;
use crate::store::Finish;
use crate::units::Time;
use std::sync::Arc;
use tracing::Instrument;

/// How a node ended, and why when it did not end well.
pub struct NodeEnd {
    pub state: NodeState,
    pub why: Option<String>,
}

impl NodeEnd {
    fn new(state: NodeState, why: impl Into<String>) -> NodeEnd {
        NodeEnd { state, why: Some(why.into()) }
    }
}

/// Carries a node's steps out. A node that ended before is left as it is.
pub async fn carry_out(executor: &Executor, node: &PreparedNode) -> Result<NodeEnd, Halt> {
    if matches!(node.row.state, NodeState::Succeeded | NodeState::Failed | NodeState::Skipped) {
        return Ok(NodeEnd { state: node.row.state, why: node.row.why.clone() });
    }
    let record = executor.record.nodes.get(&node.row.node);
    let ours = record.is_some_and(NodeRecord::is_ours);
    let target = Target { node: node.row.node.clone(), spec: node.row.spec.clone() };
    let walk = Walk { executor, record, ours, target };
    let all_done = node.steps.iter().all(|step| step.state == StepState::Succeeded);
    if executor.resumed && !node.touched && !all_done {
        return walk.leave(&node.steps, "nothing had been done to it; it is planned anew").await;
    }
    let mut place: Option<Place> = None;
    let end = walk.steps(&node.steps, &mut place).await?;
    if let (NodeState::Failed | NodeState::Waiting, Some(place)) = (end.state, place) {
        executor.budget.lose(place);
    }
    Ok(end)
}

/// An attempt that a process before this one left.
struct UnderWay {
    id: i64,
    deadline: Time,
    /// It has begun to change something.
    begun: bool,
    params: Option<Value>,
}

struct Walk<'a> {
    executor: &'a Executor,
    record: Option<&'a NodeRecord>,
    /// The machine runs what we put on it: disturbing it takes a place in the budget.
    ours: bool,
    target: Target,
}

impl Walk<'_> {
    async fn steps(&self, steps: &[PreparedStep], place: &mut Option<Place>) -> Result<NodeEnd, Halt> {
        let mut bad: Option<NodeEnd> = None;
        let mut untouched = steps.iter().all(|step| step.state == StepState::Pending);
        for step in steps {
            if bad.is_some() {
                self.skip(step, "an earlier step did not end well").await?;
                continue;
            }
            if step.state == StepState::Succeeded {
                continue;
            }
            bad = match self.before(steps, step, untouched, place).await? {
                Some(end) => Some(end),
                None => self.step(step).await?,
            };
            untouched = false;
            if bad.as_ref().is_some_and(|end| end.state == NodeState::Pending) {
                break;
            }
            if bad.is_some() && matches!(step.state, StepState::Pending | StepState::Running) {
                self.skip_unended(step).await?;
            }
        }
        if let Some(end) = bad {
            return Ok(end);
        }
        self.note_end(steps.last()).await?;
        Ok(NodeEnd { state: NodeState::Succeeded, why: None })
    }

    /// What keeps a step from being tried now.
    async fn before(
        &self,
        steps: &[PreparedStep],
        step: &PreparedStep,
        untouched: bool,
        place: &mut Option<Place>,
    ) -> Result<Option<NodeEnd>, Halt> {
        let name = self.name(step);
        match step.state {
            StepState::Failed => {
                return Ok(Some(NodeEnd::new(NodeState::Failed, format!("step `{name}` had failed"))));
            }
            StepState::InDoubt => {
                return Ok(Some(NodeEnd::new(NodeState::Waiting, format!("step `{name}` is in doubt"))));
            }
            _ => {}
        }
        let begun = step.begun && step.under_way.is_some();
        if self.executor.in_flight_only && !begun {
            let why = "the design changed; it is planned anew";
            return Ok(Some(NodeEnd::new(NodeState::Skipped, why)));
        }
        if self.executor.cancel.is_cancelled() {
            return Ok(Some(NodeEnd::new(NodeState::Pending, "interrupted; the next apply goes on")));
        }
        if self.ours && step.pinned.planned.hazard >= Hazard::Reboot && place.is_none() {
            // A machine that is disturbed already goes on, with a place or without.
            *place = if begun { self.executor.budget.try_take() } else { self.take_place(step).await };
            if place.is_none() && !begun {
                let cancelled = self.executor.cancel.is_cancelled();
                return Ok(Some(match cancelled {
                    true => NodeEnd::new(NodeState::Pending, "interrupted; the next apply goes on"),
                    false => NodeEnd::new(NodeState::Waiting, "failed nodes use up the budget"),
                }));
            }
        }
        if step.pinned.saved && untouched {
            let stale = self.stale(steps).await;
            if stale.is_some() {
                // Nothing was done to it: it does not use the budget up as a node that failed halfway does.
                *place = None;
            }
            return Ok(stale.map(|why| NodeEnd::new(NodeState::Failed, why)));
        }
        Ok(None)
    }

    /// Leaves a node that nothing was done to, so that it can be planned anew.
    async fn leave(&self, steps: &[PreparedStep], why: &str) -> Result<NodeEnd, Halt> {
        for step in steps {
            self.skip(step, why).await?;
        }
        Ok(NodeEnd::new(NodeState::Skipped, why))
    }

    /// Whether a saved plan still fits what is seen now, looked at for all steps before the node's first write.
    async fn stale(&self, steps: &[PreparedStep]) -> Option<String> {
        if let Some(why) = self.power_moved(steps.first()?).await {
            return Some(why);
        }
        for step in steps {
            let Ok(program) = &step.program else { continue };
            let (executor, target, record) = (self.executor, &self.target, self.record);
            // What an earlier step of this run leaves is not known yet; nothing compares it.
            let params = step.task.params_of(&step.pinned.step, &target.spec);
            match (Attempt { executor, target, step, program, record, params }).stale().await {
                Ok(None) => {}
                Ok(Some(why)) => return Some(format!("step `{}`: {why}", self.name(step))),
                Err(failure) => {
                    return Some(format!(
                        "step `{}` cannot be observed: {}",
                        self.name(step),
                        failure.message
                    ));
                }
            }
        }
        None
    }

    /// A plan that was made for a machine that was off is no plan for one that is on, and the reverse.
    async fn power_moved(&self, step: &PreparedStep) -> Option<String> {
        let planned = step.pinned.basis.power.as_deref().filter(|power| matches!(*power, "on" | "off"))?;
        match self.executor.live.machine(&self.target).await {
            Ok(machine) if machine.power == planned => None,
            Ok(machine) => Some(format!(
                "the plan is stale: the machine was {planned} when it was made and is {} now",
                machine.power
            )),
            Err(failure) => Some(format!("the machine cannot be seen: {}", failure.message)),
        }
    }

    /// Every step ended well: the node is deployed, or released, or neither when phases are left.
    async fn note_end(&self, last: Option<&PreparedStep>) -> Result<(), Halt> {
        let Some(last) = last else { return Ok(()) };
        let (live, fence, node) = (&self.executor.live, &self.executor.fence, &self.target.node);
        let deployed = self.record.is_some_and(|record| record.deployed_at.is_some());
        let now = (live.now)();
        if last.pinned.action == Action::Release {
            live.store.release_node(fence, node, now).await?;
        } else if last.pinned.whole && !deployed {
            live.store.mark_deployed(fence, node, now).await?;
        }
        Ok(())
    }

    fn name<'s>(&self, step: &'s PreparedStep) -> &'s Arc<str> {
        &step.pinned.step.name
    }

    /// A step that is not carried out; an attempt that had changed nothing ends with it.
    async fn skip(&self, step: &PreparedStep, why: &str) -> Result<(), Halt> {
        if !matches!(step.state, StepState::Pending | StepState::Running) {
            return Ok(());
        }
        if let Some(attempt) = &step.under_way {
            let (live, fence) = (&self.executor.live, &self.executor.fence);
            live.store.abandon_attempt(fence, attempt.id, why.to_string(), (live.now)()).await?;
        }
        self.set(step, StepState::Skipped, Some(why.to_string())).await
    }

    /// A step that was kept from starting ends as skipped; one that was tried has its own end.
    async fn skip_unended(&self, step: &PreparedStep) -> Result<(), Halt> {
        let store = &self.executor.live.store;
        let state = store.step_state(&self.executor.run, &self.target.node, self.name(step)).await?;
        match state {
            Some(StepState::Pending | StepState::Running) => self.skip(step, "it was not tried").await,
            _ => Ok(()),
        }
    }

    async fn set(&self, step: &PreparedStep, state: StepState, why: Option<String>) -> Result<(), Halt> {
        let executor = self.executor;
        let place = (&self.target.node, self.name(step));
        let now = (executor.live.now)();
        executor.live.store.set_step_state(&executor.fence, &executor.run, place, state, why, now).await?;
        Ok(())
    }

    /// Waits for a place in the budget; `None` when failed nodes hold all of it.
    async fn take_place(&self, step: &PreparedStep) -> Option<Place> {
        let budget = &self.executor.budget;
        if let Some(place) = budget.try_take() {
            return Some(place);
        }
        self.executor.tell(What::StepWaiting {
            node: self.target.node.clone(),
            step: self.name(step).clone(),
            why: match budget.size() {
                1 => "one node is disturbed at a time".into(),
                more => format!("at most {more} nodes are disturbed at a time"),
            },
        });
        tokio::select! {
            place = budget.take() => place,
            () = self.executor.cancel.cancelled() => None,
        }
    }

    /// One step with its retries: `None` when it ended well; a pending end when it stays under way.
    async fn step(&self, step: &PreparedStep) -> Result<Option<NodeEnd>, Halt> {
        let mut under_way = step.under_way.as_ref().map(|row| UnderWay {
            id: row.id,
            deadline: row.deadline,
            begun: step.begun,
            params: row.params.clone(),
        });
        let mut number = step.attempts + i64::from(under_way.is_none());
        loop {
            let (verdict, will_retry) = self.attempt(step, number, under_way.take()).await?;
            let end = match verdict {
                Verdict::Stopped { why } => return Ok(Some(NodeEnd::new(NodeState::Pending, why))),
                Verdict::Done { .. } => StepEnd::Done,
                Verdict::AlreadyTrue => StepEnd::AlreadyTrue,
                Verdict::InDoubt { question } => StepEnd::InDoubt { question },
                Verdict::Failed { why, .. } => StepEnd::Failed { why, will_retry },
            };
            self.tell_end(step, end.clone());
            match end {
                StepEnd::Done | StepEnd::AlreadyTrue => return Ok(None),
                StepEnd::InDoubt { question } => {
                    let why = format!("step `{}` is in doubt: {question}", self.name(step));
                    return Ok(Some(NodeEnd::new(NodeState::Waiting, why)));
                }
                StepEnd::Failed { why, will_retry: false } => {
                    let why = format!("step `{}`: {why}", self.name(step));
                    return Ok(Some(NodeEnd::new(NodeState::Failed, why)));
                }
                StepEnd::Failed { will_retry: true, .. } => {}
            }
            let retry = u32::try_from(number).unwrap_or(u32::MAX);
            let pause = self.executor.jittered(step.pinned.step.retry.wait(retry), &self.target.node);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.executor.cancel.cancelled() => {
                    return Ok(Some(NodeEnd::new(NodeState::Pending, "interrupted before its next attempt")));
                }
            }
            number += 1;
        }
    }

    /// Makes one attempt and writes down how it ended, all in one write; whether it is tried again.
    async fn attempt(
        &self,
        step: &PreparedStep,
        number: i64,
        under_way: Option<UnderWay>,
    ) -> Result<(Verdict, bool), Halt> {
        let (executor, place) = (self.executor, (&self.target.node, self.name(step)));
        let (store, fence) = (&executor.live.store, &executor.fence);
        let now = (executor.live.now)();
        let known = under_way.as_ref().and_then(|attempt| attempt.params.clone());
        let params = match known {
            Some(params) => Ok(params),
            None => params::resolved(store, &executor.run.0, &self.target, step).await?,
        };
        let (id, deadline, begun) = match under_way {
            Some(attempt) => (attempt.id, attempt.deadline, attempt.begun),
            None => {
                let deadline = now.plus(step.pinned.step.timeout.unwrap_or(step.task.timeout));
                let given = params.clone().unwrap_or_default();
                let (run, times) = (&executor.run, (now, deadline));
                let id = store.start_attempt(fence, run, place, number, times, &given).await?;
                self.note("begun", step);
                (id, deadline, false)
            }
        };
        executor.tell(What::StepStarted {
            node: self.target.node.clone(),
            step: self.name(step).clone(),
            phase: step.pinned.step.phase,
            attempt: number,
        });
        let Ended { verdict, identity } = match (&step.program, params) {
            (_, Err(why)) => {
                let verdict = Verdict::Failed { why, transient: false, once: false };
                Ended { verdict, identity: None }
            }
            (Ok(program), Ok(params)) => {
                let (target, record) = (&self.target, self.record);
                let attempt = Attempt { executor, target, step, program, record, params };
                let span = tracing::info_span!("step", step = %self.name(step), attempt = number);
                attempt.make(id, deadline, begun).instrument(span).await?
            }
            (Err(why), _) => {
                let question = format!(
                    "its pinned script does not compile with this build: {why}; what was done so far?"
                );
                Ended { verdict: Verdict::InDoubt { question }, identity: None }
            }
        };
        let verdict = match verdict {
            Verdict::InDoubt { question } => {
                let (node, step) = place;
                Verdict::InDoubt { question: with_ways_out(&question, &executor.run.0, node, step) }
            }
            other => other,
        };
        // Of a run of another design nothing is begun anew.
        let will_retry = !executor.in_flight_only && verdict.is_retried(&step.pinned.step.retry, number);
        if let Some(finish) = self.finish(step, (id, number), &verdict, identity, will_retry) {
            self.note("ending", step);
            store.finish_attempt(fence, finish).await?;
            self.note("ended", step);
        }
        Ok((verdict, will_retry))
    }

    /// Each moment of an attempt that the store holds is in the log, as those of its effects are.
    fn note(&self, moment: &'static str, step: &PreparedStep) {
        tracing::debug!(
            target: "rackwright::journal",
            moment,
            node = %self.target.node,
            step = %self.name(step),
        );
    }

    /// What is written down of an attempt; `None` for one that stays under way.
    fn finish(
        &self,
        step: &PreparedStep,
        (attempt, number): (i64, i64),
        verdict: &Verdict,
        identity: Option<Identity>,
        will_retry: bool,
    ) -> Option<Finish> {
        let (state, outcome, step_state, why) = match verdict {
            Verdict::Stopped { .. } => return None,
            Verdict::Done { .. } => ("succeeded", Outcome::Done, StepState::Succeeded, None),
            Verdict::AlreadyTrue => {
                ("succeeded", Outcome::Done, StepState::Succeeded, Some("it was true already".to_string()))
            }
            Verdict::Failed { why, .. } => {
                ("failed", Outcome::Failed(why.clone()), StepState::Failed, Some(why.clone()))
            }
            Verdict::InDoubt { question } => {
                let outcome = Outcome::InDoubt(question.clone());
                ("in-doubt", outcome, StepState::InDoubt, Some(question.clone()))
            }
        };
        let mut result = attempt::result(self.executor, &self.target, step, outcome, identity);
        // What was true before our first attempt wiped nothing; after one it may be our own doing.
        let ours =
            number > 1 || matches!(step.pinned.planned.reason, Reason::Failed { .. } | Reason::Interrupted);
        result.wipes_os &= *verdict != Verdict::AlreadyTrue || ours;
        if state != "succeeded" {
            result.inputs = None;
        }
        let at = result.at;
        let error = why.clone().filter(|_| state != "succeeded");
        let step = (!will_retry).then_some((step_state, why));
        Some(Finish { run: self.executor.run.clone(), attempt, state, error, result, step, at })
    }

    fn tell_end(&self, step: &PreparedStep, end: StepEnd) {
        let (node, name, phase) = (self.target.node.clone(), self.name(step).clone(), step.pinned.step.phase);
        self.executor.tell(What::StepEnded { node, step: name, phase, end });
    }
}
