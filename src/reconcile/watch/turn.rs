//! One look at the machines: the site is taken, what was interrupted goes on, what is approved is done, and the
//! site is let go.

use super::{WatchError, Watching};
use crate::finding::Finding;
use crate::model::plan::Plan;
use crate::model::site::Site;
use crate::model::site::is_site;
use crate::model::watch::{Waiting, What};
use crate::plan::{Limits, part};
use crate::reconcile::session::{Session, SessionError};
use crate::run::Finished;
use crate::world::clock;
use std::sync::Arc;

impl Watching {
    pub(super) async fn look(
        &mut self,
        site: Arc<Site>,
        news: Option<Vec<Finding>>,
    ) -> Result<(), WatchError> {
        // In a new store every machine would be unknown: a store that was lost is not begun anew.
        let url = self.options.url.clone();
        if self.had_store && !url.0.exists() {
            return Err(WatchError::StoreGone(url.0));
        }
        let limits = (self.options.limits)(&site).map_err(WatchError::Selector)?;
        let machines = (self.options.machines)().map_err(WatchError::Machines)?;
        self.tell(What::Look { site: site.name.clone(), nodes: site.nodes.len(), news });
        let (runs, cancel) = (self.options.runs.clone(), self.options.cancel.clone());
        let mut session = Session::open(site, &url, machines, runs, cancel).await?;
        self.had_store = true;
        let ended = self.reconcile(&mut session, limits).await;
        session.close().await;
        Ok(ended?)
    }

    async fn reconcile(&mut self, session: &mut Session, mut limits: Limits) -> Result<(), SessionError> {
        if !self.resume(session, &mut limits).await? || self.options.cancel.is_cancelled() {
            return Ok(());
        }
        let plan = tokio::select! {
            biased;
            () = self.options.cancel.cancelled() => return Ok(()),
            plan = session.plan(&limits) => plan?,
        };
        let mut part = part::approved(&plan, &session.site, &self.options.approvals);
        let resting = self.patience.resting(clock::now());
        // Where the site is not as it has to be, no node is tried before it is looked at again.
        if resting.iter().any(|name| is_site(name)) {
            part.plan.nodes.clear();
        }
        part::without(&mut part.plan, &resting);
        if self.is_new(&plan) {
            self.tell(What::Planned(Box::new(plan.clone())));
            if !part.held.is_empty() {
                self.tell(What::Waiting(Waiting::Approval { held: part.held }));
            }
        }
        if plan.nodes.is_empty() {
            return session.rename().await;
        }
        if part.plan.nodes.is_empty() {
            return Ok(());
        }
        let command = format!("watch {}", self.options.place);
        let finished = session.carry_out(&part.plan, command, false).await?;
        let tried: Vec<_> = part.plan.targets().map(|target| target.name.clone()).collect();
        self.ended(tried, finished);
        Ok(())
    }

    /// Goes on with what was interrupted; false when that waits for a person's word, and everything with it.
    async fn resume(&mut self, session: &mut Session, limits: &mut Limits) -> Result<bool, SessionError> {
        let unfinished = session.unfinished().await?;
        let Some(run) = unfinished.first().map(|run| run.id.0.clone()) else { return Ok(true) };
        let hazards = session.hazards_left(&unfinished, &self.options.approvals).await?;
        if !hazards.is_empty() {
            let key = format!("{run} {hazards:?}");
            if self.told_plan.as_ref() != Some(&key) {
                self.told_plan = Some(key);
                self.tell(What::Waiting(Waiting::Run { run, hazards }));
            }
            return Ok(false);
        }
        let resumed = session.resume(unfinished).await?;
        limits.under_way = Finished::left_under_way(&resumed);
        for finished in resumed {
            self.ended([], finished);
        }
        Ok(true)
    }

    /// Whether the plan says something else than the last one that was told.
    fn is_new(&mut self, plan: &Plan) -> bool {
        // What a node's plan was made from may move without the plan becoming another one.
        let nodes: Vec<_> = plan.nodes.iter().map(|node| (&node.name, node.action, &node.steps)).collect();
        let key = format!("{nodes:?} {:?} {:?}", plan.unplanned, plan.orphaned);
        let is_new = self.told_plan.as_ref() != Some(&key);
        self.told_plan = Some(key);
        is_new
    }

    fn ended(&mut self, tried: impl IntoIterator<Item = Arc<str>>, finished: Finished) {
        let resting = self.patience.note(tried, &finished.troubled, clock::now());
        self.tell(What::Applied { result: finished.result, counts: finished.counts, resting });
    }
}
