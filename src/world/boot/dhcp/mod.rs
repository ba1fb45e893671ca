//! DHCPv4 (RFC 2131) for machines that boot: who gets which address, and what to boot next.

mod answer;
mod decide;
#[cfg(test)]
mod decide_tests;
mod packet;
mod server;
mod subnets;
mod table;

pub(super) use server::{Server, Setting};
pub(super) use subnets::Subnets;
