//! `Network` and `NetworkLink`: networks, and what switch ports carry of them.

use super::document::{self, Document, Field, Fields};
use super::links::Additions;
use crate::import::kdl::Element;

pub fn network(document: &Document<'_>) -> Element {
    let mut fields = document.fields();
    let mut network = Element::new("network").arg(document.name).at(document.name_mark());
    document::text(&mut network, fields.scalar("cidr"), "cidr");
    document::number(&mut network, fields.scalar("vlan"), "vlan");
    document::number(&mut network, fields.scalar("mtu"), "mtu");
    document::text(&mut network, fields.scalar("routedomain"), "route-domain");
    let mut served = false;
    for (index, range) in fields.list("ranges").into_iter().enumerate() {
        served |= range.node.get("type").and_then(|kind| kind.text()) == Some("dhcp");
        self::range(&mut network, range, index == 0);
    }
    fields.list("routes").into_iter().for_each(|route| self::route(&mut network, route));
    dns(&mut network, fields.inner("dns"));
    dhcp(&mut network, &mut fields, served);
    document::keyed(&mut network, fields.named("labels"), "label");
    fields.finish();
    network
}

fn range(network: &mut Element, range: Field<'_>, first: bool) {
    let mark = range.mark();
    let mut fields = range.fields();
    let mut element = Element::new("range").at(mark);
    for key in ["type", "start", "end"] {
        if let Some(field) = fields.scalar(key) {
            element = element.arg(field.text()).from(field.mark());
        }
    }
    fields.finish();
    network.add(if first { element.fresh() } else { element });
}

fn route(network: &mut Element, route: Field<'_>) {
    let mark = route.mark();
    let mut fields = route.fields();
    let mut element = Element::new("route").at(mark).fresh();
    if let Some(subnet) = fields.scalar("subnet") {
        element = element.arg(subnet.text()).from(subnet.mark());
    }
    if let Some(domain) = fields.scalar("routedomain") {
        element = element.prop("route-domain", domain.text()).from(domain.mark());
    }
    if let Some(gateway) = fields.scalar("gateway") {
        element = element.prop("gateway", gateway.text()).from(gateway.mark());
    }
    if let Some(metric) = fields.scalar("metric") {
        element = element.prop("metric", metric.number()).from(metric.mark());
    }
    fields.finish();
    network.add(element);
}

fn dns(network: &mut Element, mut fields: Fields<'_>) {
    let domain = fields.scalar("domain");
    let fresh = domain.is_some();
    if let Some(domain) = domain {
        network.add(domain.element("domain", domain.text()).fresh());
    }
    if let Some(servers) = fields.take("servers") {
        for servers in servers.texts() {
            let element = Element::new("dns").at(servers.mark());
            let parts = servers.text().split(',').map(str::trim).filter(|part| !part.is_empty());
            let element = parts.fold(element, |it, part| it.arg(part));
            network.add(if fresh { element } else { element.fresh() });
        }
    }
    fields.finish();
}

/// The ancestor's DHCP server is now ours; where a relay stands stays true.
fn dhcp(network: &mut Element, fields: &mut Fields<'_>, served: bool) {
    let relay = fields.take("dhcp_relay");
    if !served && relay.is_none() {
        return;
    }
    let mode = if served { "server" } else { "off" };
    let mut dhcp = Element::new("dhcp").prop("mode", mode).fresh();
    if let Some(relay) = relay {
        dhcp = dhcp.at(relay.mark());
        if served {
            relay.changed("DHCP is answered by Rackwright now: let the relay send to it");
        } else {
            relay.changed("nothing answers DHCP here, because the network has no range of type dhcp");
        }
        let mut fields = relay.fields();
        if let Some(own) = fields.scalar("self_ip") {
            let mut element = own.element("relay", own.text());
            if let Some(upstream) = fields.scalar("upstream_target") {
                element = element.prop("upstream", upstream.text()).from(upstream.mark());
            }
            dhcp.add(element);
        }
        fields.finish();
    }
    network.add(dhcp);
}

pub fn link(document: &Document<'_>, additions: &Additions<'_>) -> Element {
    let mut fields = document.fields();
    let mut link = Element::new("link").arg(document.name).at(document.name_mark());
    bonding(&mut link, fields.inner("bonding"));
    document::number(&mut link, fields.scalar("mtu"), "mtu");
    document::text(&mut link, fields.scalar("linkspeed"), "speed");
    trunking(&mut link, fields.inner("trunking"));
    let mut allowed = fields.take("allowed_networks").map(Field::texts).unwrap_or_default();
    allowed.extend(additions.to(document.name));
    document::list(&mut link, &allowed, "allow");
    let labels = fields.named("labels");
    super::host::labels(&mut link, labels);
    fields.finish();
    link
}

/// A link that is no bond says nothing of bonds.
fn bonding(link: &mut Element, mut fields: Fields<'_>) {
    let mode = fields.scalar("mode");
    let properties = [
        ("hash", "hash", false),
        ("peer_rate", "peer-rate", false),
        ("mon_rate", "monitor-rate", true),
        ("up_delay", "up-delay", true),
        ("down_delay", "down-delay", true),
    ];
    let mut bond = match &mode {
        Some(mode) if mode.text() != "disabled" => Some(mode.element("bond", mode.text())),
        _ => None,
    };
    for (key, name, number) in properties {
        let Some(field) = fields.scalar(key) else { continue };
        bond = match bond {
            Some(bond) if number => Some(bond.prop(name, field.number()).from(field.mark())),
            Some(bond) => Some(bond.prop(name, field.text()).from(field.mark())),
            None => {
                field.dropped("the link is no bond");
                None
            }
        };
    }
    fields.finish();
    if let Some(bond) = bond {
        link.add(bond);
    }
}

fn trunking(link: &mut Element, mut fields: Fields<'_>) {
    let (mode, native) = (fields.scalar("mode"), fields.scalar("default_network"));
    fields.finish();
    let Some(first) = mode.as_ref().or(native.as_ref()) else { return };
    let mut trunk = Element::new("trunk").at(first.mark());
    // What `trunk` means when it says nothing else.
    if let Some(mode) = mode.filter(|mode| mode.text() != "802.1q") {
        trunk = trunk.prop("mode", mode.text()).from(mode.mark());
    }
    if let Some(native) = native {
        trunk = trunk.prop("native", native.text()).from(native.mark());
    }
    link.add(trunk);
}
