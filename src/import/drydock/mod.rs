//! Drydock: the YAML documents of a site, as Deckhand keeps them, to a design.
//!
//! Owns which document becomes what, and in which file it stands. Documents become things of the same names in the same
//! order; inheritance stays inheritance. Findings of the result can be traced to the documents.

mod boot_action;
mod document;
mod filter;
mod hardware;
mod host;
mod images;
mod links;
mod network;
mod region;
mod secrets;
mod site;
mod storage;

use super::kdl::{self, Element};
use super::report::{Report, starred};
use super::source::{Input, Source};
use super::yaml;
use crate::finding::{Finding, IMPORT_DOCUMENT, Place};
use crate::model::imported::{Imported, Mark, NoteKind, Origins};
use links::Additions;
use secrets::Secrets;
use site::{Documents, kind_of};
use std::sync::Arc;

/// What findings call the things that documents became.
const WORDS: &[(&str, &str)] = &[
    ("Region", "region"),
    ("NetworkLink", "link"),
    ("Rack", "rack"),
    ("Network", "network"),
    ("HostProfile", "profile"),
    ("HardwareProfile", "hardware"),
    ("BaremetalNode", "node"),
    ("BootAction", "boot-action"),
];

/// The design that the documents of these files describe.
pub fn import(inputs: &[Input]) -> Imported {
    let report = Report::default();
    let mut sources = Vec::new();
    for input in inputs {
        match Source::decode(input) {
            Ok(source) => sources.push(source),
            Err(finding) => report.find(*finding),
        }
    }
    let mut roots = Vec::new();
    for source in &sources {
        let (documents, findings) = yaml::read(source);
        findings.into_iter().for_each(|finding| report.find(finding));
        roots.push(documents);
    }
    let mut imported = Imported::default();
    {
        let mut documents = Documents::default();
        for (source, roots) in sources.iter().zip(&roots) {
            documents.take(source, roots, &report);
        }
        match documents.all().next() {
            Some(_) => files(&documents, &report, &mut imported),
            None => sources.iter().for_each(|source| report.find(nothing(&source.name))),
        }
    }
    let (notes, findings, hidden) = report.into_parts();
    imported.notes = notes;
    imported.findings = findings;
    imported.texts = sources.iter().map(|source| (source.name.clone(), source.text.clone())).collect();
    starred(&mut imported.texts, &hidden);
    imported
}

fn nothing(name: &Arc<str>) -> Finding {
    let finding =
        Finding::new(IMPORT_DOCUMENT, format!("file `{name}`"), "it holds no document of a Drydock site");
    finding.at(Place::whole(name)).help("name the YAML files with `schema: drydock/…`")
}

fn files(documents: &Documents<'_>, report: &Report, imported: &mut Imported) {
    let additions = Additions::collect(documents);
    let mut secrets = Secrets::default();
    let networks = documents.of("Network").map(network::network);
    let links = documents.of("NetworkLink").map(|link| network::link(link, &additions));
    let networks: Vec<Element> = networks.chain(links).collect();
    let hardware = documents.of("HardwareProfile").map(hardware::hardware).collect();
    let profiles =
        documents.of("HostProfile").map(|profile| host::profile(documents, profile, &mut secrets)).collect();
    let nodes = documents.of("BaremetalNode").map(|node| host::node(documents, node, &mut secrets)).collect();
    let actions = documents.of("BootAction").map(boot_action::boot_action).collect();
    let files: [(&str, Vec<Element>); 8] = [
        ("site.kdl", site_file(documents, report)),
        ("networks.kdl", networks),
        ("racks.kdl", racks_file(documents)),
        ("hardware.kdl", hardware),
        ("images.kdl", images::images(documents)),
        ("profiles.kdl", profiles),
        ("nodes.kdl", nodes),
        ("boot-actions.kdl", actions),
    ];
    for (name, elements) in files.into_iter().filter(|(_, elements)| !elements.is_empty()) {
        let written = kdl::write(&elements);
        imported.origins.spans.insert(name.to_string(), written.spans);
        imported.files.push((name.to_string(), written.text));
    }
    subjects(documents, &mut imported.origins);
    imported.origins.named_only = images::names(documents).map(|name| format!("image \"{name}\"")).collect();
}

fn subjects(documents: &Documents<'_>, origins: &mut Origins) {
    for document in documents.all() {
        if let Some((_, word)) = WORDS.iter().find(|(kind, _)| *kind == kind_of(document.schema)) {
            origins.subjects.insert(format!("{word} \"{}\"", document.name), document.subject.clone());
        }
    }
}

