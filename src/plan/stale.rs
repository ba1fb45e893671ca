//! Is a saved plan still the plan? What moved since it was made.

use super::site_work;
use crate::model::plan::Plan;
use crate::model::record::Record;
use crate::model::site::Site;

/// Everything that makes a saved plan stale before it starts; empty when it is fresh. What was
/// observed is compared later, before each node's first write.
pub fn moved(plan: &Plan, site: &Site, record: &Record) -> Vec<String> {
    let mut moved = Vec::new();
    if plan.compute_digest() != plan.digest {
        moved.push("the plan file was changed after it was written".to_string());
    }
    if plan.site != site.name {
        moved.push(format!("it is a plan of site `{}`, this is `{}`", plan.site, site.name));
    }
    match (plan.rehearsal, site.rehearsed) {
        (true, false) => moved.push("it is the plan of a rehearsal, and these are real machines".to_string()),
        (false, true) => moved.push("it is a plan for real machines, and this is a rehearsal".to_string()),
        _ => {}
    }
    if plan.design.digest != site.revision.digest {
        moved.push(format!(
            "the design changed: planned from {}, now {}",
            short(&plan.design.digest),
            short(&site.revision.digest)
        ));
    }
    if plan.site_work.is_some()
        && let Some(why) = site_work::in_doubt(record)
    {
        moved.push(why);
    }
    for node in &plan.nodes {
        let was = site.node(&node.name).and_then(|node| node.was.as_ref());
        let now = match was {
            Some(was) if !record.nodes.contains_key(&node.name) => record.serial_of(was),
            _ => record.serial_of(&node.name),
        };
        if now != node.basis.record {
            moved.push(format!(
                "the record of node `{}` changed: planned from serial {}, now {now}",
                node.name, node.basis.record
            ));
        }
    }
    moved
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
