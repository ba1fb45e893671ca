//! Runs, their state and their logs.

use super::progress::finished;
use super::words::{ago, count};
use crate::model::revision::Revision;
use crate::model::run::{NodeState, RunState, StepState};
use crate::store::{Answer, AttemptRow, Message, NodeRow, Pruned, RunRow, StepRow};
use crate::units::{self, Time};
use serde_json::{Value, json};
use std::fmt::Write;

/// How a run stands: one that nobody carries out any more was interrupted.
fn state(run: &RunRow, held: bool) -> &'static str {
    match run.state {
        RunState::Running if !held => "interrupted",
        other => other.word(),
    }
}

pub fn list(runs: &[RunRow], held: bool, now: Time) -> String {
    if runs.is_empty() {
        return "There are no runs.".into();
    }
    let mut text = String::new();
    for run in runs {
        let counts = &run.counts;
        let _ = writeln!(
            text,
            "{}  {:<11}  {:>10}  {} succeeded, {} failed, {} skipped, {} waiting  {}",
            run.id,
            state(run, held),
            ago(run.started_at, now),
            counts.succeeded,
            counts.failed,
            counts.skipped,
            counts.waiting,
            run.command
        );
    }
    text.trim_end().to_string()
}

pub fn list_json(runs: &[RunRow], held: bool) -> Value {
    let runs: Vec<Value> = runs.iter().map(|run| run_json(run, held)).collect();
    json!({"format": 1, "runs": runs})
}

fn run_json(run: &RunRow, held: bool) -> Value {
    let design = serde_json::from_str::<Basis>(&run.plan).ok().map(|plan| plan.design);
    json!({
        "run": run.id,
        "state": state(run, held),
        "command": run.command,
        "design": run.design_digest,
        "source": design.as_ref().map(|design| &design.source),
        "revision": design.as_ref().map(|design| &design.revision),
        "started_at": run.started_at.to_string(),
        "ended_at": run.ended_at.map(|at| at.to_string()),
        "nodes": run.counts,
    })
}

/// The revision of the design that a run's plan was made from.
#[derive(serde::Deserialize)]
struct Basis {
    design: Revision,
}

/// What one run has come to, node by node.
pub struct Standing {
    pub run: RunRow,
    pub nodes: Vec<NodeRow>,
    pub steps: Vec<StepRow>,
}

/// `status`: who holds the site, and what every unfinished or last run is doing.
pub fn status(held: bool, standing: Option<&Standing>, now: Time) -> String {
    let mut text = if held {
        "A process holds the site.\n".to_string()
    } else {
        "No process holds the site.\n".to_string()
    };
    let Some(standing) = standing else {
        text.push_str("There are no runs.");
        return text;
    };
    let run = &standing.run;
    match state(run, held) {
        "interrupted" => {
            let _ = writeln!(
                text,
                "Run {} was interrupted; the next apply goes on with it, or `rackwright cancel {}` ends it.",
                run.id, run.id
            );
        }
        "running" => {
            let _ = writeln!(text, "Run {} is under way, since {}.", run.id, ago(run.started_at, now));
        }
        _ => {
            let _ = writeln!(text, "Run {}: {}", run.id, finished(run.state, &run.counts));
        }
    }
    for node in &standing.nodes {
        let _ = writeln!(text, "  {:<16} {}", node.node, node_line(node, standing, now));
    }
    text.trim_end().to_string()
}

fn node_line(node: &NodeRow, standing: &Standing, now: Time) -> String {
    let why = node.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let in_state = |state: StepState| {
        standing.steps.iter().filter(move |step| step.node == node.node && step.state == state)
    };
    // Several may be at work at once; a question comes first.
    let current: Vec<String> = in_state(StepState::InDoubt)
        .chain(in_state(StepState::Running))
        .map(|step| format!("step {} {}, for {}", step.step, step.state, units::short(now.since(step.since))))
        .collect();
    match node.state {
        NodeState::Pending if !current.is_empty() => current.join("; "),
        state => format!("{state}{why}"),
    }
}

