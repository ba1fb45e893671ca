//! A session: the site held by this process, from its lease to the last closed BMC session.

use super::look::{self, look};
use super::release::Leaving;
use super::viewing::http_client;
use super::{boot, images, place, rehearsal, release, settle, stand_in};
use crate::effect::hardware::Hardware;
use crate::effect::live::Live;
use crate::effect::outside::Outside;
use crate::effect::ports::Ports;
use crate::id::{NoRandomness, RunId, random_hex};
use crate::model::hazard::Hazard;
use crate::model::plan::{Order, Plan};
use crate::model::record::Outcome;
use crate::model::site::Site;
use crate::plan::policy::{self, Approvals};
use crate::plan::{Limits, order, plan, stale};
use crate::run::begin::{self, BeginError};
use crate::run::event::Listener;
use crate::run::prepared::{self, PreparedStep};
use crate::run::{Executor, Finished};
use crate::store::{Answer, Fence, Lease, RunRow, Store, StoreError, Url};
use crate::units::Mac;
use crate::virtual_rack::{Endpoints, Fabric, Faults, Rack, RackError};
use crate::world::agent::Room;
use crate::world::boot::{BootError, BootServices};
use crate::world::clock;
use crate::world::http::Web;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Where the machines are.
pub enum Machines {
    /// At the design's own addresses.
    Real,
    /// A virtual rack in this process, with its state in a folder.
    Rehearsal(PathBuf),
    /// A virtual rack of another process, with a folder for what its machines fetch.
    Rack(Endpoints, PathBuf),
}

impl Machines {
    /// True when what is recorded of stand-ins would come into the design's own store, that of its real machines.
    fn would_mix(&self, site: &Arc<Site>, url: &Url) -> bool {
        let Machines::Rack(_, folder) = self else { return false };
        let own = folder.parent().map(|beside| beside.join(place::STORE));
        own.is_some_and(|own| own == url.0) && stand_in::rehearsed(site, false).0.rehearsed
    }

    /// Where a rehearsal in this process keeps the ports of its boot services.
    fn ports(&self) -> Option<PathBuf> {
        match self {
            Machines::Rehearsal(folder) => Some(folder.join("services.json")),
            _ => None,
        }
    }

    /// Where what stands in for real payloads is kept.
    fn stand_ins(&self) -> Option<PathBuf> {
        match self {
            Machines::Real => None,
            Machines::Rehearsal(folder) | Machines::Rack(_, folder) => Some(folder.join("stand-ins")),
        }
    }
}

pub struct Session {
    pub site: Arc<Site>,
    pub store: Store,
    live: Arc<Live>,
    lease: Lease,
    rack: Option<Rack>,
    services: Option<BootServices>,
    /// Where a rehearsal keeps the ports of its boot services.
    ports: Option<PathBuf>,
    /// What a rehearsal serves in place of real payloads.
    stand_ins: Option<PathBuf>,
    /// Boot MACs of nodes that only a run under way still knows.
    macs: BTreeMap<Mac, Arc<str>>,
    cancel: CancellationToken,
    events: Listener,
}

