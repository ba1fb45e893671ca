//! What a design leaves open and the store or the machines settle: chosen addresses, and boot MACs that are `auto`.
//!
//! Owns how a compiled site is completed before it is planned and run. A node keeps the address that it was given;
//! a machine with one MAC boots with that one.

use crate::design;
use crate::model::observed::Observed;
use crate::model::site::{Allocation, Node, Site};
use crate::model::value::Value;
use crate::store::{Store, StoreError, Url};
use crate::units::Mac;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Gives nodes the addresses that they had, as long as they may have them, and nobody an address of a node that the
/// design has forgotten.
pub fn addresses(site: &mut Arc<Site>, kept: &Allocation) {
    if site.allocation.is_empty() || kept.is_empty() {
        return;
    }
    let kept = under_names_of_today(site, kept);
    let others: BTreeSet<Ipv4Addr> = kept
        .iter()
        .filter(|(want, _)| !site.allocation.contains_key(*want))
        .map(|(_, address)| *address)
        .collect();
    let moved = site
        .allocation
        .iter()
        .any(|(want, address)| others.contains(address) || kept.get(want).is_some_and(|old| old != address));
    if moved {
        design::keep_addresses(Arc::make_mut(site), &kept);
    }
}

/// What a renamed node had is its own under its new name.
fn under_names_of_today(site: &Site, kept: &Allocation) -> Allocation {
    let mut today = kept.clone();
    let renamed = site.nodes.iter().filter_map(|node| Some((node, node.was.as_ref()?)));
    for (node, was) in renamed.filter(|(_, was)| site.node(was).is_none()) {
        let earlier: Vec<_> = kept.iter().filter(|((_, name), _)| name == was).collect();
        for ((network, _), address) in earlier {
            today.remove(&(network.clone(), was.clone()));
            today.entry((network.clone(), node.name.clone())).or_insert(*address);
        }
    }
    today
}

/// The same of a store, which is only looked into when the design leaves addresses open.
pub async fn addresses_of(site: Arc<Site>, store: Option<&Url>) -> Result<Arc<Site>, StoreError> {
    let Some(url) = store.filter(|_| !site.allocation.is_empty()) else { return Ok(site) };
    let store = Store::open_to_read(url).await?;
    let kept = store.addresses().await;
    store.close().await;
    let mut site = site;
    addresses(&mut site, &kept?);
    Ok(site)
}

/// The chosen addresses of these nodes.
pub fn given(site: &Site, nodes: &BTreeSet<Arc<str>>) -> Allocation {
    let chosen = site.allocation.iter().filter(|((_, node), _)| nodes.contains(node));
    chosen.map(|(want, address)| (want.clone(), *address)).collect()
}

/// Puts the MAC of a machine that has just one into its node. Gives every MAC by which such a node may boot: of
/// those that another node names, or that two machines report, none, because they would boot the wrong one.
pub fn boot_macs(site: &mut Arc<Site>, observed: &Observed) -> BTreeMap<Mac, Arc<str>> {
    let open: Vec<usize> = (0..site.nodes.len()).filter(|index| is_open(&site.nodes[*index])).collect();
    let claims = observed.mac_claims();
    let named: BTreeSet<Mac> = site.nodes.iter().filter_map(|node| node.boot_mac).collect();
    let mut known = BTreeMap::new();
    for index in open {
        let name = site.nodes[index].name.clone();
        let machine = observed.nodes.get(&name).and_then(|seen| seen.machine.value());
        let macs = machine.map(|machine| machine.identity.macs.as_slice()).unwrap_or_default();
        let is_own = |mac: &Mac| !named.contains(mac) && claims.get(mac).is_none_or(|nodes| nodes.len() == 1);
        if !macs.iter().all(is_own) {
            continue;
        }
        known.extend(macs.iter().map(|mac| (*mac, name.clone())));
        if let [mac] = macs {
            let node = &mut Arc::make_mut(site).nodes[index];
            node.boot_mac = Some(*mac);
            node.spec.put(&["boot-mac".into()], Value::from(mac.to_string()));
        }
    }
    known
}

/// True when some boot MAC is still to be settled.
pub fn has_open_macs(site: &Site) -> bool {
    site.nodes.iter().any(is_open)
}

/// The design says `auto`, and nothing has settled it.
fn is_open(node: &Node) -> bool {
    node.boot_mac.is_none() && node.spec.str_at("boot-mac").is_some()
}
