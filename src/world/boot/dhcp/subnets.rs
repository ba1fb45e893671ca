//! Subnets: the networks on which DHCP is answered, and which one a request came from.

use crate::model::site::Network;
use crate::units::Mac;
use ipnet::Ipv4Net;
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

/// A network as a DHCP server sees it.
#[derive(Clone, Debug)]
pub(in crate::world::boot) struct Subnet {
    pub name: String,
    pub cidr: Ipv4Net,
    pub gateway: Option<Ipv4Addr>,
    pub dns: Vec<Ipv4Addr>,
    pub domain: Option<String>,
    /// The dynamic range, both ends included.
    pub first: Ipv4Addr,
    pub last: Ipv4Addr,
    pub lease: Duration,
}

/// All of them, with the addresses that the design gives to somebody.
#[derive(Clone, Debug, Default)]
pub(in crate::world::boot) struct Subnets {
    list: Vec<Subnet>,
    by_mac: BTreeMap<(Mac, String), Ipv4Addr>,
    /// Addresses that are never given out from a dynamic range.
    reserved: BTreeSet<Ipv4Addr>,
}

impl Subnets {
    /// `ours` are addresses of this server. Networks without DHCP are left out, and so are reservations on them.
    pub fn new(
        networks: &[Network],
        reservations: &BTreeMap<Mac, Vec<(String, Ipv4Addr)>>,
        ours: &[Ipv4Addr],
    ) -> Subnets {
        let list: Vec<Subnet> = networks.iter().filter_map(subnet).collect();
        let mut reserved: BTreeSet<Ipv4Addr> = ours.iter().copied().collect();
        for subnet in &list {
            reserved.extend([subnet.cidr.network(), subnet.cidr.broadcast()]);
            reserved.extend(subnet.gateway);
            reserved.extend(&subnet.dns);
        }
        let mut by_mac = BTreeMap::new();
        for (mac, addresses) in reservations {
            for (network, address) in addresses {
                reserved.insert(*address);
                let fits = list.iter().any(|subnet| subnet.name == *network && subnet.cidr.contains(address));
                if fits {
                    by_mac.insert((*mac, network.clone()), *address);
                }
            }
        }
        Subnets { list, by_mac, reserved }
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The narrowest network that contains `address`.
    pub fn of(&self, address: Ipv4Addr) -> Option<&Subnet> {
        let around = self.list.iter().filter(|subnet| subnet.cidr.contains(&address));
        around.max_by_key(|subnet| subnet.cidr.prefix_len())
    }

    /// The only network, when there is just one.
    pub fn only(&self) -> Option<&Subnet> {
        match self.list.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    pub fn named(&self, name: &str) -> Option<&Subnet> {
        self.list.iter().find(|subnet| subnet.name == name)
    }

    pub fn reservation(&self, mac: Mac, subnet: &Subnet) -> Option<Ipv4Addr> {
        self.by_mac.get(&(mac, subnet.name.clone())).copied()
    }

    /// May `address` be given out from the dynamic range of `subnet`?
    pub fn is_dynamic(&self, subnet: &Subnet, address: Ipv4Addr) -> bool {
        (subnet.first..=subnet.last).contains(&address) && !self.reserved.contains(&address)
    }
}

fn subnet(network: &Network) -> Option<Subnet> {
    let dhcp = network.dhcp.as_ref()?;
    Some(Subnet {
        name: network.name.to_string(),
        cidr: network.cidr,
        gateway: network.gateway,
        dns: network.dns.clone(),
        domain: network.domain.as_deref().map(str::to_string),
        first: dhcp.range.first,
        last: dhcp.range.last,
        lease: dhcp.lease,
    })
}
