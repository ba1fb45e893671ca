//! A node that is booted from the network by its lifecycle has a boot MAC and an image.
//!
//! Why: a boot request names nothing but a MAC, and an installer needs something to install. Example: a node
//! without `boot-mac` whose lifecycle has a task that allows `pxe`. Fix: write both;
//! the MAC may be `auto`.

use super::{Context, installs, subject};
use crate::design::value_of::AUTO;
use crate::finding::{Finding, IMAGE_INCOMPLETE, MISSING_BOOT_MAC};

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for resolved in installs(context) {
        let node = &resolved.node;
        let mut find = |code, message: String, help: &str| {
            findings.push(Finding::new(code, subject(resolved), message).at(node.place.clone()).help(help));
        };
        // `auto` is the MAC that the machine reports, known once it has been looked at.
        if node.boot_mac.is_none() && node.spec.str_at("boot-mac") != Some(AUTO) {
            let message = format!("node `{}` is booted from the network and has no boot MAC", node.name);
            find(MISSING_BOOT_MAC, message, "write boot-mac \"52:54:00:…\", or \"auto\"");
        }
        if node.spec.get("image").is_none_or(|image| image.is_null()) {
            let message =
                format!("node `{}` is installed by `{}` and has no image", node.name, node.lifecycle);
            find(IMAGE_INCOMPLETE, message, "write image \"NAME\" in the node or in one of its profiles");
        }
    }
}
