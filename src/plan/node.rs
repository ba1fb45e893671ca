//! Planning one node: what blocks it, then its steps in order.

use super::need::{self, Facts};
use super::{graph, policy};
use crate::model::blueprint::{Blueprint, Step};
use crate::model::hazard::{Hazard, Phase};
use crate::model::observed::{NodeObserved, Observed, Seen};
use crate::model::path::Path;
use crate::model::plan::{Action, Available, Drift, NodeBasis, PlannedNode, PlannedStep, Reason, Waiting};
use crate::model::record::{NodeRecord, Outcome, Owners, Record};
use crate::model::site::{Node, Site};
use crate::model::task::Task;
use crate::model::value::Value;
use crate::script::closure::Closure;
use crate::units::Mac;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

static NOTHING_SEEN: LazyLock<NodeObserved> = LazyLock::new(NodeObserved::default);
const NEVER: &Seen<Value> = &Seen::Never;

/// The capability of tasks that boot a machine from the network, and so install its image.
const BOOTS: &str = "pxe";

/// Digest of each task's scripts, by task name.
pub type Versions = BTreeMap<Arc<str>, String>;

/// The digests of every task that a blueprint uses.
pub fn versions(site: &Site) -> Versions {
    let closure = |task: &Arc<Task>| Closure::of(task, &site.scripts).ok();
    site.tasks.values().filter_map(|task| Some((task.name.clone(), closure(task)?.digest()))).collect()
}

/// Whose MACs are whose: as the design names them, and as machines report them.
pub struct Macs<'a> {
    pub named: BTreeMap<Mac, &'a Arc<str>>,
    pub claims: &'a BTreeMap<Mac, BTreeSet<Arc<str>>>,
}

/// The boot MACs that nodes name.
pub fn named_macs(site: &Site) -> BTreeMap<Mac, &Arc<str>> {
    site.nodes.iter().filter_map(|node| Some((node.boot_mac?, &node.name))).collect()
}

impl Macs<'_> {
    /// Why a machine with these MACs is not the node's, or nobody knows whose it is.
    fn belong_elsewhere(&self, node: &str, macs: &[Mac]) -> Option<String> {
        macs.iter().find_map(|mac| {
            let named = self.named.get(mac).filter(|owner| ****owner != *node);
            let claimed = self.claims.get(mac).and_then(|nodes| nodes.iter().find(|other| ***other != *node));
            match (named, claimed) {
                (Some(owner), _) => Some(format!("it has {mac}, which is the boot MAC of node `{owner}`")),
                (None, Some(other)) => {
                    Some(format!("it has {mac}, and so has the machine of node `{other}`"))
                }
                (None, None) => None,
            }
        })
    }
}

/// Everything that one node's plan depends on.
pub struct Context<'a> {
    site: &'a Site,
    node: &'a Node,
    record: Option<&'a NodeRecord>,
    seen: &'a NodeObserved,
    owners: &'a Owners,
    macs: &'a Macs<'a>,
    /// Digests of the tasks' scripts.
    versions: &'a Versions,
    released: bool,
    /// The serial of the node's record.
    serial: i64,
    until: Option<Phase>,
}

/// What comes of a node that could be planned.
pub struct Outcomes {
    /// `None` when nothing has to be done.
    pub node: Option<PlannedNode>,
    pub drift: Vec<Drift>,
    pub available: Vec<Available>,
}

