//! One node of a run: its steps, as many at once as the plan lets, until each has ended or cannot begin.

use super::attempt::Attempt;
use super::budget::Place;
use super::event::What;
use super::execute::Executor;
use super::prepared::{PreparedNode, PreparedStep};
use super::standing::Standing;
use super::verdict::Halt;
use crate::effect::Target;
use crate::model::hazard::Hazard;
use crate::model::plan::Action;
use crate::model::record::NodeRecord;
use crate::model::run::{NodeState, StepState};
use crate::model::site::is_site;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use std::sync::Arc;
use tokio::sync::{Mutex, OnceCell};

/// How a node ended, and why when it did not end well.
pub struct NodeEnd {
    pub state: NodeState,
    pub why: Option<String>,
}

impl NodeEnd {
    pub(super) fn new(state: NodeState, why: impl Into<String>) -> NodeEnd {
        NodeEnd { state, why: Some(why.into()) }
    }

    /// Stopped before its end.
    pub(super) fn interrupted() -> NodeEnd {
        NodeEnd::new(NodeState::Pending, "interrupted; the next apply goes on")
    }

    /// The nodes that come after the site cannot be worked on. One that was left, to be planned anew, says nothing.
    pub(super) fn is_ill(&self) -> bool {
        !matches!(self.state, NodeState::Succeeded | NodeState::Skipped)
    }

    /// The end of a node from those of its steps that did not end well, in order of the steps.
    fn of(ends: Vec<NodeEnd>) -> NodeEnd {
        // What is under way keeps the node open, and a question wants a person before a retry does.
        const WORST_FIRST: [NodeState; 4] =
            [NodeState::Pending, NodeState::Waiting, NodeState::Failed, NodeState::Skipped];
        let worst = WORST_FIRST.into_iter().find(|state| ends.iter().any(|end| end.state == *state));
        let Some(state) = worst else { return NodeEnd { state: NodeState::Succeeded, why: None } };
        let mut whys: Vec<String> = Vec::new();
        for why in ends.into_iter().filter_map(|end| end.why) {
            if !whys.contains(&why) {
                whys.push(why);
            }
        }
        NodeEnd::new(state, whys.join("; "))
    }
}

/// Leaves a node alone, because the site is not as it has to be.
pub async fn leave_out(executor: &Executor, node: &PreparedNode, why: &str) -> Result<NodeEnd, Halt> {
    Walk::of(executor, node).leave(&node.steps, why).await
}

/// Carries a node's steps out. A node that ended before is left as it is.
pub async fn carry_out(executor: &Executor, node: &PreparedNode) -> Result<NodeEnd, Halt> {
    if matches!(node.row.state, NodeState::Succeeded | NodeState::Failed | NodeState::Skipped) {
        return Ok(NodeEnd { state: node.row.state, why: node.row.why.clone() });
    }
    let walk = Walk::of(executor, node);
    let all_done = node.steps.iter().all(|step| step.state == StepState::Succeeded);
    if executor.resumed && !node.touched && !all_done {
        return walk.leave(&node.steps, "nothing had been done to it; it is planned anew").await;
    }
    let end = walk.steps(&node.steps).await?;
    // One that stays under way because its BMC refuses is down as well.
    let stays_down = match end.state {
        NodeState::Failed | NodeState::Waiting => true,
        NodeState::Pending => !executor.cancel.is_cancelled(),
        _ => false,
    };
    if let Some(place) = walk.place.into_inner().filter(|_| stays_down) {
        executor.budget.lose(place);
    }
    Ok(end)
}

/// One node on its way.
pub(super) struct Walk<'a> {
    pub(super) executor: &'a Executor,
    pub(super) record: Option<&'a NodeRecord>,
    pub(super) target: Target,
    /// The machine runs what we put on it: disturbing it takes a place in the budget.
    ours: bool,
    /// No step had been begun when this process came to the node.
    untouched: bool,
    place: Mutex<Option<Place>>,
    /// Why a saved plan fits no more; looked at once, before the first step.
    fresh: OnceCell<Option<String>>,
}

