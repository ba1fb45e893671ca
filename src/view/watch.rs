//! What a watch tells: sentences for people, an event a line for programs.

use super::words::{count, names};
use super::{findings, out, plan as shown};
use crate::finding::Finding;
use crate::model::hazard::Hazard;
use crate::model::watch::{Event, Invalid, Resting, Waiting, What};
use crate::units::{self, Time};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Names shown in one sentence.
const NAMES: usize = 6;

/// How a watch is shown.
pub struct Voice {
    pub json: bool,
    pub color: bool,
    /// The command that does what waits for approval, without the approval.
    pub command: String,
}

impl Voice {
    /// Plans go to standard output, as with `apply`; everything else to standard error.
    pub fn show(&self, event: &Event) {
        if self.json {
            return out::json(&as_json(event));
        }
        if let What::Planned(plan) = &event.what {
            return out::result(&shown::human(plan));
        }
        for line in self.lines(event) {
            out::note(&line);
        }
    }

    fn lines(&self, event: &Event) -> Vec<String> {
        match &event.what {
            What::Look { news: None, .. } | What::Planned(_) | What::Idle { quiet: true, .. } => Vec::new(),
            What::Look { site, nodes, news: Some(warnings) } => look(event, site, *nodes, warnings),
            What::Invalid(invalid) => vec![self.invalid(invalid), in_force(event)],
            What::Waiting(waiting) => self.waiting(waiting, event.at),
            What::Applied { resting, .. } => resting_lines(resting, event.at),
            What::Failed { why, again_at } => {
                let mut lines = vec![format!(
                    "The look came to nothing; it is tried again in {}, then less and less often.",
                    within(*again_at, event.at)
                )];
                lines.extend(why.iter().map(|why| format!("  because: {why}")));
                lines
            }
            What::Idle { until, .. } => vec![format!("The next look is in {}.", within(*until, event.at))],
            What::Stopped => vec!["The watch has ended.".into()],
        }
    }

    fn invalid(&self, invalid: &Invalid) -> String {
        match invalid {
            Invalid::Source(why) => format!("The design cannot be brought in: {why}"),
            Invalid::Findings { findings, texts, .. } => findings::human(findings, texts, self.color),
            Invalid::Selector(why) => format!("The design cannot be used: {why}"),
        }
    }

    fn waiting(&self, waiting: &Waiting, at: Time) -> Vec<String> {
        match waiting {
            Waiting::Approval { held } => by_hazards(held)
                .into_iter()
                .map(|(hazards, nodes)| {
                    let verb = if nodes.len() == 1 { "waits" } else { "wait" };
                    let (who, what) = (names(&nodes, NAMES), words(hazards, " and "));
                    format!("{who} {verb} for approval of {what}; {} does it", self.approving(hazards))
                })
                .collect(),
            Waiting::Run { run, hazards } => vec![format!(
                "Run {run} was interrupted and waits for approval of {}; {} goes on with it, \
                 `rackwright cancel {run}` gives it up",
                words(hazards, " and "),
                self.approving(hazards)
            )],
            Waiting::Lease { why, again_at } => {
                let wait = within(*again_at, at);
                vec![format!("{why}; it is tried again in {wait}, then less and less often")]
            }
        }
    }

    fn approving(&self, hazards: &BTreeSet<Hazard>) -> String {
        format!("`{} --approve {}`", self.command, words(hazards, ","))
    }
}

fn look(event: &Event, site: &str, nodes: usize, warnings: &[Finding]) -> Vec<String> {
    let mut lines: Vec<String> = warnings.iter().map(findings::line).collect();
    if let Some(revision) = &event.revision {
        let digest = shown::short(&revision.digest);
        let nodes = count(nodes, "node");
        lines.push(format!("Site {site} is kept equal to design {digest} ({}): {nodes}.", revision.revision));
    }
    lines
}

fn in_force(event: &Event) -> String {
    match &event.revision {
        Some(revision) => format!(
            "It changes nothing: design {} ({}) stays in force.",
            shown::short(&revision.digest),
            revision.revision
        ),
        None => "Nothing is done until there is a design that can be used.".into(),
    }
}

fn resting_lines(resting: &[Resting], at: Time) -> Vec<String> {
    let mut lines: Vec<String> = resting
        .iter()
        .take(NAMES)
        .map(|node| {
            let wait = within(node.until, at);
            format!("{} failed; it is tried again in {wait}, or when the design changes", node.node)
        })
        .collect();
    if resting.len() > NAMES {
        lines.push(format!("and {} more", resting.len() - NAMES));
    }
    lines
}

/// Nodes that wait for the same hazards.
fn by_hazards(
    held: &BTreeMap<std::sync::Arc<str>, BTreeSet<Hazard>>,
) -> BTreeMap<&BTreeSet<Hazard>, Vec<&str>> {
    let mut groups: BTreeMap<&BTreeSet<Hazard>, Vec<&str>> = BTreeMap::new();
    for (node, hazards) in held {
        groups.entry(hazards).or_default().push(node);
    }
    groups
}