impl<'a> Context<'a> {
    pub fn of(
        site: &'a Site,
        (record, owners, macs): (&'a Record, &'a Owners, &'a Macs<'a>),
        observed: &'a Observed,
        versions: &'a Versions,
        node: &'a Node,
        until: Option<Phase>,
    ) -> Context<'a> {
        let by_name = |name: &Arc<str>| record.nodes.get(name);
        let found = by_name(&node.name).or_else(|| node.was.as_ref().and_then(by_name));
        let seen = observed.nodes.get(&node.name).unwrap_or(&NOTHING_SEEN);
        let serial = found.map_or_else(|| record.serial_of(&node.name), |record| record.serial);
        let released = record.released.contains_key(&node.name);
        Context { site, node, record: found, seen, owners, macs, versions, released, serial, until }
    }

    /// The node's plan, or why it cannot be planned.
    pub fn plan(&self) -> Result<Outcomes, String> {
        let blueprint = self
            .site
            .blueprints
            .get(&self.node.lifecycle)
            .ok_or_else(|| format!("its lifecycle `{}` is not a blueprint", self.node.lifecycle))?;
        self.blocked(blueprint)?;
        let mut outcomes = Outcomes { node: None, drift: Vec::new(), available: Vec::new() };
        let mut steps = Vec::new();
        let mut wiped_by: Option<Arc<str>> = None;
        for (step, task) in self.steps(blueprint) {
            let seen = self.seen.steps.get(&step.name).unwrap_or(NEVER);
            let record = need::record_of(self.record, step);
            let scripts = self.versions.get(&step.task).map(String::as_str);
            let wiped_by_now = wiped_by.as_deref();
            let facts = Facts { node: self.node, step, task, record, seen, scripts, wiped_by: wiped_by_now };
            match need::decide(&facts) {
                Ok(need) => {
                    if task.wipes_os() {
                        wiped_by = Some(step.name.clone());
                    }
                    if need.reason == Reason::Drift {
                        outcomes.drift.extend(self.drift(step, &need.changes));
                    }
                    steps.push(self.planned(step, need));
                }
                Err(rest) => outcomes.available.extend(self.available(step, rest)),
            }
        }
        if !steps.is_empty() {
            self.protect(&steps)?;
            self.note_approvals(&mut steps);
            graph::note_order(blueprint, &mut steps);
            outcomes.node = Some(self.planned_node(blueprint, steps));
        }
        Ok(outcomes)
    }

    fn available(&self, step: &Step, rest: need::Rest) -> Option<Available> {
        let why = match (rest.other_scripts, rest.available.is_empty()) {
            (false, true) => return None,
            (true, true) => "its task has other scripts now",
            (false, false) => "used when the thing is made",
            (true, false) => "its task has other scripts now, and what it was made from changed",
        };
        let (node, step) = (self.node.name.clone(), step.name.clone());
        Some(Available { node, step, why: why.into(), changes: rest.available })
    }

    /// The lifecycle's steps up to the last phase wanted, with their tasks.
    fn steps(&self, blueprint: &'a Blueprint) -> impl Iterator<Item = (&'a Step, &'a Task)> {
        let until = self.until.unwrap_or(Phase::Configure);
        blueprint
            .steps
            .iter()
            .filter(move |step| step.phase <= until)
            .filter_map(|step| Some((step, &**self.site.tasks.get(&step.task)?)))
    }

    fn blocked(&self, blueprint: &'a Blueprint) -> Result<(), String> {
        if let Some(reason) = self.record.and_then(|record| record.hold.as_ref()) {
            return Err(format!("it is held: {reason}"));
        }
        self.is_right_machine()?;
        let no_image = self.node.spec.at(&Path::parse("image.rehearsal-only")) == Some(&Value::Bool(true));
        if no_image && self.steps(blueprint).any(|(_, task)| task.allow.contains(BOOTS)) {
            let image = self.node.spec.str_at("image.name").unwrap_or_default();
            return Err(format!(
                "image `{image}` is for rehearsals only: write its payloads, and take `rehearsal-only` out"
            ));
        }
        for step in &blueprint.steps {
            if let Some(Outcome::InDoubt(question)) = need::record_of(self.record, step).map(|r| &r.outcome) {
                return Err(format!("step `{}` is in doubt: {question}", step.name));
            }
        }
        for (step, _) in self.steps(blueprint) {
            if let Some(Seen::Unknown { why, .. }) = self.seen.steps.get(&step.name) {
                return Err(format!("unknown: step `{}` cannot be observed: {why}", step.name));
            }
        }
        Ok(())
    }

    /// An unreachable machine is unknown, and a wrong one is refused: neither is ever acted on.
    pub(super) fn is_right_machine(&self) -> Result<(), String> {
        let machine = match &self.seen.machine {
            Seen::Never => return Ok(()),
            Seen::Unknown { why, .. } => return Err(format!("unknown: {why}")),
            Seen::Is { value, .. } => value,
        };
        let recorded = self.record.and_then(|record| record.identity.as_ref());
        let wrong = recorded
            .and_then(|recorded| machine.identity.differs_from(recorded))
            .or_else(|| machine.identity.lacks_mac(self.node.boot_mac))
            .or_else(|| self.macs.belong_elsewhere(&self.node.name, &machine.identity.macs));
        if let Some(why) = wrong {
            return Err(format!("another machine answers at its BMC address: {why}"));
        }
        let own: Vec<&str> =
            [Some(&*self.node.name), self.node.was.as_deref()].into_iter().flatten().collect();
        match self.owners.another(&machine.identity, &own) {
            Some(owner) => Err(format!(
                "its machine is on record as node `{owner}`; write `was=\"{owner}\"` if it was renamed, or release `{owner}`"
            )),
            None => Ok(()),
        }
    }

    /// A node that is held takes no work orders, and an unknown or wrong machine is never acted on.
    pub(super) fn may_be_ordered(&self) -> Result<(), String> {
        self.is_right_machine()?;
        if let Some(reason) = self.record.and_then(|record| record.hold.as_ref()) {
            return Err(format!("it is held: {reason}"));
        }
        match &self.seen.machine {
            Seen::Never => Err("unknown: its machine was never seen".into()),
            _ => Ok(()),
        }
    }

    pub(super) fn note_approvals(&self, steps: &mut [PlannedStep]) {
        let standing = policy::Standing { record: self.record, released: self.released, power: self.power() };
        policy::note_approvals(self.site, &standing, steps);
    }

    /// A node that is held, protected or in doubt is not taken out of care.
    pub(super) fn may_be_released(&self) -> Result<(), String> {
        self.is_right_machine()?;
        if let Some(reason) = self.record.and_then(|record| record.hold.as_ref()) {
            return Err(format!("it is held: {reason}"));
        }
        if self.node.spec.get("protect").and_then(Value::as_bool) == Some(true) {
            return Err("it is protected; take `protect` out of the design first".into());
        }
        let steps = self.record.iter().flat_map(|record| &record.steps);
        for (name, step) in steps {
            if let Outcome::InDoubt(question) = &step.outcome {
                return Err(format!("step `{name}` is in doubt: {question}"));
            }
        }
        Ok(())
    }

    pub(super) fn protect(&self, steps: &[PlannedStep]) -> Result<(), String> {
        let protected = self.node.spec.get("protect").and_then(Value::as_bool) == Some(true);
        let worst = steps.iter().find(|step| step.hazard >= Hazard::Reinstall);
        match worst.filter(|_| protected) {
            Some(step) => {
                Err(format!("it is protected, and step `{}` has hazard {}", step.step, step.hazard))
            }
            None => Ok(()),
        }
    }

    fn power(&self) -> Option<&'a str> {
        self.seen.machine.value().map(|machine| machine.power.as_str())
    }

    fn planned(&self, step: &Step, need: need::Need) -> PlannedStep {
        let installed = self.record.is_some_and(NodeRecord::is_ours);
        let hazard = match need.hazard {
            // A store that was lost looks just like a node that is new.
            Hazard::Reinstall if !installed => Hazard::DataLoss,
            other => other,
        };
        let action = match (&need.reason, hazard) {
            (Reason::NeverDone, _) => Action::Create,
            (_, Hazard::Reinstall | Hazard::DataLoss) if installed => Action::Reinstall,
            (Reason::Changed, _) => Action::Change,
            _ => Action::Repair,
        };
        PlannedStep {
            step: step.name.clone(),
            task: step.task.clone(),
            phase: step.phase,
            action,
            hazard,
            reason: need.reason,
            changes: need.changes,
            waiting: Vec::<Waiting>::new(),
            after: None,
        }
    }

    fn planned_node(&self, blueprint: &Blueprint, steps: Vec<PlannedStep>) -> PlannedNode {
        let is_new = self.record.is_none_or(|record| record.deployed_at.is_none());
        let worst = steps.iter().map(|step| step.action).max().unwrap_or(Action::None);
        let action = match worst {
            _ if is_new => Action::Create,
            Action::Create => Action::Change,
            other => other,
        };
        let observed: BTreeMap<Arc<str>, Value> = steps
            .iter()
            .filter_map(|step| {
                let seen = self.seen.steps.get(&step.step)?.value()?;
                let task = self.site.tasks.get(&step.task)?;
                Some((step.step.clone(), seen.project(task.realized()).redacted()))
            })
            .collect();
        PlannedNode {
            name: self.node.name.clone(),
            action,
            hazard: steps.iter().map(|step| step.hazard).max().unwrap_or_default(),
            lifecycle: blueprint.name.clone(),
            basis: NodeBasis { record: self.serial, power: self.power().map(str::to_string), observed },
            steps,
        }
    }

    fn drift(&self, step: &Step, changes: &[crate::model::plan::Change]) -> Vec<Drift> {
        changes
            .iter()
            .map(|change| Drift {
                node: self.node.name.clone(),
                step: step.name.clone(),
                path: change.path.clone(),
                expected: change.after.clone(),
                seen: change.before.clone(),
            })
            .collect()
    }
}
