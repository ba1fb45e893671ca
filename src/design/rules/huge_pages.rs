//! Kernel parameters for huge pages say both how large the pages are and how many there are.
//!
//! Why: the kernel ignores a size without a count, and a count without a size depends on the machine. Example:
//! `kernel-param "hugepagesz" "1G"` alone. Fix: write `hugepages` with it; `default_hugepagesz` says the size as
//! well (Linux, admin-guide/mm/hugetlbpage).

use super::{Context, subject};
use crate::design::resolve::{Resolved, place_at};
use crate::finding::{Finding, HUGE_PAGES};
use crate::model::path::Path;
use crate::model::value::Value;
use std::collections::HashSet;
use std::sync::Arc;

const HOLDER: &str = "kernel-params";
const COUNT: &str = "hugepages";
const SIZE: &str = "hugepagesz";
const DEFAULT_SIZE: &str = "default_hugepagesz";

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    // Nodes of one profile share their parameters, and the mistakes in them.
    let mut seen = HashSet::new();
    for resolved in context.sure_nodes() {
        let Some(Value::Map(params)) = resolved.node.spec.get(HOLDER) else { continue };
        if !params.is_empty() && seen.insert(Arc::as_ptr(params)) {
            let has = |name: &str| params.contains_key(name);
            match (has(COUNT), [SIZE, DEFAULT_SIZE].into_iter().find(|name| has(name))) {
                (true, None) => findings.push(finding(resolved, COUNT, SIZE, "\"1G\"")),
                (false, Some(size)) => findings.push(finding(resolved, size, COUNT, "16")),
                _ => {}
            }
        }
    }
}

fn finding(resolved: &Resolved, there: &str, missing: &str, example: &str) -> Finding {
    let message = format!("kernel parameter `{there}` stands without `{missing}`");
    let path = Path(vec![HOLDER.into(), there.into()]);
    Finding::new(HUGE_PAGES, subject(resolved), message)
        .at(place_at(&resolved.node, &path))
        .help(format!("write kernel-param \"{missing}\" {example} with it, or remove it"))
}
