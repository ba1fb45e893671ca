//! The rules: what must hold across the items of a design, a file each.
//!
//! Owns the list of rules. Each says in its header what it asks, why, an example, and the way out. A rule only
//! adds findings; where something could not be read, rules about missing things keep silent.

mod address_in_network;
mod addresses_left;
mod bmc;
mod capabilities;
mod declared_paths;
mod duplicate_addresses;
mod duplicate_names;
mod earlier_names;
mod image_complete;
mod install_needs;
mod names;
mod not_acted_on;
mod not_empty;
mod one_site;
mod payloads;
mod phase_order;
mod profile_cycles;
mod ranges;
mod references;
mod scripts;
mod selectors;
mod step_params;
mod value_references;

use super::addresses::Want;
use super::build::Typed;
use super::catalog::Catalog;
use super::read::Reference;
use super::resolve::Resolved;
use crate::finding::Finding;
use std::collections::BTreeSet;

/// What a rule may look at.
pub struct Context<'a> {
    pub catalog: &'a Catalog,
    /// In order of name.
    pub nodes: &'a [Resolved],
    pub typed: &'a Typed,
    /// References of expanded patterns, with what they stand in.
    pub late_references: Vec<(String, Reference)>,
    /// Who says `auto` and got no address.
    pub without_address: Vec<Want>,
}

type Rule = fn(&Context<'_>, &mut Vec<Finding>);

const RULES: &[Rule] = &[
    address_in_network::check,
    addresses_left::check,
    bmc::check,
    capabilities::check,
    declared_paths::check,
    duplicate_addresses::check,
    duplicate_names::check,
    earlier_names::check,
    image_complete::check,
    install_needs::check,
    names::check,
    not_acted_on::check,
    not_empty::check,
    one_site::check,
    payloads::check,
    phase_order::check,
    profile_cycles::check,
    ranges::check,
    references::check,
    scripts::check,
    selectors::check,
    step_params::check,
    value_references::check,
];

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    RULES.iter().for_each(|rule| rule(context, findings));
}

impl Context<'_> {
    /// Nodes about which a missing thing can be said for sure.
    fn sure_nodes(&self) -> impl Iterator<Item = &Resolved> {
        let broken = self.catalog.broken;
        self.nodes.iter().filter(move |resolved| !broken && !resolved.doubtful)
    }
}

/// How messages call a node.
fn subject(resolved: &Resolved) -> String {
    format!("node \"{}\"", resolved.node.name)
}

/// The capability of tasks that boot a machine from the network.
const PXE: &str = "pxe";

/// The nodes whose lifecycle boots them from the network.
fn installs<'a>(context: &'a Context<'_>) -> impl Iterator<Item = &'a Resolved> {
    let boots = |task: &str| context.typed.tasks.get(task).is_some_and(|task| task.allow.contains(PXE));
    let blueprints = context.typed.blueprints.values();
    let installing: BTreeSet<&str> =
        blueprints.filter(|it| it.steps.iter().any(|step| boots(&step.task))).map(|it| &*it.name).collect();
    context.sure_nodes().filter(move |resolved| installing.contains(&*resolved.node.lifecycle))
}
