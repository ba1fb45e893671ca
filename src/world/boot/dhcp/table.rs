//! The table of DHCP leases in memory: by address and by machine, with offers and addresses found in use.
//!
//! Kept equal to what the desk has saved, plus offers, which live for seconds and are saved nowhere.

use super::subnets::{Subnet, Subnets};
use crate::units::{Mac, Time};
use crate::world::boot::desk::DhcpLease;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Who has an address, until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// `None` for an address that a machine found in use (RFC 2131, 4.3.3).
    pub mac: Option<Mac>,
    pub network: String,
    pub until: Time,
    /// False for an offer.
    pub leased: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    by_address: BTreeMap<Ipv4Addr, Entry>,
    /// The latest address of each machine on each network, also after its time: a machine keeps its address while
    /// nobody else needs it.
    by_mac: BTreeMap<(Mac, String), Ipv4Addr>,
}

impl Table {
    /// Of two leases of one machine on one network the one that lasts longer counts.
    pub fn of(leases: Vec<DhcpLease>) -> Table {
        let mut table = Table::default();
        let mut leases = leases;
        leases.sort_by_key(|lease| lease.expires);
        for lease in leases {
            let DhcpLease { address, mac, network, expires, .. } = lease;
            table.put(address, Entry { mac: Some(mac), network, until: expires, leased: true });
        }
        table
    }

    pub fn put(&mut self, address: Ipv4Addr, entry: Entry) {
        let network = entry.network.clone();
        let mac = entry.mac;
        if let Some(Entry { mac: Some(before), network, .. }) = self.by_address.insert(address, entry) {
            let key = (before, network);
            if self.by_mac.get(&key) == Some(&address) {
                self.by_mac.remove(&key);
            }
        }
        if let Some(mac) = mac {
            self.by_mac.insert((mac, network), address);
        }
    }

    pub fn entry(&self, address: Ipv4Addr) -> Option<&Entry> {
        self.by_address.get(&address)
    }

    /// The address that `mac` has or had on `subnet`.
    pub fn address_of(&self, mac: Mac, subnet: &Subnet) -> Option<Ipv4Addr> {
        self.by_mac.get(&(mac, subnet.name.clone())).copied()
    }

    /// Nobody but `mac` has a right to `address` now.
    pub fn is_free_for(&self, address: Ipv4Addr, mac: Mac, now: Time) -> bool {
        self.by_address.get(&address).is_none_or(|entry| entry.mac == Some(mac) || entry.until <= now)
    }

    /// The first address of the dynamic range that nobody ever had, else the first whose time is over. The entries in
    /// the range are walked in order beside the range, so that a full one costs one pass.
    pub fn first_free(&self, subnets: &Subnets, subnet: &Subnet, now: Time) -> Option<Ipv4Addr> {
        if subnet.first > subnet.last {
            return None;
        }
        let mut taken = self.by_address.range(subnet.first..=subnet.last).peekable();
        let mut expired = None;
        for number in u32::from(subnet.first)..=u32::from(subnet.last) {
            let address = Ipv4Addr::from(number);
            let entry = taken.next_if(|(at, _)| **at == address).map(|(_, entry)| entry);
            if !subnets.is_dynamic(subnet, address) {
                continue;
            }
            match entry {
                None => return Some(address),
                Some(entry) if entry.until <= now && expired.is_none() => expired = Some(address),
                Some(_) => {}
            }
        }
        expired
    }
}
