//! A design has exactly one site.
//!
//! Why: records, leases and services belong to a site. Example: two `site` nodes in two files. Fix: keep one;
//! another place is another design.

use super::Context;
use crate::finding::{DUPLICATE_NAME, Finding, NO_SITE, Place};

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut sites = context.catalog.of("site");
    let Some(first) = sites.next() else {
        let own = context.catalog.all().find(|item| !item.place.file.starts_with("stdlib/"));
        if let Some(item) = own.filter(|_| !context.catalog.broken) {
            let finding = Finding::new(NO_SITE, "design", "the design names no site");
            findings.push(finding.at(Place::whole(&item.place.file)).help("write site \"NAME\" { … }"));
        }
        return;
    };
    for other in sites {
        let message = format!("a design has one site; {} is at {}", first.subject(), first.place);
        let finding = Finding::new(DUPLICATE_NAME, other.subject(), message).at(other.place.clone());
        findings.push(finding.help("keep one of the two; another place is another design"));
    }
}
