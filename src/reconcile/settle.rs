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
use std::sync::Arc;

/// Gives nodes the addresses that they had, as long as they may have them.
pub fn addresses(site: &mut Arc<Site>, kept: &Allocation) {
    let moved =
        site.allocation.iter().any(|(want, address)| kept.get(want).is_some_and(|old| old != address));
    if moved {
        design::keep_addresses(Arc::make_mut(site), kept);
    }
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
pub fn given(site: &Site, nodes: &BTreeSet<&str>) -> Allocation {
    let chosen = site.allocation.iter().filter(|((_, node), _)| nodes.contains(&**node));
    chosen.map(|(want, address)| (want.clone(), *address)).collect()
}

/// Puts the MAC of a machine that has just one into its node. Gives every MAC by which such a node may boot.
pub fn boot_macs(site: &mut Arc<Site>, observed: &Observed) -> BTreeMap<Mac, Arc<str>> {
    let mut known = BTreeMap::new();
    let open: Vec<usize> = (0..site.nodes.len()).filter(|index| is_open(&site.nodes[*index])).collect();
    for index in open {
        let name = site.nodes[index].name.clone();
        let machine = observed.nodes.get(&name).and_then(|seen| seen.machine.value());
        let macs = machine.map(|machine| machine.identity.macs.as_slice()).unwrap_or_default();
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
