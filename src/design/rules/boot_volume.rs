//! Of several volumes of a storage controller one is marked as the one that the machine boots from.
//!
//! Why: when that volume is made anew or removed, what was installed is gone, and the node must be installed again. Example:
//! two volumes and no `boot=#true`. Fix: mark one; or write `boot=#false` on each, where the machine boots from elsewhere.

use super::{Context, subject};
use crate::design::resolve::place_at;
use crate::finding::{BOOT_VOLUME, Finding};
use crate::model::path::Path;
use crate::model::value::Value;
use std::collections::HashSet;
use std::sync::Arc;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let base = Path(vec!["hardware".into(), "volumes".into()]);
    // Nodes of one profile share their hardware, and the mistakes in it.
    let mut seen = HashSet::new();
    for resolved in context.sure_nodes() {
        let Some(Value::Map(volumes)) = resolved.node.spec.at(&base) else { continue };
        if !seen.insert(Arc::as_ptr(volumes)) {
            continue;
        }
        let mark = |volume: &Value| volume.get("boot").and_then(Value::as_bool);
        let with = |wanted: Option<bool>| {
            volumes.iter().filter(|(_, it)| mark(it) == wanted).map(|(name, _)| name).collect::<Vec<_>>()
        };
        let (marked, open) = (with(Some(true)), with(None));
        let (name, message) = match (marked.as_slice(), open.as_slice()) {
            ([first, second, ..], _) => (
                second,
                format!("volumes `{first}` and `{second}` are both the one that the machine boots from"),
            ),
            ([], [first, ..]) if volumes.len() > 1 => {
                (first, format!("nothing says which of its {} volumes the machine boots from", volumes.len()))
            }
            _ => continue,
        };
        let finding = Finding::new(BOOT_VOLUME, subject(resolved), message);
        findings.push(finding.at(place_at(&resolved.node, &base.join(name).join("level"))).help(
            "write boot=#true on that one; or boot=#false on all of them, when it boots from elsewhere",
        ));
    }
}