impl<'a> Walk<'a> {
    fn of(executor: &'a Executor, node: &PreparedNode) -> Walk<'a> {
        let record = executor.record.nodes.get(&node.row.node);
        Walk {
            executor,
            record,
            target: Target { node: node.row.node.clone(), spec: node.row.spec.clone() },
            ours: record.is_some_and(NodeRecord::is_ours),
            untouched: node.steps.iter().all(|step| step.state == StepState::Pending),
            place: Mutex::new(None),
            fresh: OnceCell::new(),
        }
    }

    async fn steps(&self, steps: &[PreparedStep]) -> Result<NodeEnd, Halt> {
        let waits = |step: &PreparedStep| step.pinned.planned.after.clone();
        let waits: Vec<_> = steps.iter().map(waits).collect();
        let names = steps.iter().map(|step| self.name(step));
        let mut standing = Standing::of(names.zip(waits.iter().map(Option::as_deref)));
        let mut under_way = FuturesUnordered::new();
        let mut ends: Vec<(usize, NodeEnd)> = Vec::new();
        let mut halt = None;
        loop {
            let stopped = halt.is_some() || ends.iter().any(|(_, end)| end.state == NodeState::Pending);
            if !stopped {
                for position in standing.begin() {
                    let step = async move { (position, self.one(steps, &steps[position]).await) };
                    // Boxed, because the set keeps room for one more than it holds.
                    under_way.push(step.boxed());
                }
            }
            let Some((position, ended)) = under_way.next().await else { break };
            match ended {
                Ok(end) => {
                    standing.ended(position, end.is_none());
                    let open = end.as_ref().is_some_and(|end| end.state == NodeState::Pending);
                    ends.extend(end.map(|end| (position, end)));
                    // What waits for a step that stays under way is not lost: the next apply goes on with it.
                    for position in if open { Vec::new() } else { standing.lost() } {
                        let skipped = self.skip(&steps[position], "an earlier step did not end well").await;
                        halt = halt.or(skipped.err());
                    }
                }
                Err(error) => halt = halt.or(Some(error)),
            }
            // The other steps end what they are at before the run stops.
            if halt.is_some() {
                self.executor.cancel.cancel();
            }
        }
        if let Some(error) = halt {
            return Err(error);
        }
        if ends.is_empty() {
            self.note_end(steps.last()).await?;
        }
        ends.sort_by_key(|(position, _)| *position);
        Ok(NodeEnd::of(ends.into_iter().map(|(_, end)| end).collect()))
    }

    /// One step from where it stands: `None` when it has ended well.
    async fn one(&self, steps: &[PreparedStep], step: &PreparedStep) -> Result<Option<NodeEnd>, Halt> {
        if step.state == StepState::Succeeded {
            return Ok(None);
        }
        let end = match self.before(steps, step).await? {
            Some(end) => Some(end),
            None => self.step(step).await?,
        };
        if end.as_ref().is_some_and(|end| end.state != NodeState::Pending)
            && matches!(step.state, StepState::Pending | StepState::Running)
        {
            self.skip_unended(step).await?;
        }
        Ok(end)
    }

    /// What keeps a step from being tried now.
    async fn before(&self, steps: &[PreparedStep], step: &PreparedStep) -> Result<Option<NodeEnd>, Halt> {
        let name = self.name(step);
        match step.state {
            StepState::Failed => {
                return Ok(Some(NodeEnd::new(NodeState::Failed, format!("step `{name}` had failed"))));
            }
            StepState::Skipped => {
                return Ok(Some(NodeEnd::new(NodeState::Skipped, format!("step `{name}` was skipped"))));
            }
            StepState::InDoubt => {
                return Ok(Some(NodeEnd::new(NodeState::Waiting, format!("step `{name}` is in doubt"))));
            }
            StepState::Pending | StepState::Running | StepState::Succeeded => {}
        }
        let begun = step.begun && step.under_way.is_some();
        if self.executor.in_flight_only && !begun {
            let why = "the design changed; it is planned anew";
            return Ok(Some(NodeEnd::new(NodeState::Skipped, why)));
        }
        if self.executor.cancel.is_cancelled() {
            return Ok(Some(NodeEnd::interrupted()));
        }
        if self.ours
            && step.pinned.planned.hazard >= Hazard::Reboot
            && let Some(end) = self.disturb(step, begun).await
        {
            return Ok(Some(end));
        }
        if step.pinned.saved
            && self.untouched
            && let Some(why) = self.fresh.get_or_init(|| Box::pin(self.stale(steps))).await
        {
            // Nothing was done to it: it does not use the budget up as a node that failed halfway does.
            *self.place.lock().await = None;
            return Ok(Some(NodeEnd::new(NodeState::Failed, why.clone())));
        }
        Ok(None)
    }

    /// Takes a place in the budget for the node, unless it has one: what keeps it from being disturbed now.
    async fn disturb(&self, step: &PreparedStep, begun: bool) -> Option<NodeEnd> {
        let mut place = self.place.lock().await;
        if place.is_some() {
            return None;
        }
        // A machine that is disturbed already, or down, goes on, with a place or without.
        let down = begun || self.executor.down.contains(&self.target.node);
        *place = if down { self.executor.budget.try_take() } else { self.take_place(step).await };
        if place.is_some() || down {
            return None;
        }
        Some(match self.executor.cancel.is_cancelled() {
            true => NodeEnd::interrupted(),
            false => NodeEnd::new(NodeState::Waiting, "failed nodes use up the budget"),
        })
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
        let Some(last) = last.filter(|_| !is_site(&self.target.node)) else { return Ok(()) };
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

    pub(super) fn name<'s>(&self, step: &'s PreparedStep) -> &'s Arc<str> {
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
}