pub fn status_json(held: bool, standing: Option<&Standing>) -> Value {
    let Some(standing) = standing else { return json!({"format": 1, "held": held, "run": null}) };
    let nodes: Vec<Value> = standing
        .nodes
        .iter()
        .map(|node| {
            let steps: Vec<Value> = standing
                .steps
                .iter()
                .filter(|step| step.node == node.node)
                .map(|step| {
                    json!({"step": step.step, "state": step.state, "why": step.why, "since": step.since.to_string()})
                })
                .collect();
            json!({"node": node.node, "state": node.state, "why": node.why, "steps": steps})
        })
        .collect();
    let mut json = run_json(&standing.run, held);
    json["targets"] = json!(nodes);
    json!({"format": 1, "held": held, "run": json})
}

/// One line of `logs`.
pub struct LogLine {
    pub at: Time,
    pub text: String,
    pub json: Value,
    /// Of which attempt it tells the beginning, or the end.
    pub attempt: Option<(i64, bool)>,
}

/// `logs`: attempts and messages in order of time.
pub fn logs(attempts: &[AttemptRow], messages: &[(i64, Message)]) -> Vec<LogLine> {
    let mut lines = Vec::new();
    for attempt in attempts {
        let subject = format!("{} {}", attempt.node, attempt.step);
        let number = attempt.number;
        lines.push(LogLine {
            at: attempt.started_at,
            text: format!("{subject}: attempt {number} began"),
            json: json!({"at": attempt.started_at.to_string(), "node": attempt.node, "step": attempt.step,
                   "event": "attempt-started", "attempt": number}),
            attempt: Some((attempt.id, false)),
        });
        let Some(ended_at) = attempt.ended_at else { continue };
        let why = attempt.error.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        lines.push(LogLine {
            at: ended_at,
            text: format!("{subject}: attempt {number} {}{why}", attempt.state),
            json: json!({"at": ended_at.to_string(), "node": attempt.node, "step": attempt.step,
                   "event": "attempt-ended", "attempt": number, "state": attempt.state, "why": attempt.error}),
            attempt: Some((attempt.id, true)),
        });
    }
    for (_, message) in messages {
        let subject: Vec<&str> =
            [message.node.as_deref(), message.step.as_deref()].into_iter().flatten().collect();
        lines.push(LogLine {
            at: message.at,
            text: format!("{}: {}: {}", subject.join(" "), message.level, message.text),
            json: json!({"at": message.at.to_string(), "node": message.node, "step": message.step,
                   "event": "message", "level": message.level, "text": message.text}),
            attempt: None,
        });
    }
    lines.sort_by_key(|line| line.at);
    lines
}

/// What was left before it is gone on with.
pub fn unfinished(runs: &[RunRow]) -> String {
    let names: Vec<&str> = runs.iter().map(|run| run.id.0.as_str()).collect();
    format!(
        "Run {} was interrupted; machines that it had begun to change come first (`rackwright cancel {}` gives it up).",
        super::words::names(&names, 5),
        names.first().unwrap_or(&"RUN")
    )
}

/// What `store prune` let go, or would.
pub fn pruned(pruned: &Pruned, dry_run: bool) -> String {
    let number = |number: i64, noun| count(usize::try_from(number).unwrap_or(0), noun);
    let parts = [
        number(pruned.runs, "run"),
        number(pruned.attempts, "attempt"),
        number(pruned.effects, "journalled effect"),
        number(pruned.messages, "message"),
        number(pruned.tickets, "boot ticket"),
    ];
    let what = parts.join(", ");
    match dry_run {
        true => format!("Would let go: {what}. Nothing was changed."),
        false => format!("Let go: {what}. Records and facts stay."),
    }
}

pub fn pruned_json(pruned: &Pruned, dry_run: bool) -> Value {
    json!({ "format": 1, "dry_run": dry_run, "pruned": pruned })
}

/// The last line of `cancel`.
pub fn cancelled(run: &str) -> String {
    format!("Run {run} is cancelled; what it had begun is on record, and the next apply plans it anew.")
}

/// The last line of `retry` and `skip`.
pub fn answered(node: &str, step: &str, answer: Answer) -> String {
    match answer {
        Answer::Retry => format!("Step {step} of {node} was not done; the next apply does it again."),
        Answer::Skip => format!("Step {step} of {node} counts as done; the next apply goes on after it."),
    }
}

/// The last line of `release`.
pub fn released(node: &str) -> String {
    format!("Node {node} is released; its history is kept.")
}

/// What `find` says when a selector chooses nothing.
pub fn found(number: usize) -> String {
    count(number, "node")
}
