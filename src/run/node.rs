//! One node of a run: its steps in order, with their retries, until one does not end well.

use super::attempt::{Attempt, Ended};
use super::budget::Place;
use super::event::{StepEnd, What};
use super::execute::Executor;
use super::prepared::{PreparedNode, PreparedStep};
use super::verdict::{Halt, Verdict};
use crate::effect::Target;
use crate::model::hazard::Hazard;
use crate::model::plan::Action;
use crate::model::record::{NodeRecord, Outcome};
use crate::model::run::{NodeState, StepState};
use crate::script::evaluate::Program;
use std::sync::Arc;

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
    let deployed = record.is_some_and(|record| record.deployed_at.is_some());
    let target = Target { node: node.row.node.clone(), spec: node.row.spec.clone() };
    let walk = Walk { executor, record, target };
    let mut place: Option<Place> = None;
    let end = walk.steps(&node.steps, deployed, &mut place).await?;
    if let (NodeState::Failed | NodeState::Waiting, Some(place)) = (end.state, place) {
        executor.budget.lose(place);
    }
    Ok(end)
}

struct Walk<'a> {
    executor: &'a Executor,
    record: Option<&'a NodeRecord>,
    target: Target,
}

impl Walk<'_> {
    async fn steps(
        &self,
        steps: &[PreparedStep],
        deployed: bool,
        place: &mut Option<Place>,
    ) -> Result<NodeEnd, Halt> {
        let mut bad: Option<NodeEnd> = None;
        let mut untouched = steps.iter().all(|step| step.state == StepState::Pending);
        for step in steps {
            if bad.is_some() {
                self.skip(step).await?;
                continue;
            }
            match step.state {
                StepState::Succeeded => continue,
                StepState::InDoubt => {
                    bad = Some(NodeEnd::new(
                        NodeState::Waiting,
                        format!("step `{}` is in doubt", self.name(step)),
                    ));
                    continue;
                }
                _ => {}
            }
            if self.executor.in_flight_only && step.under_way.is_none() {
                bad = Some(NodeEnd::new(NodeState::Skipped, "the design changed; it is planned anew"));
                self.skip(step).await?;
                continue;
            }
            if self.executor.cancel.is_cancelled() {
                return Ok(NodeEnd::new(NodeState::Waiting, "interrupted; the next apply goes on"));
            }
            if deployed && step.pinned.planned.hazard >= Hazard::Reboot && place.is_none() {
                match self.take_place(step).await {
                    Some(taken) => *place = Some(taken),
                    None => {
                        bad = Some(NodeEnd::new(NodeState::Waiting, "failed nodes use up the budget"));
                        continue;
                    }
                }
            }
            if step.pinned.saved
                && untouched
                && let Some(why) = self.stale(steps).await
            {
                // Nothing was done to it: it does not use up the budget as a node that failed halfway does.
                *place = None;
                bad = Some(NodeEnd::new(NodeState::Failed, why));
                self.skip(step).await?;
                continue;
            }
            untouched = false;
            bad = self.step(step).await?;
            if bad.as_ref().is_some_and(|end| end.state == NodeState::Pending) {
                return Ok(NodeEnd::new(NodeState::Waiting, "interrupted; the next apply goes on"));
            }
        }
        if let Some(end) = bad {
            return Ok(end);
        }
        self.note_end(steps.last(), deployed).await?;
        Ok(NodeEnd { state: NodeState::Succeeded, why: None })
    }

    /// Whether a saved plan still fits what is seen now, looked at for all steps before the node's first write.
    async fn stale(&self, steps: &[PreparedStep]) -> Option<String> {
        for step in steps {
            let Ok(program) = &step.program else { continue };
            let (executor, target, record) = (self.executor, &self.target, self.record);
            match (Attempt { executor, target, step, program, record }).stale().await {
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

    /// Every step ended well: the node is deployed, or released, or neither when phases are left.
    async fn note_end(&self, last: Option<&PreparedStep>, deployed: bool) -> Result<(), Halt> {
        let Some(last) = last else { return Ok(()) };
        let (live, fence, node) = (&self.executor.live, &self.executor.fence, &self.target.node);
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

    async fn skip(&self, step: &PreparedStep) -> Result<(), Halt> {
        if step.state != StepState::Pending {
            return Ok(());
        }
        let why = Some("an earlier step did not end well".to_string());
        self.set(step, StepState::Skipped, why).await
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
            why: format!("at most {} nodes may be disturbed at once", budget.size()),
        });
        tokio::select! {
            place = budget.take() => place,
            () = self.executor.cancel.cancelled() => None,
        }
    }

    /// One step with its retries: `None` when it ended well; a pending end when we were stopped.
    async fn step(&self, step: &PreparedStep) -> Result<Option<NodeEnd>, Halt> {
        let program = match &step.program {
            Ok(program) => program,
            Err(why) => {
                let question = format!("its pinned script does not compile with this build: {why}");
                return self.in_doubt(step, question).await.map(Some);
            }
        };
        let mut resumed = step.under_way.is_some();
        let mut number = if resumed { step.attempts } else { step.attempts + 1 };
        loop {
            let verdict = self.attempt(step, program, number, resumed).await?;
            let will_retry = verdict.is_retried(&step.pinned.step.retry, number);
            match verdict {
                Verdict::Stopped => return Ok(Some(NodeEnd { state: NodeState::Pending, why: None })),
                Verdict::Done => return self.ended(step, StepEnd::Done).await,
                Verdict::AlreadyTrue => return self.ended(step, StepEnd::AlreadyTrue).await,
                Verdict::InDoubt { question } => return self.in_doubt(step, question).await.map(Some),
                Verdict::Failed { why, .. } => {
                    self.tell_end(step, StepEnd::Failed { why: why.clone(), will_retry });
                    if !will_retry {
                        self.set(step, StepState::Failed, Some(why.clone())).await?;
                        let end = format!("step `{}`: {why}", self.name(step));
                        return Ok(Some(NodeEnd::new(NodeState::Failed, end)));
                    }
                }
            }
            let retry = u32::try_from(number).unwrap_or(u32::MAX);
            tokio::select! {
                () = tokio::time::sleep(self.executor.jittered(step.pinned.step.retry.wait(retry), &self.target.node)) => {}
                () = self.executor.cancel.cancelled() => {
                    return Ok(Some(NodeEnd { state: NodeState::Pending, why: None }));
                }
            }
            resumed = false;
            number += 1;
        }
    }

    /// Makes one attempt and writes down how it ended.
    async fn attempt(
        &self,
        step: &PreparedStep,
        program: &Arc<Program>,
        number: i64,
        resumed: bool,
    ) -> Result<Verdict, Halt> {
        let executor = self.executor;
        let store = &executor.live.store;
        let now = (executor.live.now)();
        let timeout = step.pinned.step.timeout.unwrap_or(step.task.timeout);
        let place = (&self.target.node, self.name(step));
        let (id, deadline) = match step.under_way.as_ref().filter(|_| resumed) {
            Some(row) => (row.id, row.deadline),
            None => {
                let deadline = now.plus(timeout);
                let id =
                    store.start_attempt(&executor.fence, &executor.run, place, number, now, deadline).await?;
                (id, deadline)
            }
        };
        executor.tell(What::StepStarted {
            node: self.target.node.clone(),
            step: self.name(step).clone(),
            phase: step.pinned.step.phase,
            attempt: number,
        });
        let attempt = Attempt { executor, target: &self.target, step, program, record: self.record };
        let Ended { verdict, identity } = attempt.make(id, deadline).await?;
        let (state, outcome, error) = match &verdict {
            Verdict::Stopped => return Ok(verdict),
            Verdict::Done | Verdict::AlreadyTrue => ("succeeded", Outcome::Done, None),
            Verdict::Failed { why, .. } => ("failed", Outcome::Failed(why.clone()), Some(why.clone())),
            Verdict::InDoubt { question } => {
                ("in-doubt", Outcome::InDoubt(question.clone()), Some(question.clone()))
            }
        };
        let mut result = attempt.result(outcome, identity);
        if state != "succeeded" {
            result.inputs = None;
        }
        store.write_result(&executor.fence, result).await?;
        store.end_attempt(&executor.fence, id, state, error, (executor.live.now)()).await?;
        Ok(verdict)
    }

    async fn ended(&self, step: &PreparedStep, end: StepEnd) -> Result<Option<NodeEnd>, Halt> {
        let why = (end == StepEnd::AlreadyTrue).then(|| "it was true already".to_string());
        self.set(step, StepState::Succeeded, why).await?;
        self.tell_end(step, end);
        Ok(None)
    }

    async fn in_doubt(&self, step: &PreparedStep, question: String) -> Result<NodeEnd, Halt> {
        self.set(step, StepState::InDoubt, Some(question.clone())).await?;
        let end = format!("step `{}` is in doubt: {question}", self.name(step));
        self.tell_end(step, StepEnd::InDoubt { question });
        Ok(NodeEnd::new(NodeState::Waiting, end))
    }

    fn tell_end(&self, step: &PreparedStep, end: StepEnd) {
        let (node, name, phase) = (self.target.node.clone(), self.name(step).clone(), step.pinned.step.phase);
        self.executor.tell(What::StepEnded { node, step: name, phase, end });
    }
}
