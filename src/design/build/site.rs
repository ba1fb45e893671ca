//! The site's own settings, typed.
//!
//! Owns their defaults. What the site says for all nodes goes through resolution, not through here.

use super::parsed;
use crate::design::read::Item;
use crate::model::site::{FirstInstall, Services};

pub fn first_install(item: &Item) -> FirstInstall {
    match item.tree.str_at("first-install") {
        Some("allow") => FirstInstall::Allow,
        _ => FirstInstall::Ask,
    }
}

pub fn services(item: &Item) -> Services {
    Services {
        dhcp: parsed(&item.tree, "services.dhcp.listen"),
        tftp: parsed(&item.tree, "services.tftp.listen"),
        http: parsed(&item.tree, "services.http.listen"),
        // Paths are appended to it.
        advertise: item
            .tree
            .str_at("services.http.advertise")
            .map(|url| url.trim_end_matches('/').to_string()),
    }
}
