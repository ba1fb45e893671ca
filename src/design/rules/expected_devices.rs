//! An expected PCI device says what it is: by vendor and device, or by a part of its name.
//!
//! Why: a line that says nothing fits every device, so that nothing is verified by it; and the number of a device means
//! nothing without its vendor's. Example: `pci "nic" count=2`. Fix: write `vendor="15b3" device="1017"`, or `called="…"`.

use super::{Context, subject};
use crate::design::resolve::place_at;
use crate::finding::{EXPECTED_DEVICE, Finding};
use crate::model::path::Path;
use crate::model::value::Value;
use std::collections::HashSet;
use std::sync::Arc;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let base = Path(vec!["hardware".into(), "pci".into()]);
    // Nodes of one profile share what they expect, and the mistakes in it.
    let mut seen = HashSet::new();
    for resolved in context.sure_nodes() {
        let Some(Value::Map(devices)) = resolved.node.spec.at(&base) else { continue };
        if !seen.insert(Arc::as_ptr(devices)) {
            continue;
        }
        for (name, device) in devices.iter() {
            let has = |key: &str| device.str_at(key).is_some();
            let message = match (has("vendor"), has("device"), has("called")) {
                (false, false, false) => format!("PCI device `{name}` does not say what it is"),
                (false, true, _) => {
                    format!("PCI device `{name}` has the number of a device and of no vendor")
                }
                _ => continue,
            };
            let finding = Finding::new(EXPECTED_DEVICE, subject(resolved), message);
            let place = place_at(&resolved.node, &base.join(name));
            findings.push(
                finding
                    .at(place)
                    .help("write vendor=\"15b3\" device=\"1017\", or called=\"a part of its name\""),
            );
        }
    }
}
