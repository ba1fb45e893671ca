//! An image has what its method needs: `disk-image` a kernel, a ramdisk, a URL and a checksum.
//!
//! Why: an installation that stops half-way costs a machine. Example: an image without `checksum`. Fix: write
//! what is missing; an image that is for rehearsals only may lack it.

use super::Context;
use super::rehearsal_only::is_marked;
use crate::finding::{Finding, IMAGE_INCOMPLETE};

const NEEDED: &[&str] = &["kernel", "initrd", "url", "checksum"];

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for item in context.catalog.of("image").filter(|item| !item.faulty && !is_marked(&item.tree)) {
        let image = item.tree.get("image");
        let missing: Vec<String> = NEEDED
            .iter()
            .filter(|key| image.and_then(|image| image.get(key)).is_none())
            .map(|key| format!("`{key}`"))
            .collect();
        if !missing.is_empty() {
            let message =
                format!("image `{}` lacks {}, which its method needs", item.name, missing.join(", "));
            let finding = Finding::new(IMAGE_INCOMPLETE, item.subject(), message).at(item.place.clone());
            findings.push(finding.help(format!("write {} in its braces", missing.join(", "))));
        }
    }
}
