//! The payloads that machines are to fetch from us are in the design's `files/`.
//!
//! Why: a machine whose installer finds nothing waits, powered on and half changed. Example: an image whose
//! `url "files/images/debian.img"` is not there. Fix: put the file where the design says, or correct the path. An
//! image that is for rehearsals only may lack its own, and its nodes boot with what the rehearsal has.

use super::rehearsal_only::is_marked;
use super::{Context, installs};
use crate::finding::{Finding, PAYLOAD_MISSING, did_you_mean};
use crate::model::value::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What firmware fetches first, by boot mode, and where it is from.
const PROGRAMS: &[(&str, &str)] = &[("uefi", "files/tftp/snponly.efi"), ("bios", "files/tftp/undionly.kpxe")];

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let Some(present) = &context.catalog.payloads else { return };
    for item in context.catalog.of("image").filter(|item| !item.faulty && !is_marked(&item.tree)) {
        for path in ["image.kernel.url", "image.initrd.url", "image.url"] {
            let Some(url) = item.tree.str_at(path).filter(|url| url.starts_with("files/")) else { continue };
            if !present.contains(url) {
                let message = format!("image `{}` needs `{url}`, which is not there", item.name);
                findings.push(missing(item.subject(), message, url, present).at(item.place.clone()));
            }
        }
    }
    for (mode, program) in PROGRAMS.iter().filter(|(_, program)| !present.contains(*program)) {
        let fetches = |spec: &Value| spec.str_at("hardware.boot-mode").unwrap_or("uefi") == *mode;
        // Whoever is only rehearsed fetches what the rehearsal has.
        let real = |spec: &Value| fetches(spec) && !is_marked(spec);
        let first = installs(context).find(|resolved| real(&resolved.node.spec));
        if let Some(resolved) = first {
            let message = format!(
                "`{}` boots from the network and needs `{program}`, which is not there",
                resolved.node.name
            );
            let finding = missing(super::subject(resolved), message, program, present);
            findings.push(finding.at(resolved.node.place.clone()).help(
                "put iPXE there (Debian's package `ipxe` has it), or for rehearsals the one that `rackwright init` writes",
            ));
        }
    }
}

fn missing(subject: String, message: String, wanted: &str, present: &BTreeSet<Arc<str>>) -> Finding {
    let finding = Finding::new(PAYLOAD_MISSING, subject, message);
    match did_you_mean(wanted, present.iter().map(|name| &**name)) {
        Some(near) => finding.help(format!("did you mean `{near}`?")),
        None => finding.help("put the file there, or correct the path"),
    }
}
