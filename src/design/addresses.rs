//! Addresses that a design leaves to us: `address "prod" "auto"`.
//!
//! Owns their choice. It follows from the names of the network and the node: a node that comes or goes moves
//! another one only when two names fall on one address. So that not even that happens to machines in use,
//! whoever remembers what a node has says so (`kept`), and it stays; what nodes have that the design no longer
//! names is nobody else's. Taken is every address that the design names anywhere; given are the network's static
//! ranges.

use super::value_of::AUTO;
use crate::model::path::Path;
use crate::model::site::{Allocation, Network, Node};
use crate::model::value::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

type Networks = BTreeMap<Arc<str>, Network>;

/// Network and node: who wants an address, or could not get one.
pub type Want = (Arc<str>, Arc<str>);

/// Chooses for every node that says `auto`, and puts the addresses into the specs. `fixed` are addresses of other
/// things than nodes and networks. Gives what was chosen, and who got nothing.
pub fn choose<N: AsMut<Node>>(
    nodes: &mut [N],
    networks: &Networks,
    fixed: &BTreeSet<Ipv4Addr>,
) -> (Allocation, Vec<Want>) {
    let wants = wants(nodes);
    if wants.is_empty() {
        return Default::default();
    }
    let taken = taken(nodes, networks, &wants, fixed);
    let (chosen, without) = allocate(&wants, networks, taken, &Allocation::new());
    put(nodes, &chosen);
    (chosen, without)
}

/// Chooses again, so that nodes keep what they have as long as they may.
pub fn keep(
    nodes: &mut [Node],
    networks: &Networks,
    fixed: &BTreeSet<Ipv4Addr>,
    chosen: &Allocation,
    kept: &Allocation,
) -> Allocation {
    let wants: Vec<Want> = chosen.keys().cloned().collect();
    let mut taken = taken(nodes, networks, &wants, fixed);
    taken.extend(kept.iter().filter(|(want, _)| !chosen.contains_key(*want)).map(|(_, address)| *address));
    let (again, _) = allocate(&wants, networks, taken, kept);
    put(nodes, &again);
    again
}

fn wants<N: AsMut<Node>>(nodes: &mut [N]) -> Vec<Want> {
    let mut wants = Vec::new();
    for node in nodes {
        let node = node.as_mut();
        let addresses = node.spec.get("addresses").and_then(Value::as_map).into_iter().flatten();
        let auto = addresses.filter(|(_, address)| address.as_str() == Some(AUTO));
        wants.extend(auto.map(|(network, _)| (network.clone(), node.name.clone())));
    }
    wants.sort();
    wants.dedup();
    wants
}

/// What nobody may be given: every address that the design names, whatever for.
fn taken<N: AsMut<Node>>(
    nodes: &mut [N],
    networks: &Networks,
    wants: &[Want],
    fixed: &BTreeSet<Ipv4Addr>,
) -> HashSet<Ipv4Addr> {
    let mut taken: HashSet<Ipv4Addr> = fixed.iter().copied().collect();
    for network in networks.values() {
        taken.extend(network.gateway.into_iter().chain(network.dns.iter().copied()));
        taken.extend(network.routes.iter().map(|route| route.gateway));
        taken.extend(network.relays.iter().flat_map(|relay| [Some(relay.address), relay.upstream]).flatten());
        taken.extend([network.cidr.network(), network.cidr.broadcast()]);
    }
    for node in nodes {
        let node = node.as_mut();
        let addresses = node.spec.get("addresses").and_then(Value::as_map).into_iter().flatten();
        for (network, address) in addresses {
            let is_chosen = || wants.binary_search(&(network.clone(), node.name.clone())).is_ok();
            let address = address.as_str().and_then(|text| text.parse::<Ipv4Addr>().ok());
            taken.extend(address.filter(|_| !is_chosen()));
        }
        taken.extend(node.spec.str_at("bmc.address").and_then(super::forms::address_of));
        let servers = node.spec.get("dns").and_then(Value::as_list).unwrap_or_default();
        taken.extend(servers.iter().filter_map(|server| server.as_str()?.parse::<Ipv4Addr>().ok()));
    }
    taken
}

fn allocate(
    wants: &[Want],
    networks: &Networks,
    taken: HashSet<Ipv4Addr>,
    kept: &Allocation,
) -> (Allocation, Vec<Want>) {
    let mut slots: HashMap<&Arc<str>, Slots> = HashMap::new();
    let (mut chosen, mut without) = (Allocation::new(), Vec::new());
    // Those that have one come first: nobody new may take it from them.
    let (old, new): (Vec<&Want>, Vec<&Want>) = wants.iter().partition(|want| kept.contains_key(want));
    for want in old.into_iter().chain(new) {
        let (name, node) = want;
        let Some(network) = networks.get(name) else { continue };
        let slots = slots.entry(name).or_insert_with(|| Slots::new(network, &taken));
        let own = kept.get(want).and_then(|address| slots.take_exactly(*address));
        match own.or_else(|| slots.take(first_choice(name, node))) {
            Some(address) => drop(chosen.insert(want.clone(), address)),
            None => without.push(want.clone()),
        }
    }
    (chosen, without)
}

fn first_choice(network: &str, node: &str) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(network.as_bytes()).update(&[0]).update(node.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}