fn words(hazards: &BTreeSet<Hazard>, between: &str) -> String {
    hazards.iter().map(|hazard| hazard.word()).collect::<Vec<_>>().join(between)
}

/// How long until then, in whole seconds.
fn within(then: Time, now: Time) -> String {
    units::short(Duration::from_secs(then.since(now).as_millis().div_ceil(1000) as u64))
}

/// `{at, event, revision, …}`.
fn as_json(event: &Event) -> Value {
    let mut json = match &event.what {
        What::Look { site, nodes, news } => {
            json!({"event": "look", "site": site, "nodes": nodes, "new": news.is_some()})
        }
        What::Invalid(invalid) => invalid_json(invalid),
        What::Planned(plan) => {
            let nodes: Vec<Value> = plan
                .nodes
                .iter()
                .map(|node| json!({"node": node.name, "action": node.action, "hazard": node.hazard}))
                .collect();
            json!({"event": "planned", "plan": plan.digest, "nodes": nodes, "drift": plan.drift,
                   "unplanned": plan.unplanned, "summary": plan.summary})
        }
        What::Waiting(waiting) => waiting_json(waiting),
        What::Applied { result, counts, resting } => {
            let resting: Vec<Value> = resting
                .iter()
                .map(|node| json!({"node": node.node, "why": node.why, "until": node.until.to_string()}))
                .collect();
            json!({"event": "applied", "result": result, "nodes": counts, "resting": resting})
        }
        What::Failed { why, again_at } => {
            json!({"event": "failed", "why": why, "again_at": again_at.to_string()})
        }
        What::Idle { until, .. } => json!({"event": "idle", "until": until.to_string()}),
        What::Stopped => json!({"event": "stopped"}),
    };
    json["at"] = json!(event.at.to_string());
    json["revision"] = json!(event.revision.as_ref().map(|revision| &revision.revision));
    json["digest"] = json!(event.revision.as_ref().map(|revision| &revision.digest));
    json
}

fn invalid_json(invalid: &Invalid) -> Value {
    match invalid {
        Invalid::Source(why) | Invalid::Selector(why) => json!({"event": "invalid", "why": why}),
        Invalid::Findings { revision, findings, .. } => {
            let mut json = findings::as_json(findings);
            json["event"] = json!("invalid");
            json["refused"] = json!({"revision": revision.revision, "digest": revision.digest});
            json
        }
    }
}

fn waiting_json(waiting: &Waiting) -> Value {
    match waiting {
        Waiting::Approval { held } => {
            let nodes: Vec<Value> =
                held.iter().map(|(node, hazards)| json!({"node": node, "hazards": hazards})).collect();
            json!({"event": "waiting", "for": "approval", "nodes": nodes})
        }
        Waiting::Run { run, hazards } => {
            json!({"event": "waiting", "for": "approval", "run": run, "hazards": hazards})
        }
        Waiting::Lease { why, again_at } => {
            json!({"event": "waiting", "for": "lease", "why": why, "again_at": again_at.to_string()})
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::revision::Revision;

    fn told(what: What) -> Vec<String> {
        let revision =
            Revision { source: ".".into(), revision: "content".into(), digest: "0123456789abcdef".into() };
        let voice = Voice { json: false, color: false, command: "rackwright apply lab".into() };
        voice.lines(&Event { at: Time(0), revision: Some(revision), what })
    }

    #[test]
    fn what_waits_names_the_nodes_the_hazard_and_the_command() {
        let reboot: BTreeSet<Hazard> = [Hazard::Reboot].into();
        let both: BTreeSet<Hazard> = [Hazard::Reboot, Hazard::Reinstall].into();
        let held = [("n01".into(), reboot.clone()), ("n02".into(), both), ("n03".into(), reboot)].into();
        assert_eq!(
            told(What::Waiting(Waiting::Approval { held })),
            [
                "n01, n03 wait for approval of reboot; `rackwright apply lab --approve reboot` does it",
                "n02 waits for approval of reboot and reinstall; \
                 `rackwright apply lab --approve reboot,reinstall` does it",
            ]
        );
    }

    #[test]
    fn a_bad_revision_says_what_stays_in_force_and_waits_are_whole_seconds() {
        assert_eq!(
            told(What::Invalid(Invalid::Source("gone".into()))),
            [
                "The design cannot be brought in: gone",
                "It changes nothing: design 0123456789ab (content) stays in force.",
            ]
        );
        let until = Time(299_999_123);
        assert_eq!(told(What::Idle { until, quiet: false }), ["The next look is in 5m."]);
        assert_eq!(told(What::Idle { until, quiet: true }), Vec::<String>::new());
    }
}
