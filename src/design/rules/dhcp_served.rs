//! Where machines boot from the network and we are to answer DHCP, some network says so.
//!
//! Why: a machine that nobody answers waits at its firmware's screen until the step gives up. Example: `services {
//! dhcp … }` and nodes with `std/bring-up`, and no network with `dhcp mode="server"`. Fix: write it in the boot
//! network, `mode="proxy"` beside another server, or leave `dhcp` out of `services`.

use super::{Context, installs};
use crate::finding::{Finding, NO_DHCP_NETWORK};

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let Some(site) = context.catalog.of("site").next() else { return };
    let declared = site.tree.str_at("services.dhcp.listen").is_some();
    // Another file, or a network with a mistake, may say it.
    let mut networks = context.catalog.of("network");
    let served = |mode: Option<&str>| mode.is_some_and(|mode| mode != "off");
    let answered = networks.any(|network| network.faulty || served(network.tree.str_at("dhcp.mode")));
    if !declared || answered || context.catalog.broken {
        return;
    }
    if let Some(first) = installs(context).next() {
        let name = &first.node.name;
        let message = format!("`{name}` boots from the network, and no network is served by DHCP");
        let place = site.place_of("services.dhcp");
        let help = "write dhcp mode=\"server\" { range FIRST LAST } in the boot network, or mode=\"proxy\"";
        findings.push(Finding::new(NO_DHCP_NETWORK, site.subject(), message).at(place).help(help));
    }
}
