//! The plan: for people grouped by what is alike, for programs as it is.

use super::words::{count, names, value};
use crate::model::hazard::Hazard;
use crate::model::plan::{Change, Plan, PlannedNode, PlannedStep, Reason, Summary, Waiting};
use crate::model::value::Value;
use serde_json::json;
use similar::{ChangeTag, TextDiff};
use std::fmt::Write;

/// Names shown of nodes that are planned alike.
const NAMES: usize = 6;

/// The whole plan in sentences.
pub fn human(plan: &Plan) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "Site {}, design {} ({}), record serial {}.",
        plan.site,
        short(&plan.design.digest),
        plan.design.revision,
        plan.basis.serial
    );
    if let Some(work) = &plan.site_work {
        let _ = writeln!(text, "\n{} {}", work.action.word(), work.name);
        for step in &work.steps {
            write_step(&mut text, step);
        }
    }
    for (nodes, planned) in groups(&plan.nodes) {
        let hazard = if planned.hazard == Hazard::None {
            String::new()
        } else {
            format!("   hazard {}", planned.hazard)
        };
        let _ = writeln!(text, "\n{} {}{hazard}", planned.action.word(), names(&nodes, NAMES));
        for step in &planned.steps {
            write_step(&mut text, step);
        }
    }
    if !plan.drift.is_empty() {
        let _ = writeln!(text, "\nDrift ({}): changed behind our back.", count(plan.drift.len(), "value"));
        for drift in &plan.drift {
            let _ = writeln!(
                text,
                "  {} {}: {} seen, {} wanted",
                drift.node,
                drift.path,
                value(&drift.seen),
                value(&drift.expected)
            );
        }
    }
    write_rest(&mut text, plan);
    let _ = write!(text, "\n{}", summary(plan));
    text
}

fn write_rest(text: &mut String, plan: &Plan) {
    if !plan.unplanned.is_empty() {
        let _ = writeln!(text, "\nNot planned ({}):", count(plan.unplanned.len(), "node"));
        for unplanned in &plan.unplanned {
            let _ = writeln!(text, "  {}: {}", unplanned.node, unplanned.why);
        }
    }
    if !plan.orphaned.is_empty() {
        let _ = writeln!(
            text,
            "\nOrphaned, in the record and not in the design: {}. They are left alone; `rackwright release NODE` takes one out of care.",
            names(&plan.orphaned, NAMES)
        );
    }
    if !plan.available.is_empty() {
        let nodes = plan.available.len();
        let _ =
            writeln!(text, "\nAvailable ({}): changed, and nothing is redone for it.", count(nodes, "step"));
        for available in plan.available.iter().take(NAMES) {
            let paths: Vec<String> = available.changes.iter().map(|change| change.path.to_string()).collect();
            let paths = if paths.is_empty() { String::new() } else { format!(": {}", names(&paths, NAMES)) };
            let _ = writeln!(text, "  {} step {}: {}{paths}", available.node, available.step, available.why);
        }
        if nodes > NAMES {
            let _ = writeln!(text, "  and {} more", nodes - NAMES);
        }
    }
}

fn write_step(text: &mut String, step: &PlannedStep) {
    let hazard =
        if step.hazard == Hazard::None { String::new() } else { format!("   hazard {}", step.hazard) };
    let waiting: Vec<String> = step.waiting.iter().map(waiting).collect();
    let waiting =
        if waiting.is_empty() { String::new() } else { format!("   waits for {}", waiting.join(", ")) };
    let _ = writeln!(text, "  {:<9} {:<12} {}{hazard}{waiting}", step.phase, step.step, reason(&step.reason));
    for change in &step.changes {
        write_change(text, change);
    }
}

fn write_change(text: &mut String, change: &Change) {
    if let (Value::Text(before), Value::Text(after)) = (&change.before, &change.after)
        && (before.contains('\n') || after.contains('\n'))
    {
        let _ = writeln!(text, "      {}:", change.path);
        for line in TextDiff::from_lines(&**before, &**after).iter_all_changes() {
            let sign = match line.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            let _ = writeln!(text, "        {sign} {}", line.value().trim_end_matches('\n'));
        }
        return;
    }
    let _ = writeln!(text, "      {}: {} → {}", change.path, value(&change.before), value(&change.after));
}

fn reason(reason: &Reason) -> String {
    match reason {
        Reason::NeverDone => "never done".into(),
        Reason::Changed => "the design changed".into(),
        Reason::Drift => "the machine changed".into(),
        Reason::Failed { why } => format!("the last attempt failed: {why}"),
        Reason::Interrupted => "the last attempt was interrupted".into(),
        Reason::Wiped { by } => format!("step {by} wipes what it did"),
        Reason::Released => "the node is taken out of care".into(),
        Reason::Ordered => "asked for".into(),
        Reason::BeforeNodes => "each time, before any node".into(),
    }
}

fn waiting(waiting: &Waiting) -> String {
    match waiting {
        Waiting::Approval { hazard } => format!("approval of {hazard}"),
        Waiting::Budget { at_once } => format!("its turn ({} at once)", count(*at_once, "node")),
    }
}

/// Nodes that are planned alike, in the order of the first of each.
fn groups(nodes: &[PlannedNode]) -> Vec<(Vec<&str>, &PlannedNode)> {
    let mut groups: Vec<(Vec<&str>, &PlannedNode)> = Vec::new();
    for node in nodes {
        let alike = |other: &PlannedNode| other.action == node.action && other.steps == node.steps;
        match groups.iter_mut().find(|(_, first)| alike(first)) {
            Some((names, _)) => names.push(&node.name),
            None => groups.push((vec![&node.name], node)),
        }
    }
    groups
}

/// The last line.
pub fn summary(plan: &Plan) -> String {
    if plan.is_empty() {
        let nodes = count(plan.summary.unchanged, "node");
        return match plan.until {
            Some(until) => format!("Nothing has to change up to {until}: {nodes} as designed so far."),
            None => format!("Nothing has to change: {nodes} as designed."),
        };
    }
    if plan.nodes.is_empty() && plan.unplanned.is_empty() {
        return format!("Plan {}: the work of the site.", short(&plan.digest));
    }
    let parts: Vec<String> = parts(&plan.summary)
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    format!("Plan {}: {}.", short(&plan.digest), parts.join(", "))
}

fn parts(summary: &Summary) -> [(usize, &'static str); 9] {
    [
        (summary.create, "to create"),
        (summary.change, "to change"),
        (summary.repair, "to repair"),
        (summary.reinstall, "to reinstall"),
        (summary.release, "to release"),
        (summary.adopt, "to adopt"),
        (summary.run, "to run"),
        (summary.unchanged, "unchanged"),
        (summary.blocked, "not planned"),
    ]
}

/// Said before a plan that is made without a store.
pub fn no_store(url: &str) -> String {
    format!("There is no store at {url}: every node counts as new.")
}

/// The hazards that must be named, with the option that names them.
pub fn approval_needed(hazards: &std::collections::BTreeSet<Hazard>) -> String {
    let words: Vec<&str> = hazards.iter().map(|hazard| hazard.word()).collect();
    format!(
        "this plan has {} that nobody has approved: {}; look at the plan, then add `--approve {}`",
        if words.len() == 1 { "a hazard" } else { "hazards" },
        words.join(", "),
        words.join(",")
    )
}

/// `plan --json`.
pub fn as_json(plan: &Plan) -> serde_json::Value {
    serde_json::to_value(plan).unwrap_or_else(|error| json!({"error": error.to_string()}))
}

/// The beginning of a digest, as people read it.
pub fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
