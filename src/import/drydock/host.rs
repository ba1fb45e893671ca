//! `HostProfile` and `BaremetalNode`: what is put on machines, and the machines.
//!
//! Owns the order in which they are told. Nothing that a profile says is said again in a node.

use super::document::{self, Document, Field, Fields};
use super::site::Documents;
use super::{secrets::Secrets, storage};
use crate::import::kdl::{Element, Value};

/// Before the path of a value of the hardware profile.
const REFERENCE: &str = "hardwareprofile:";
/// Management controllers that the language knows.
const CONTROLLERS: &[&str] = &["ipmi", "redfish"];

pub fn profile(documents: &Documents<'_>, document: &Document<'_>, secrets: &mut Secrets) -> Element {
    let mut fields = document.fields();
    let mut profile = Element::new("profile").arg(document.name);
    if let Some(parent) = fields.scalar("host_profile") {
        profile = profile.prop("extends", parent.text()).from(parent.mark());
    }
    profile = profile.at(document.name_mark());
    document::text(&mut profile, fields.scalar("hardware_profile"), "hardware");
    platform_names(&mut profile, &mut fields);
    bmc(&mut profile, documents, document, fields.inner("oob"), None, secrets);
    let mut metadata = fields.inner("metadata");
    for key in ["rack", "boot_mac"] {
        if let Some(field) = metadata.take(key) {
            field.dropped("only a node says it");
        }
    }
    shared(&mut profile, fields, metadata);
    profile
}

pub fn node(documents: &Documents<'_>, document: &Document<'_>, secrets: &mut Secrets) -> Element {
    let mut fields = document.fields();
    let mut node = Element::new("node").arg(document.name);
    if let Some(parent) = fields.scalar("host_profile") {
        node = node.prop("profile", parent.text()).from(parent.mark());
    }
    node = node.at(document.name_mark());
    let mut metadata = fields.inner("metadata");
    document::text(&mut node, metadata.scalar("rack"), "rack");
    match metadata.scalar("boot_mac") {
        Some(mac) => document::text(&mut node, Some(mac), "boot-mac"),
        None => {
            let at = document.name_mark();
            document.note(
                crate::model::imported::NoteKind::Changed,
                document.name_at,
                "metadata.boot_mac",
                "no MAC is given, so the one that the machine reports is used: `boot-mac \"auto\"`",
            );
            node.add(Element::new("boot-mac").at(at).arg("auto"));
        }
    }
    let addresses = fields.list("addressing");
    let oob = documents.inherited(document, &["oob", "network"]).and_then(|node| node.text());
    let (bmc_address, addresses): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| {
        oob.is_some() && address.node.get("network").and_then(|network| network.text()) == oob
    });
    bmc(&mut node, documents, document, fields.inner("oob"), bmc_address.into_iter().next(), secrets);
    document::text(&mut node, fields.scalar("hardware_profile"), "hardware");
    platform_names(&mut node, &mut fields);
    for (index, address) in addresses.into_iter().enumerate() {
        self::address(&mut node, address, index == 0);
    }
    shared(&mut node, fields, metadata);
    node
}

fn platform_names(host: &mut Element, fields: &mut Fields<'_>) {
    // Its other field is read further down: peeked at here, taken there.
    for (key, name) in [("image", "image"), ("kernel", "kernel")] {
        if let Some(node) = fields.document.peek(&["platform", key]).filter(|node| node.text().is_some()) {
            let field = Field { document: fields.document, path: format!("platform.{key}"), node };
            host.add(field.element(name, field.text()));
        }
    }
}

/// What profiles and nodes have in common, from the kernel to the marks.
fn shared(host: &mut Element, mut fields: Fields<'_>, mut metadata: Fields<'_>) {
    let mut platform = fields.inner("platform");
    for key in ["image", "kernel"] {
        let _ = platform.scalar(key);
    }
    for (index, (name, value)) in platform.named("kernel_params").into_iter().enumerate() {
        let element = kernel_param(name, &value);
        host.add(if index == 0 { element.fresh() } else { element });
    }
    platform.finish();
    storage::storage(host, fields.inner("storage"));
    for (name, interface) in fields.named("interfaces") {
        host.add(self::interface(name, interface));
    }
    if let Some(network) = fields.scalar("primary_network") {
        host.add(network.element("primary-network", network.text()).fresh());
    }
    let tags = metadata.take("tags").map(Field::texts).unwrap_or_default();
    document::list(host, &tags, "tag");
    document::keyed(host, metadata.named("owner_data"), "owner-data");
    metadata.finish();
    fields.finish();
}

