//! The designs that come with Rackwright: each compiles without mistakes and plans cleanly, offline.

use super::text::root;
use rackwright::finding::Severity;
use rackwright::model::observed::{Identity, Machine, NodeObserved, Observed, Seen};
use rackwright::model::record::Record;
use rackwright::model::site::{Node, Site};
use rackwright::plan::{Limits, plan};
use rackwright::reconcile::design::load;
use rackwright::units::Time;
use rackwright::world::source::Options;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The names of the folders in `designs/`.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root().join("designs"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A design without mistakes. What it says that this build does not act on yet is information.
pub fn site(name: &str) -> Arc<Site> {
    let folder = root().join("designs").join(name);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let loaded = runtime.block_on(load(&folder.to_string_lossy(), &Options::default())).unwrap();
    let mistakes = loaded.findings.iter().filter(|finding| finding.code.severity != Severity::Info);
    let lines: Vec<String> = mistakes.map(rackwright::view::findings::line).collect();
    assert_eq!(lines, Vec::<String>::new(), "designs/{name}");
    loaded.site.unwrap()
}

/// The machine that the design describes, new and powered off.
fn seen(node: &Node) -> NodeObserved {
    let identity = Identity { uuid: None, serial: None, macs: node.boot_mac.into_iter().collect() };
    let machine = Machine { identity, power: "off".into() };
    NodeObserved { machine: Seen::Is { value: machine, at: Time(0) }, steps: BTreeMap::new() }
}

#[test]
fn every_design_compiles_and_plans_cleanly() {
    assert!(names().contains(&"lab".to_string()));
    for name in names() {
        let site = site(&name);
        let observed =
            Observed { nodes: site.nodes.iter().map(|node| (node.name.clone(), seen(node))).collect() };
        let planned = plan(&site, &Record::default(), &observed, &Limits::default());
        assert_eq!(planned.unplanned, [], "designs/{name}");
        assert_eq!((planned.nodes.len(), planned.summary.create), (site.nodes.len(), site.nodes.len()));
        assert!(planned.nodes.iter().all(|node| !node.steps.is_empty()));
        let again = plan(&site, &Record::default(), &observed, &Limits::default());
        assert_eq!(planned.digest, again.digest, "designs/{name}");
    }
}
