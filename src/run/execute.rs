//! A whole run: every node at once, each in its own task, bounded where they meet.

use super::budget::Budget;
use super::event::{Event, Listener, What};
use super::node::{NodeEnd, carry_out, leave_out};
use super::prepared::{self, PreparedNode};
use super::verdict::Halt;
use crate::effect::live::Live;
use crate::id::RunId;
use crate::model::record::{Owners, Record};
use crate::model::run::{Counts, NodeState, RunState};
use crate::model::site::is_site;
use crate::plan::policy;
use crate::store::{Fence, Message, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// How often the holder says that it lives.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// Carries one run out.
pub struct Executor {
    pub live: Arc<Live>,
    pub fence: Fence,
    pub run: RunId,
    /// The record as the run found it.
    pub record: Arc<Record>,
    /// Nodes that were down before: each has its place already.
    pub down: BTreeSet<Arc<str>>,
    pub owners: Owners,
    pub budget: Budget,
    /// A process before this one left the run: nodes that it had not touched are planned anew.
    pub resumed: bool,
    /// The design changed since: only attempts that have begun to change something are ended.
    pub in_flight_only: bool,
    pub cancel: CancellationToken,
    pub events: Listener,
}

/// What the work of the site says to the nodes behind it.
enum Kept {
    /// It was interrupted: they are left as they are.
    ForLater,
    /// It did not end well: nothing is done to them, and why.
    Out(String),
}

/// Targets with their ends.
type Ends = Vec<(Arc<str>, NodeEnd)>;

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Finished {
    pub result: RunState,
    pub counts: Counts,
    /// Stopped before its end; the next apply goes on.
    pub interrupted: bool,
    /// Nodes that did not end well, with their reasons.
    pub troubled: Vec<(Arc<str>, NodeState, String)>,
}

impl Finished {
    /// Something was tried and did not end well, or waits for a person.
    pub fn has_failed(&self) -> bool {
        let site = |(name, state, _): &(Arc<str>, NodeState, String)| {
            is_site(name) && matches!(state, NodeState::Failed | NodeState::Waiting)
        };
        self.counts.failed > 0 || self.troubled.iter().any(site)
    }

    /// Nodes that resumed runs could not end, with what stops them: no plan touches them.
    pub fn left_under_way(resumed: &[Finished]) -> BTreeMap<Arc<str>, String> {
        let troubled = resumed.iter().flat_map(|run| &run.troubled);
        troubled
            .filter(|(_, state, _)| *state == NodeState::Pending)
            .map(|(node, _, why)| (node.clone(), format!("an interrupted run still holds it: {why}")))
            .collect()
    }
}

impl Executor {
    pub fn new(
        (live, fence): (Arc<Live>, Fence),
        run: RunId,
        (record, down): (Arc<Record>, BTreeSet<Arc<str>>),
        cancel: CancellationToken,
        events: Listener,
    ) -> Executor {
        let budget = Budget::new(policy::budget(&record), down.len());
        let owners = Owners::of(&record);
        let (resumed, in_flight_only) = (false, false);
        Executor { live, fence, run, record, down, owners, budget, resumed, in_flight_only, cancel, events }
    }

    /// Carries the run out from where it stands.
    pub async fn execute(self) -> Result<Finished, Halt> {
        let targets = prepared::load(&self.live.store, &self.run).await?;
        self.tell(What::Started {
            nodes: targets.iter().map(|target| target.row.node.clone()).collect(),
            resumed: self.resumed,
        });
        let (site, nodes) = targets.into_iter().partition(|target| is_site(&target.row.node));
        let executor = Arc::new(self);
        let heart = tokio::spawn(beat(executor.clone()));
        let ends = executor.clone().site_then_nodes(site, nodes).await;
        heart.abort();
        let (site, nodes) = ends?;
        executor.finish(site, nodes).await
    }

    /// The site first; where it is not as it has to be, no node is touched.
    async fn site_then_nodes(
        self: Arc<Self>,
        site: Vec<PreparedNode>,
        nodes: Vec<PreparedNode>,
    ) -> Result<(Ends, Ends), Halt> {
        let site = self.clone().all_nodes(site, None).await?;
        let ill = site.iter().find(|(_, end)| end.is_ill()).map(|(_, end)| match end.state {
            NodeState::Pending => Kept::ForLater,
            _ => Kept::Out(format!(
                "nothing was done: the work of the site before it did not end well ({})",
                end.why.as_deref().unwrap_or("no reason was given")
            )),
        });
        let nodes = self.all_nodes(nodes, ill.map(Arc::new)).await?;
        Ok((site, nodes))
    }

    async fn all_nodes(
        self: Arc<Self>,
        nodes: Vec<PreparedNode>,
        kept: Option<Arc<Kept>>,
    ) -> Result<Ends, Halt> {
        let mut tasks = JoinSet::new();
        for node in nodes {
            let (executor, kept) = (self.clone(), kept.clone());
            let span = tracing::info_span!("node", run = %self.run, node = %node.row.node);
            tasks.spawn(async move { executor.one_node(node, kept.as_deref()).await }.instrument(span));
        }
        let mut ends = Vec::new();
        let mut halt = None;
        while let Some(joined) = tasks.join_next().await {
            match joined {
                Ok(Ok(end)) => ends.push(end),
                Ok(Err(error)) => {
                    self.cancel.cancel();
                    halt.get_or_insert(error);
                }
                Err(error) => {
                    tracing::error!(%error, "a node's task broke off");
                    self.cancel.cancel();
                    let why = format!("a task of the run broke off: {error}");
                    halt.get_or_insert(Halt(crate::store::StoreError::Content(why)));
                }
            }
        }
        match halt {
            Some(error) => Err(error),
            None => Ok(ends),
        }
    }

    async fn one_node(&self, node: PreparedNode, kept: Option<&Kept>) -> Result<(Arc<str>, NodeEnd), Halt> {
        let name = node.row.node.clone();
        let end = match kept {
            None => carry_out(self, &node).await?,
            Some(Kept::Out(why)) => leave_out(self, &node, why).await?,
            Some(Kept::ForLater) => NodeEnd::interrupted(),
        };
        if end.state != node.row.state && end.state != NodeState::Pending {
            let why = end.why.clone();
            self.live.store.set_node_state(&self.fence, &self.run, &name, end.state, why.clone()).await?;
            if let Some(text) = why {
                self.log(&name, end.state, text).await?;
            }
        }
        self.tell(What::NodeEnded { node: name.clone(), state: end.state, why: end.why.clone() });
        Ok((name, end))
    }

    async fn log(&self, node: &Arc<str>, state: NodeState, text: String) -> Result<(), Halt> {
        let message = Message {
            run: self.run.0.clone(),
            node: Some(node.clone()),
            step: None,
            at: (self.live.now)(),
            level: if state == NodeState::Failed { "error" } else { "warning" },
            text,
            effect: None,
        };
        self.live.store.write_message(&self.fence, message).await?;
        Ok(())
    }

    async fn finish(&self, site: Ends, nodes: Ends) -> Result<Finished, Halt> {
        let counts = Counts::of(nodes.iter().map(|(_, end)| end.state));
        // The site alone that was left to be planned anew has not succeeded either.
        let undone = |end: &NodeEnd| nodes.is_empty() && end.state == NodeState::Skipped;
        let result = match site.iter().any(|(_, end)| end.is_ill() || undone(end)) {
            true => RunState::Failed,
            false => counts.result(),
        };
        let ends: Ends = site.into_iter().chain(nodes).collect();
        // What is left under way keeps its run open: the next apply goes on with it.
        let interrupted = ends.iter().any(|(_, end)| end.state == NodeState::Pending);
        if !interrupted {
            let now = (self.live.now)();
            self.live.store.end_run(&self.fence, &self.run, result, counts, now).await?;
        }
        self.tell(What::Finished { result: if interrupted { RunState::Cancelled } else { result }, counts });
        let mut troubled: Vec<_> = ends
            .into_iter()
            .filter(|(_, end)| end.state != NodeState::Succeeded)
            .map(|(node, end)| (node, end.state, end.why.unwrap_or_default()))
            .collect();
        troubled.sort();
        Ok(Finished { result, counts, interrupted, troubled })
    }

    /// Tells whoever listens; nobody needs to.
    pub fn tell(&self, what: What) {
        (self.events)(Event { at: (self.live.now)(), run: self.run.0.clone(), what });
    }

    /// Spreads retries of many nodes over half the wait again, by the node's name.
    pub fn jittered(&self, wait: Duration, node: &str) -> Duration {
        let spread = u32::from(blake3::hash(node.as_bytes()).as_bytes()[0]);
        wait + wait * spread / 512
    }
}

/// Keeps the lease; when another process has taken it, everything here stops.
async fn beat(executor: Arc<Executor>) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        match executor.live.store.keep_lease(&executor.fence, (executor.live.now)()).await {
            Ok(()) => {}
            Err(error @ StoreError::Fenced) => {
                tracing::error!(%error, "the lease is lost");
                executor.cancel.cancel();
                return;
            }
            // A store that is busy for a moment takes nobody's lease away.
            Err(error) => tracing::warn!(%error, "the lease could not be renewed"),
        }
    }
}