#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no HTTP client can be made")]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    #[error(transparent)]
    Rack(#[from] RackError),
    #[error(transparent)]
    Boot(#[from] BootError),
    #[error(transparent)]
    Begin(#[from] BeginError),
    #[error("the plan is stale: {}", .0.join("; "))]
    Stale(Vec<String>),
    #[error(transparent)]
    Image(#[from] images::NotReady),
    #[error("{0}")]
    Release(String),
    #[error("{0}")]
    Order(String),
    #[error(
        "the payloads of this design are stood in for on this rack, and that must not reach its own store `{0}`"
    )]
    Mixed(Url),
    #[error("the stand-ins of a rehearsal cannot be written to `{}`; make the folder writable", folder.display())]
    StandIns { folder: PathBuf, source: std::io::Error },
}

impl Session {
    /// Takes the site: the lock first, then the store, the lease, the machines. Fails with
    /// [`StoreError::Held`] when another process has it.
    pub async fn open(
        mut site: Arc<Site>,
        url: &Url,
        machines: Machines,
        events: Listener,
        cancel: CancellationToken,
    ) -> Result<Session, SessionError> {
        if machines.would_mix(&site, url) {
            return Err(SessionError::Mixed(url.clone()));
        }
        let lock = Lease::lock(url)?;
        let store = Store::open(url).await?;
        let now = clock::now();
        let holder = format!("process {}", std::process::id());
        store.ensure_site(&site.name, random_hex(32)?).await?;
        let lease = store.take_lease(lock, &site.name, holder, now).await?;
        store.remember_revision(&site.revision, now).await?;
        settle::addresses(&mut site, &store.addresses().await?);
        let stand_ins = match machines.stand_ins() {
            None => {
                stand_in::refuse_rehearsal_payloads(&mut site);
                None
            }
            Some(folder) => {
                let (rehearsed, stand_ins) =
                    stand_in::rehearsed(&site, matches!(machines, Machines::Rehearsal(_)));
                site = rehearsed;
                let files = folder.join("files");
                let failed = |source| SessionError::StandIns { folder, source };
                stand_ins.write(&files).map_err(failed)?;
                Some(files).filter(|_| !stand_ins.is_empty())
            }
        };
        let ports = machines.ports();
        let (rack, endpoints) = rack_of(machines, &site).await?;
        let endpoints = endpoints.as_ref();
        let live = Arc::new(Live {
            outside: Outside::new(&site, images::kept(url), endpoints.is_some()).serving(&stand_ins),
            hardware: Hardware::new(http_client()?, endpoints.map(rehearsal::redirects)),
            ports: Ports::new(endpoints.map(rehearsal::switches_of)).of(&site),
            web: Web::default(),
            agents: Room::default(),
            boot_secret: store.boot_secret(&site.name).await?,
            fence: Some(lease.fence.clone()),
            store: store.clone(),
            now: clock::now,
        });
        Ok(Session {
            site,
            store,
            live,
            lease,
            rack,
            services: None,
            ports,
            stand_ins,
            macs: BTreeMap::new(),
            cancel,
            events,
        })
    }

    /// What performs effects.
    pub(super) fn live(&self) -> &Live {
        &self.live
    }

    /// Looks at the machines, keeps what was seen, and plans.
    pub async fn plan(&mut self, limits: &Limits) -> Result<Plan, SessionError> {
        let record = self.store.record(&self.site.name).await?;
        let chosen = limits.on.as_ref().map(|(_, nodes)| nodes);
        let observed = look(&self.live, &self.site, chosen, limits.until).await;
        self.store.record_facts(&self.lease.fence, look::facts(&observed), clock::now()).await?;
        self.macs.extend(settle::boot_macs(&mut self.site, &observed));
        Ok(plan(&self.site, &record, &observed, limits))
    }

    /// A plan that takes `node` out of care.
    pub async fn plan_release(&mut self, node: &str, leaving: Leaving) -> Result<Plan, SessionError> {
        let record = self.store.record(&self.site.name).await?;
        let spec = self.store.last_spec(node).await?;
        let site = release::with_node(&self.site, node, leaving, spec).map_err(SessionError::Release)?;
        self.site = Arc::new(site);
        let chosen = [Arc::from(node)].into_iter().collect();
        let observed = look(&self.live, &self.site, Some(&chosen), None).await;
        release::plan(&self.site, node, &record, &observed).map_err(SessionError::Release)
    }

    /// A plan that runs `order` once on the nodes that `limits` chose.
    pub async fn plan_order(&mut self, order: &Order, limits: &Limits) -> Result<Plan, SessionError> {
        let site = order::with_order(&self.site, order, limits).map_err(SessionError::Order)?;
        self.site = Arc::new(site);
        let record = self.store.record(&self.site.name).await?;
        let chosen = limits.on.as_ref().map(|(_, nodes)| nodes);
        let observed = look(&self.live, &self.site, chosen, None).await;
        self.macs.extend(settle::boot_macs(&mut self.site, &observed));
        Ok(order::plan(&self.site, order, &record, &observed, limits))
    }

    /// Runs that a process before this one left under way.
    pub async fn unfinished(&self) -> Result<Vec<RunRow>, SessionError> {
        Ok(self.store.unfinished_runs().await?)
    }

    /// The hazards of steps that interrupted runs would begin now and that `approvals` do not cover:
    /// somebody has to name them today.
    pub async fn hazards_left(
        &self,
        runs: &[RunRow],
        approvals: &Approvals,
    ) -> Result<BTreeSet<Hazard>, SessionError> {
        let mut hazards = BTreeSet::new();
        for run in runs.iter().filter(|run| run.design_digest == self.site.revision.digest) {
            for node in prepared::load(&self.store, &run.id).await?.iter().filter(|node| node.touched) {
                hazards.extend(node.steps.iter().flat_map(PreparedStep::hazards_left));
            }
        }
        hazards.retain(|hazard| !approvals.covers(*hazard));
        Ok(hazards)
    }

    /// Goes on with them: on the machines that they had begun to change, and on no other. Of a run of
    /// another design only the attempts under way are ended.
    pub async fn resume(&mut self, runs: Vec<RunRow>) -> Result<Vec<Finished>, SessionError> {
        let mut finished = Vec::new();
        for run in runs {
            self.add_macs(&run.id).await?;
            self.start_boot().await?;
            let mut executor = self.executor(run.id).await?;
            executor.resumed = true;
            executor.in_flight_only = run.design_digest != self.site.revision.digest;
            finished.push(executor.execute().await.map_err(|halt| halt.0)?);
            self.end_agents().await?;
            if self.cancel.is_cancelled() {
                break;
            }
        }
        self.live.sweep().await;
        // What comes next is of the design alone, and so are its boot services.
        if let Some(services) = self.services.take() {
            services.stop().await;
        }
        Ok(finished)
    }

    /// Refuses a saved plan that the design or the record has left behind.
    pub async fn check_saved(&self, plan: &Plan) -> Result<(), SessionError> {
        let record = self.store.record(&self.site.name).await?;
        let moved = stale::moved(plan, &self.site, &record);
        if moved.is_empty() { Ok(()) } else { Err(SessionError::Stale(moved)) }
    }

    /// Carries the records of renamed nodes over to their names of today.
    pub async fn rename(&self) -> Result<(), SessionError> {
        Ok(rename(&self.store, &self.lease.fence, &self.site).await?)
    }

    /// Carries an approved plan out. `saved` says that it was made earlier.
    pub async fn carry_out(
        &mut self,
        plan: &Plan,
        command: String,
        saved: bool,
    ) -> Result<Finished, SessionError> {
        let planned: BTreeSet<Arc<str>> = plan.nodes.iter().map(|node| node.name.clone()).collect();
        self.settle_macs_of(&planned).await?;
        images::prepare(&self.live.outside, &self.site, plan).await?;
        let given = settle::given(&self.site, &planned);
        let run = begin::build(RunId::draw()?, plan, &self.site, command, saved)?;
        let id = run.id.clone();
        // A port that is taken must not leave a run behind.
        self.start_boot().await?;
        self.rename().await?;
        self.store.keep_addresses(&self.lease.fence, planned, given).await?;
        self.store.begin_run(&self.lease.fence, run, clock::now()).await?;
        let executor = self.executor(id).await?;
        let finished = executor.execute().await.map_err(|halt| halt.0)?;
        self.end_agents().await?;
        self.live.sweep().await;
        Ok(finished)
    }

    /// A machine under way keeps its name and its MAC, whatever the design says by now.
    async fn add_macs(&mut self, run: &RunId) -> Result<(), SessionError> {
        let nodes = self.store.run_nodes(run).await?;
        let under_way: BTreeSet<Arc<str>> = nodes.iter().map(|node| node.node.clone()).collect();
        self.settle_macs_of(&under_way).await?;
        for node in nodes {
            if let Some(mac) = node.spec.str_at("boot-mac").and_then(|text| text.parse().ok()) {
                self.macs.insert(mac, node.node);
            }
        }
        Ok(())
    }

    /// Boot MACs that are left to the machines, from what was last seen of just these nodes.
    async fn settle_macs_of(&mut self, nodes: &BTreeSet<Arc<str>>) -> Result<(), SessionError> {
        if settle::has_open_macs(&self.site) {
            let mut seen = look::from_facts(self.store.newest_facts().await?);
            seen.nodes.retain(|name, _| nodes.contains(name));
            self.macs.extend(settle::boot_macs(&mut self.site, &seen));
        }
        Ok(())
    }

    /// What a person says of a step in doubt; false when it is not.
    pub async fn answer(
        &self,
        run: &str,
        node: &str,
        step: &str,
        answer: Answer,
    ) -> Result<bool, SessionError> {
        let place = (run.to_string(), node.into(), step.into());
        Ok(self.store.answer_doubt(&self.lease.fence, place, answer, clock::now()).await?)
    }

    /// Agents whose orders were given up by attempts that did not end well: their machines are switched off.
    async fn end_agents(&self) -> Result<(), SessionError> {
        for ticket in self.live.agents_left().await? {
            let attempts = self.store.attempts(&RunId(ticket.run.clone())).await?;
            let state = attempts.iter().find(|attempt| attempt.id == ticket.attempt);
            if state.is_none_or(|attempt| matches!(attempt.state.as_str(), "running" | "succeeded")) {
                continue;
            }
            if let Err(why) = self.live.end_agent(&ticket).await {
                let why = why.message;
                tracing::warn!(node = %ticket.node, "its agent may go on, and its machine cannot be switched off: {why}");
            }
        }
        Ok(())
    }

    /// The nodes whose agents go on with what they were ordered although this process ends, with their runs.
    pub async fn agents_that_go_on(&self) -> Result<Vec<(Arc<str>, String)>, SessionError> {
        let mut nodes = Vec::new();
        for ticket in self.live.agents_left().await? {
            if self.store.is_under_way(&ticket).await? {
                nodes.push((ticket.node, ticket.run));
            }
        }
        Ok(nodes)
    }

    /// Ends a run that nobody carries out, and the containers, commands and agents that it left on their way. Says of which
    /// nodes the machine could not be switched off, and why.
    pub async fn cancel_run(&self, run: &RunId) -> Result<Vec<(Arc<str>, String)>, SessionError> {
        let mut running = Vec::new();
        for attempt in self.store.attempts(run).await?.iter().filter(|attempt| attempt.state == "running") {
            let journal = self.store.journal(attempt.id).await?;
            for effect in journal.iter().filter(|effect| effect.answer.is_none()) {
                self.live.end(&effect.name, &effect.id).await;
            }
            if let Some(ticket) = self.store.agent_ticket_of(attempt.id).await?
                && ticket.report.is_some()
                && let Err(why) = self.live.end_agent(&ticket).await
            {
                running.push((ticket.node, why.message));
            }
        }
        self.store.cancel_run(&self.lease.fence, run, clock::now()).await?;
        Ok(running)
    }

    async fn executor(&self, run: RunId) -> Result<Executor, SessionError> {
        let record = Arc::new(self.store.record(&self.site.name).await?);
        let (live, fence) = (self.live.clone(), self.lease.fence.clone());
        // A run that stops because its store failed stops nothing else.
        let cancel = self.cancel.child_token();
        let down = policy::down(&self.site, &record);
        Ok(Executor::new((live, fence), run, (record, down), cancel, self.events.clone()))
    }

    /// Boot services run for the length of a run.
    pub(super) async fn start_boot(&mut self) -> Result<(), SessionError> {
        if self.services.is_none() {
            let macs = std::mem::take(&mut self.macs);
            let rehearsal =
                boot::Rehearsal { ports: self.ports.as_deref(), stand_ins: self.stand_ins.as_deref() };
            self.services = boot::start(&self.site, &self.live, rehearsal, macs).await?;
        }
        if let (Some(rack), Some(services)) = (&self.rack, &self.services) {
            let bound = services.addresses();
            rack.connect(Fabric { dhcp: bound.dhcp, tftp: bound.tftp });
        }
        Ok(())
    }

    /// Lets go of everything, in order.
    pub async fn close(self) {
        if let Some(services) = self.services {
            services.stop().await;
        }
        self.live.hardware.log_out().await;
        if let Some(rack) = self.rack {
            rack.stop().await;
        }
        drop(self.live);
        self.store.close().await;
    }
}

/// The virtual rack that stands in for the design's machines, and where it is.
async fn rack_of(machines: Machines, site: &Site) -> Result<(Option<Rack>, Option<Endpoints>), RackError> {
    Ok(match machines {
        Machines::Real => (None, None),
        Machines::Rack(endpoints, _) => (None, Some(endpoints)),
        Machines::Rehearsal(folder) => {
            let rack = rehearsal::start(site, Some(folder), Faults::default()).await?;
            let endpoints = rack.endpoints();
            (Some(rack), Some(endpoints))
        }
    })
}

/// Carries records over to nodes that the design has renamed, when the work on them is approved.
async fn rename(store: &Store, fence: &Fence, site: &Site) -> Result<(), StoreError> {
    let record = store.record(&site.name).await?;
    let in_doubt = |name: &Arc<str>| {
        let steps = record.nodes.get(name).into_iter().flat_map(|node| node.steps.values());
        steps.map(|step| &step.outcome).any(|outcome| matches!(outcome, Outcome::InDoubt(_)))
    };
    for node in &site.nodes {
        // A question that is open is answered under the name that it was asked for.
        let Some(was) = node.was.as_ref().filter(|was| !in_doubt(was)) else { continue };
        if record.nodes.contains_key(was) && !record.nodes.contains_key(&node.name) {
            store.rename_node(fence, was, &node.name).await?;
        }
    }
    Ok(())
}