/// The site is named after the region; without one after the file.
fn site_file(documents: &Documents<'_>, report: &Report) -> Vec<Element> {
    let mut regions = documents.of("Region");
    let mut elements = match (regions.next(), documents.all().next()) {
        (Some(region), _) => {
            let defaults = Element::new("defaults").prop("region", region.name);
            vec![Element::new("site").at(region.name_mark()).arg(region.name).child(defaults)]
        }
        (None, Some(first)) => {
            let file = first.source.name.rsplit('/').next().unwrap_or_default();
            let name = file.split('.').next().filter(|name| !name.is_empty()).unwrap_or("site");
            let place = first.source.place(0, 0);
            let why = format!("there is no Region, so the site is named `{name}`");
            report.note(NoteKind::Changed, place.clone(), &first.source.name, "Region".into(), why);
            let mark = Mark { document: first.source.name.clone(), place };
            vec![Element::new("site").at(mark).arg(name)]
        }
        (None, None) => Vec::new(),
    };
    for other in regions {
        other.note(
            NoteKind::Changed,
            other.name_at,
            "",
            "a second region: nodes are in the first unless they say `region`",
        );
    }
    let mut repositories = Vec::new();
    for region in documents.of("Region") {
        let (element, named) = region::region(region);
        elements.push(element);
        repositories.extend(named);
    }
    elements.extend(repositories);
    elements
}

fn racks_file(documents: &Documents<'_>) -> Vec<Element> {
    let (mut racks, mut switches) = (Vec::new(), Vec::new());
    for rack in documents.of("Rack") {
        let (element, named) = region::rack(documents, rack);
        racks.push(element);
        switches.extend(named);
    }
    racks.extend(images::racks(documents));
    racks.extend(switches);
    racks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Beginnings of documents, and lines of their data, most of which are odd.
    const KINDS: &[&str] = site::KINDS;
    const LINES: &[&str] = &[
        "  host_profile: a",
        "  oob: {type: ipmi, network: n, credential: *x}",
        "  oob: {type: [1], credential: hunter2}",
        "  platform: {image: i, kernel: ~, kernel_params: {a: hardwareprofile:x, b: [1], '!c': 1}}",
        "  storage: {physical_devices: {sda: {partitions: [{name: '!p'}, {size: 1}, 7]}, sdb: ~}}",
        "  interfaces: {bond0: {device_link: a, networks: [n, '!m', [1]], sriov: 3}}",
        "  addressing: [{network: n, address: 10.0.0.1}, 1, {network: [2]}]",
        "  metadata: {rack: r, tags: t, owner_data: {x: ~, '': y}}",
        "  allowed_networks: [n]",
        "  bonding: {mode: 802.3ad, up_delay: 1}",
        "  ranges: [{type: dhcp, start: [1]}, 3]",
        "  dhcp_relay: {self_ip: 1, upstream_target: {}}",
        "  node_filter: {filter_set: [{filter_type: x, node_names: ['a b', \"'\\\"\"], node_labels: {k: v}}, 1]}",
        "  assets: [{path: /x/y.service, type: unit, data: 'a/==', data_pipeline: [base64_decode, z]}]",
        "  device_aliases: {a: {address: 'regexp:\\'}, b: 1}",
        "  authorized_keys: [\"a\\n b\\r\", 1]",
        "  repositories: {a: {url: x, gpgkey: \"-\\n \\n-\"}, b: 3}",
        "  tor_switches: {\"\\u202e\": {mgmt_ip: 1}, c: 4}",
    ];

    fn document() -> impl Strategy<Value = String> {
        let lines = prop::sample::subsequence((0..LINES.len()).collect::<Vec<_>>(), 0..LINES.len());
        let named = prop::sample::select(vec!["a", "r", "\"\\\"\\0{b}\""]);
        (prop::sample::select(KINDS), named, lines).prop_map(|(kind, name, lines)| {
            // A key that is given twice is a finding, and not what this is about.
            let lines: Vec<&str> =
                lines.into_iter().filter(|at| *at != 2 || name == "r").map(|at| LINES[at]).collect();
            let head =
                format!("---\nschema: drydock/{kind}/v1\nmetadata: {{name: {name}, x: &x hunter2}}\ndata:\n");
            format!("{head}{}\n", lines.join("\n"))
        })
    }

    proptest! {
        #[test]
        fn any_documents_become_kdl(documents in prop::collection::vec(document(), 1..6)) {
            let bytes = documents.concat().into_bytes();
            let imported = import(&[Input { name: "a.yaml".into(), bytes }]);
            prop_assert!(imported.findings.iter().all(|it| it.code == crate::finding::REPEATED), "{:?}", imported.findings);
            prop_assert!(!imported.files.is_empty());
            for (name, text) in &imported.files {
                prop_assert!(text.parse::<::kdl::KdlDocument>().is_ok(), "{}\n{}", name, text);
                prop_assert!(!text.contains("hunter2"));
            }
            prop_assert!(imported.notes.iter().all(|note| !note.why.contains("hunter2")));
        }
    }

    #[test]
    fn a_credential_behind_an_alias_is_hidden_where_it_is_written() {
        let text = "schema: drydock/HostProfile/v1\nmetadata: {name: a, x: &x hunter2}\n\
                    data: {oob: {type: ipmi, credential: *x}}\n";
        let imported = import(&[Input { name: "a.yaml".into(), bytes: text.as_bytes().to_vec() }]);
        assert!(imported.files.iter().any(|(_, text)| text.contains("env:BMC_PASSWORD")));
        let shown = imported.texts.values().next().unwrap();
        assert!(!shown.contains("hunter2") && shown.len() == text.len(), "{shown}");
    }
}
