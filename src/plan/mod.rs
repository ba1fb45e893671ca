//! The pure planner: (site, record, observed, policy) → plan. No I/O, no clock, no randomness.
//!
//! Planning twice gives the same bytes. The executor obeys what stands in the plan.

pub mod diff;
pub mod graph;
pub mod need;
mod node;
pub mod order;
pub mod part;
pub mod policy;
pub mod release;
mod report;
pub mod site_work;
pub mod stale;

use crate::model::hazard::Phase;
use crate::model::observed::Observed;
use crate::model::plan::{Basis, FORMAT, Plan, Unplanned};
use crate::model::record::{Owners, Record};
use crate::model::site::{Site, target_name};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What limits a plan.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// The last phase to plan.
    pub until: Option<Phase>,
    /// The selector as it was written, and the nodes that it chose.
    pub on: Option<(String, BTreeSet<Arc<str>>)>,
    /// Nodes that an interrupted run still holds, and why: no plan touches them.
    pub under_way: BTreeMap<Arc<str>, String>,
}

impl Limits {
    fn includes(&self, node: &str) -> bool {
        self.on.as_ref().is_none_or(|(_, nodes)| nodes.contains(node))
    }
}

/// Plans a site.
pub fn plan(site: &Site, record: &Record, observed: &Observed, limits: &Limits) -> Plan {
    let mut plan = Plan {
        until: limits.until,
        on: limits.on.as_ref().map(|(text, _)| text.clone()),
        orphaned: orphaned(site, record),
        ..blank(site, record)
    };
    let owners = Owners::of(record);
    let claims = observed.mac_claims();
    let macs = node::Macs { named: node::named_macs(site), claims: &claims };
    let versions = node::versions(site);
    let mut unchanged = 0;
    let of_site = limits.until.is_some_and(Phase::is_of_site);
    for node in site.nodes.iter().filter(|node| !of_site && limits.includes(&node.name)) {
        if let Some(why) = limits.under_way.get(&node.name) {
            plan.unplanned.push(Unplanned { node: node.name.clone(), why: why.clone() });
            continue;
        }
        let context =
            node::Context::of(site, (record, &owners, &macs), observed, &versions, node, limits.until);
        match context.plan() {
            Ok(planned) => {
                plan.drift.extend(planned.drift);
                plan.available.extend(planned.available);
                match planned.node {
                    Some(node) => plan.nodes.push(node),
                    None => unchanged += 1,
                }
            }
            Err(why) => plan.unplanned.push(Unplanned { node: node.name.clone(), why }),
        }
    }
    add_site_work(&mut plan, site, record);
    finished(plan, record, unchanged)
}

/// The site comes first, whenever nodes are worked on or only its own phases were asked for.
fn add_site_work(plan: &mut Plan, site: &Site, record: &Record) {
    if plan.nodes.is_empty() && !plan.until.is_some_and(Phase::is_of_site) {
        return;
    }
    match site_work::plan(site, record, plan.until) {
        Ok(work) => plan.site_work = work,
        Err(why) => {
            let nodes = std::mem::take(&mut plan.nodes);
            plan.unplanned.push(Unplanned { node: target_name(&site.name).into(), why: why.clone() });
            plan.unplanned
                .extend(nodes.into_iter().map(|node| Unplanned { node: node.name, why: why.clone() }));
        }
    }
}

/// A plan with nothing in it.
fn blank(site: &Site, record: &Record) -> Plan {
    Plan {
        format: FORMAT,
        site: site.name.clone(),
        design: site.revision.clone(),
        basis: Basis { serial: record.serial },
        until: None,
        rehearsal: site.rehearsed,
        order: None,
        on: None,
        site_work: None,
        nodes: Vec::new(),
        drift: Vec::new(),
        unplanned: Vec::new(),
        orphaned: Vec::new(),
        available: Vec::new(),
        summary: Default::default(),
        digest: String::new(),
    }
}

/// Adds what holds for the plan as a whole.
fn finished(mut plan: Plan, record: &Record, unchanged: usize) -> Plan {
    policy::note_budget(&mut plan, record);
    plan.summary = report::summarize(&plan, unchanged);
    plan.digest = plan.compute_digest();
    plan
}

/// Recorded nodes that the design no longer names, under any name.
fn orphaned(site: &Site, record: &Record) -> Vec<Arc<str>> {
    let named: BTreeSet<&str> =
        site.nodes.iter().flat_map(|node| [Some(&*node.name), node.was.as_deref()]).flatten().collect();
    record.nodes.keys().filter(|name| !named.contains(&***name)).cloned().collect()
}
