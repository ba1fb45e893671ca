//! One step of a node: its attempts, until one ends well or the step's policy allows no other.

use super::attempt::{self, Attempt, Ended};
use super::event::{StepEnd, What};
use super::node::{NodeEnd, Walk};
use super::params;
use super::prepared::PreparedStep;
use super::verdict::{Halt, Verdict};
use crate::model::observed::Identity;
use crate::model::plan::Reason;
use crate::model::record::{Outcome, with_ways_out};
use crate::model::run::{NodeState, StepState};
use crate::model::value::Value;
use crate::store::Finish;
use crate::units::Time;
use tracing::Instrument;

/// An attempt that a process before this one left.
struct UnderWay {
    id: i64,
    deadline: Time,
    /// It has begun to change something.
    begun: bool,
    params: Option<Value>,
}

impl Walk<'_> {
    /// One step with its retries: `None` when it ended well; a pending end when it stays under way.
    pub(super) async fn step(&self, step: &PreparedStep) -> Result<Option<NodeEnd>, Halt> {
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
        Some(Finish { attempt, state, error, result, step, at })
    }

    fn tell_end(&self, step: &PreparedStep, end: StepEnd) {
        let (node, name, phase) = (self.target.node.clone(), self.name(step).clone(), step.pinned.step.phase);
        self.executor.tell(What::StepEnded { node, step: name, phase, end });
    }
}