fn put<N: AsMut<Node>>(nodes: &mut [N], chosen: &Allocation) {
    let mut of_node: HashMap<&str, Vec<(&Arc<str>, Ipv4Addr)>> = HashMap::new();
    for ((network, node), address) in chosen {
        of_node.entry(node).or_default().push((network, *address));
    }
    if of_node.is_empty() {
        return;
    }
    for node in nodes {
        let node = node.as_mut();
        for (network, address) in of_node.get(&*node.name).into_iter().flatten() {
            let path = Path(vec!["addresses".into(), (*network).clone()]);
            node.spec.put(&path.0, Value::from(address.to_string()));
        }
    }
}

/// The addresses of a network's static ranges by number, and which are given.
struct Slots {
    ranges: Vec<(u64, Ipv4Addr)>,
    count: u64,
    /// From a slot that is given to one that may be free.
    next: HashMap<u64, u64>,
    given: u64,
}

impl Slots {
    fn new(network: &Network, taken: &HashSet<Ipv4Addr>) -> Slots {
        let mut slots = Slots { ranges: Vec::new(), count: 0, next: HashMap::new(), given: 0 };
        for range in
            network.ranges.iter().filter(|range| &*range.kind == "static" && range.first <= range.last)
        {
            slots.ranges.push((slots.count, range.first));
            slots.count += u64::from(range.last.to_bits() - range.first.to_bits()) + 1;
        }
        for address in taken {
            slots.take_exactly(*address);
        }
        slots
    }

    fn take_exactly(&mut self, address: Ipv4Addr) -> Option<Ipv4Addr> {
        let slot = self.slot_of(address)?;
        (!self.next.contains_key(&slot)).then(|| self.give(slot))
    }

    /// The first free slot from a number on, round and round.
    fn take(&mut self, number: u64) -> Option<Ipv4Addr> {
        if self.given >= self.count {
            return None;
        }
        let free = self.free_from(number % self.count);
        Some(self.give(free))
    }

    fn free_from(&mut self, start: u64) -> u64 {
        let mut slot = start;
        while let Some(next) = self.next.get(&slot) {
            slot = *next;
        }
        // Shortens the way for whoever comes after.
        let mut here = start;
        while let Some(next) = self.next.get(&here).copied() {
            self.next.insert(here, slot);
            here = next;
        }
        slot
    }

    fn give(&mut self, slot: u64) -> Ipv4Addr {
        self.given += 1;
        // When all are given the ring closes; `take` looks at the count first.
        self.next.insert(slot, (slot + 1) % self.count);
        self.address_of(slot)
    }

    fn address_of(&self, slot: u64) -> Ipv4Addr {
        let at = self.ranges.partition_point(|(start, _)| *start <= slot) - 1;
        let (start, first) = self.ranges[at];
        Ipv4Addr::from_bits(first.to_bits() + u32::try_from(slot - start).unwrap_or(u32::MAX))
    }

    fn slot_of(&self, address: Ipv4Addr) -> Option<u64> {
        let ends = self.ranges.iter().skip(1).map(|(start, _)| *start).chain([self.count]);
        self.ranges.iter().zip(ends).find_map(|((start, first), end)| {
            let offset = u64::from(address.to_bits().checked_sub(first.to_bits())?);
            (start + offset < end).then_some(start + offset)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Place;
    use crate::model::site::Range;

    fn network(first: &str, last: &str) -> Networks {
        let range =
            Range { kind: "static".into(), first: first.parse().unwrap(), last: last.parse().unwrap() };
        let network = Network {
            name: "prod".into(),
            cidr: "10.0.0.0/16".parse().unwrap(),
            gateway: Some("10.0.0.1".parse().unwrap()),
            vlan: None,
            mtu: None,
            dns: vec![],
            domain: None,
            route_domain: None,
            ranges: vec![range],
            routes: vec![],
            dhcp: None,
            relays: vec![],
            labels: Value::empty_map(),
            place: Place::whole("x.kdl"),
        };
        BTreeMap::from([("prod".into(), network)])
    }

    fn want(number: usize) -> Want {
        ("prod".into(), format!("n{number:03}").into())
    }

    fn given(wants: &[Want], networks: &Networks, kept: &Allocation) -> (Allocation, Vec<Want>) {
        let taken = HashSet::from(["10.0.0.1".parse().unwrap()]);
        allocate(wants, networks, taken, kept)
    }

    #[test]
    fn a_network_is_given_out_to_the_last_address_and_no_address_twice() {
        let networks = network("10.0.0.1", "10.0.0.100");
        let wants: Vec<Want> = (0..100).map(want).collect();
        let (chosen, without) = given(&wants, &networks, &Allocation::new());
        let different: HashSet<&Ipv4Addr> = chosen.values().collect();
        // The gateway's is one of the hundred.
        assert_eq!((different.len(), without.len()), (99, 1));
        assert!(!different.contains(&"10.0.0.1".parse::<Ipv4Addr>().unwrap()));
    }

    #[test]
    fn what_a_node_has_it_keeps_whoever_comes() {
        let networks = network("10.0.0.2", "10.0.0.61");
        let few: Vec<Want> = (20..50).map(want).collect();
        let (before, _) = given(&few, &networks, &Allocation::new());
        let all: Vec<Want> = (0..60).map(want).collect();
        let (after, without) = given(&all, &networks, &before);
        assert!(without.is_empty());
        assert!(before.iter().all(|(want, address)| after[want] == *address));
        // An address that is no longer of the network is not kept.
        let (moved, _) = given(&few, &network("10.0.1.0", "10.0.1.60"), &before);
        assert!(moved.values().all(|address| address.octets()[2] == 1));
    }
}