fn kernel_param(name: &str, value: &Field<'_>) -> Element {
    let element = Element::new("kernel-param").at(value.mark()).arg(name.trim_start_matches('!'));
    if name.starts_with('!') || value.node.is_null() {
        return element.arg(Value::Null);
    }
    match value.text().strip_prefix(REFERENCE) {
        Some(path) => element.arg(Value::Annotated("ref", format!("hardware.{path}"))),
        None => element.arg(value.scalar()),
    }
}

/// The management controller: kind and account from `oob`, the address from the network that `oob` names.
fn bmc(
    host: &mut Element,
    documents: &Documents<'_>,
    document: &Document<'_>,
    mut oob: Fields<'_>,
    address: Option<Field<'_>>,
    secrets: &mut Secrets,
) {
    let own = oob.scalar("type");
    let kind = documents.inherited(document, &["oob", "type"]).and_then(|node| node.text());
    let (network, account) = (oob.scalar("network"), oob.scalar("account"));
    let credential = oob.scalar("credential");
    oob.finish();
    let Some(first) = [&own, &network, &account, &credential, &address].into_iter().flatten().next() else {
        return;
    };
    let Some(kind) = kind.filter(|kind| CONTROLLERS.contains(kind)) else {
        [&own, &network, &account, &credential, &address].into_iter().flatten().for_each(|field| {
            field.dropped("machines are managed by IPMI or Redfish; write `bmc` yourself");
        });
        return;
    };
    let mut bmc = Element::new("bmc").at(first.mark()).arg(kind);
    if let Some(address) = address {
        let mark = address.mark();
        let mut fields = address.fields();
        let _ = fields.take("network");
        if let Some(address) = fields.scalar("address") {
            let host = address.text();
            let written = if kind == "redfish" { format!("https://{host}") } else { host.to_string() };
            bmc = bmc.prop("address", written).from(address.mark());
        }
        fields.finish();
        bmc = bmc.at(mark);
    }
    if let Some(network) = network {
        bmc = bmc.prop("network", network.text()).from(network.mark());
    }
    if let Some(account) = account {
        bmc = bmc.prop("user", account.text()).from(account.mark());
    }
    if let Some(credential) = credential {
        bmc = bmc.prop("password", secrets.reference(&credential)).from(credential.mark());
    }
    host.add(bmc.fresh());
}

fn address(node: &mut Element, address: Field<'_>, first: bool) {
    let mark = address.mark();
    let mut fields = address.fields();
    let mut element = Element::new("address").at(mark);
    for key in ["network", "address"] {
        if let Some(field) = fields.scalar(key) {
            element = element.arg(field.text()).from(field.mark());
        }
    }
    fields.finish();
    node.add(if first { element.fresh() } else { element });
}

fn interface(name: &str, interface: Field<'_>) -> Element {
    let mut element = Element::new("interface").at(interface.mark()).arg(name.trim_start_matches('!'));
    if name.starts_with('!') || interface.node.is_null() {
        return element.arg(Value::Null);
    }
    let mut fields = interface.fields();
    if let Some(link) = fields.scalar("device_link") {
        element = element.prop("link", link.text()).from(link.mark());
    }
    for (key, name) in [("slaves", "members"), ("hardware_slaves", "members"), ("networks", "network")] {
        let items = fields.take(key).map(Field::texts).unwrap_or_default();
        document::list(&mut element, &items, name);
    }
    if let Some(sriov) = fields.take("sriov") {
        let mark = sriov.mark();
        let mut fields = sriov.fields();
        let mut sriov = Element::new("sriov").at(mark);
        if let Some(count) = fields.scalar("vf_count") {
            sriov = sriov.prop("vf-count", count.number()).from(count.mark());
        }
        if let Some(trusted) = fields.scalar("trustedmode") {
            sriov = sriov.prop("trusted", trusted.truth()).from(trusted.mark());
        }
        fields.finish();
        element.add(sriov);
    }
    labels(&mut element, fields.named("labels"));
    fields.finish();
    element
}

/// Labels; the one that keeps the ancestor's hands off is a word of its own here.
pub fn labels(into: &mut Element, labels: Vec<(&str, Field<'_>)>) {
    let (hands_off, labels): (Vec<_>, Vec<_>) = labels.into_iter().partition(|(name, _)| *name == "noconfig");
    for (_, field) in hands_off {
        into.add(field.element("leave-alone", field.truth()));
    }
    document::keyed(into, labels, "label");
}
