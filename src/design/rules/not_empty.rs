//! A design says something, and has nodes.
//!
//! Why: an empty design is usually the wrong folder. Example: a folder without KDL files. Fix: name the folder
//! that holds the design. A design without nodes is only warned about: one starts like that.

use super::Context;
use crate::finding::{EMPTY_DESIGN, Finding, NO_NODES};

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    if context.catalog.broken {
        return;
    }
    let own = |file: &str| !file.starts_with("stdlib/");
    if !context.catalog.all().any(|item| own(&item.place.file)) && !findings.iter().any(Finding::is_error) {
        let finding = Finding::new(EMPTY_DESIGN, "design", "the folder holds no design");
        findings
            .push(finding.help("name the folder with the KDL files, or write one with `rackwright init`"));
    } else if context.nodes.is_empty() && context.catalog.of("nodes").all(|item| !item.faulty) {
        let Some(site) = context.catalog.of("site").next() else { return };
        let finding =
            Finding::new(NO_NODES, site.subject(), "the design has no nodes").at(site.place.clone());
        findings.push(finding.help("write node \"n01\" { bmc … } or a `nodes` block"));
    }
}
