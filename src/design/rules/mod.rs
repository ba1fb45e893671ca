//! The rules: what must hold across the items of a design, a file each.
//!
//! Owns the list of rules. Each says in its header what it asks, why, an example, and the way out. A rule only
//! adds findings; where something could not be read, rules about missing things keep silent.

mod address_in_network;
mod addresses_left;
mod bmc;
mod bmc_address;
mod bonding;
mod boot_action_assets;
mod boot_actions_apply;
mod boot_volume;
mod cables;
mod capabilities;
mod controller_volumes;
mod declared_names;
mod declared_paths;
mod device_names;
mod dhcp_served;
mod domains;
mod duplicate_addresses;
mod duplicate_names;
mod earlier_names;
mod expected_devices;
mod full_names;
mod hardware_names;
mod huge_pages;
mod image_complete;
mod image_kernel;
mod install_needs;
mod interface_networks;
mod interfaces;
pub(in crate::design) mod links;
mod mtu_fits;
mod mtu_limits;
mod names;
mod node_params;
mod not_acted_on;
mod not_empty;
mod one_link;
mod one_site;
mod package_versions;
mod payloads;
mod phase_order;
mod ports_taken;
mod primary_network;
mod profile_cycles;
mod rack_units;
mod ranges;
mod references;
mod rehearsal_only;
mod relays;
mod rollout_groups;
mod routes;
mod scripts;
mod selectors;
mod site_steps;
mod ssh;
mod static_addresses;
mod step_params;
mod storage;
mod switches;
mod trunking;
mod value_references;

use super::addresses::Want;
use super::build::Typed;
use super::catalog::Catalog;
use super::read::Reference;
use super::resolve::{Resolved, place_at};
use crate::finding::{Finding, Place};
use crate::model::path::Path;
use crate::model::site::Node;
use crate::model::value::Value;
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
    bmc_address::check,
    bonding::check,
    boot_action_assets::check,
    boot_actions_apply::check,
    boot_volume::check,
    cables::check,
    capabilities::check,
    controller_volumes::check,
    declared_names::check,
    declared_paths::check,
    dhcp_served::check,
    domains::check,
    duplicate_addresses::check,
    duplicate_names::check,
    earlier_names::check,
    expected_devices::check,
    full_names::check,
    hardware_names::check,
    huge_pages::check,
    image_complete::check,
    image_kernel::check,
    install_needs::check,
    interface_networks::check,
    mtu_fits::check,
    mtu_limits::check,
    names::check,
    not_acted_on::check,
    not_empty::check,
    one_link::check,
    one_site::check,
    package_versions::check,
    payloads::check,
    phase_order::check,
    ports_taken::check,
    primary_network::check,
    profile_cycles::check,
    rack_units::check,
    ranges::check,
    references::check,
    rehearsal_only::check,
    relays::check,
    rollout_groups::check,
    routes::check,
    scripts::check,
    selectors::check,
    site_steps::check,
    ssh::check,
    static_addresses::check,
    switches::check,
    node_params::check,
    step_params::check,
    storage::check,
    trunking::check,
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

/// Where an entry of a merged list was written: in the nearest layer that has it, or where the list is.
fn place_of_entry(node: &Node, list: &Path, entry: &str) -> Place {
    let written = node.layers.iter().rev().find_map(|layer| {
        let entries = layer.tree.at(list).and_then(Value::as_list)?;
        let index = entries.iter().position(|item| item.as_str() == Some(entry))?;
        layer.places.get(&list.join(&index.to_string()))
    });
    written.cloned().unwrap_or_else(|| place_at(node, list))
}

/// The capability of tasks that boot a machine from the network.
const PXE: &str = "pxe";

/// The nodes whose lifecycle boots them from the network.
fn installs<'a>(context: &'a Context<'_>) -> impl Iterator<Item = &'a Resolved> {
    allowing(context, PXE)
}

/// The nodes whose lifecycle has a task with that capability.
fn allowing<'a>(context: &'a Context<'_>, capability: &str) -> impl Iterator<Item = &'a Resolved> + use<'a> {
    let may = |task: &str| context.typed.tasks.get(task).is_some_and(|task| task.allow.contains(capability));
    let blueprints = context.typed.blueprints.values();
    let lifecycles: BTreeSet<&str> =
        blueprints.filter(|it| it.steps.iter().any(|step| may(&step.task))).map(|it| &*it.name).collect();
    context.sure_nodes().filter(move |resolved| lifecycles.contains(&*resolved.node.lifecycle))
}
