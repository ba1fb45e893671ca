//! Progress of a run: a line a node on a terminal, counts when there are many, a line per finished
//! step elsewhere, and events as JSON.

use super::out;
use super::words::count;
use crate::model::run::{Counts, NodeState, RunState};
use crate::model::site::is_site;
use crate::run::event::{Event, StepEnd, What};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Up to this many nodes each has a line of its own.
const LINES: usize = 20;

/// How a run is shown while it goes on.
pub enum Progress {
    /// A line per finished step, on standard error.
    Plain,
    /// Bars, on a terminal.
    Bars(Bars),
    /// Events, one a line, on standard output.
    Json,
}

pub struct Bars {
    all: MultiProgress,
    nodes: BTreeMap<Arc<str>, ProgressBar>,
    total: Option<ProgressBar>,
    phases: BTreeMap<Arc<str>, String>,
}

impl Progress {
    pub fn new(json: bool, terminal: bool) -> Progress {
        match (json, terminal) {
            (true, _) => Progress::Json,
            (false, true) => Progress::Bars(Bars {
                all: MultiProgress::new(),
                nodes: BTreeMap::new(),
                total: None,
                phases: BTreeMap::new(),
            }),
            (false, false) => Progress::Plain,
        }
    }

    pub fn show(&mut self, event: &Event) {
        match self {
            Progress::Json => out::json(&as_json(event)),
            Progress::Plain => {
                if let Some(line) = line(&event.what) {
                    out::note(&line);
                }
            }
            Progress::Bars(bars) => bars.show(&event.what),
        }
    }
}

impl Bars {
    fn show(&mut self, what: &What) {
        match what {
            What::Started { nodes, .. } => self.start(nodes),
            What::StepStarted { node, step, phase, attempt } => {
                let again = if *attempt > 1 { format!(" (attempt {attempt})") } else { String::new() };
                self.set(node, format!("{phase} · {step}{again}"));
                self.phases.insert(node.clone(), phase.to_string());
                self.count();
            }
            What::StepWaiting { node, step, why } => self.set(node, format!("{step} waits: {why}")),
            What::StepEnded { end: StepEnd::Failed { .. } | StepEnd::InDoubt { .. }, .. } => {
                if let Some(text) = line(what) {
                    let _ = self.all.println(text);
                }
            }
            What::StepEnded { .. } => {}
            What::NodeEnded { node, state, .. } => {
                if let Some(bar) = self.nodes.get(node) {
                    bar.finish_with_message(state.word());
                }
                self.phases.remove(node);
                if let Some(total) = &self.total {
                    total.inc(1);
                }
                self.count();
            }
            What::Finished { .. } => {
                for bar in self.nodes.values().chain(&self.total) {
                    bar.abandon();
                }
                if let Some(text) = line(what) {
                    let _ = self.all.println(text);
                }
            }
        }
    }

    fn start(&mut self, nodes: &[Arc<str>]) {
        let style = |template: &str| {
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
        };
        self.nodes.clear();
        self.total = None;
        if nodes.len() > LINES {
            let bar = self.all.add(ProgressBar::new(nodes.len() as u64));
            bar.set_style(style("{bar:30} {pos}/{len} nodes  {elapsed}  {msg}"));
            self.total = Some(bar);
            return;
        }
        let width = nodes.iter().map(|node| node.len()).max().unwrap_or(0);
        for node in nodes {
            let bar = self.all.add(ProgressBar::new_spinner());
            bar.set_style(style("{spinner} {prefix}  {elapsed:>4}  {msg}"));
            bar.set_prefix(format!("{node:<width$}"));
            bar.enable_steady_tick(Duration::from_millis(200));
            self.nodes.insert(node.clone(), bar);
        }
    }

    fn set(&self, node: &Arc<str>, text: String) {
        if let Some(bar) = self.nodes.get(node) {
            bar.set_message(text);
        }
    }

    fn count(&self) {
        let Some(total) = &self.total else { return };
        let mut phases: BTreeMap<&str, usize> = BTreeMap::new();
        for phase in self.phases.values() {
            *phases.entry(phase).or_default() += 1;
        }
        let text: Vec<String> = phases.iter().map(|(phase, nodes)| format!("{phase} {nodes}")).collect();
        total.set_message(text.join("  "));
    }
}

/// The sentence of an event; `None` for those that only a display with bars shows.
fn line(what: &What) -> Option<String> {
    match what {
        What::Started { nodes, resumed: true } => {
            let nodes = nodes.iter().filter(|target| !is_site(target)).count();
            Some(format!("Going on with a run that was interrupted: {}.", count(nodes, "node")))
        }
        What::Started { .. } | What::StepStarted { .. } => None,
        What::StepWaiting { node, step, why } => Some(format!("{node}: step {step} waits: {why}")),
        What::StepEnded { node, step, phase, end } => Some(match end {
            StepEnd::Done => format!("{node}: {phase} {step} done"),
            StepEnd::AlreadyTrue => format!("{node}: {phase} {step} was true already"),
            StepEnd::Failed { why, will_retry: true } => {
                format!("{node}: {phase} {step} failed, will be tried again: {why}")
            }
            StepEnd::Failed { why, will_retry: false } => format!("{node}: {phase} {step} failed: {why}"),
            StepEnd::InDoubt { question } => format!("{node}: {phase} {step} is in doubt: {question}"),
        }),
        What::NodeEnded { state: NodeState::Succeeded, .. } => None,
        What::NodeEnded { node, state, why } => {
            let why = why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            Some(format!("{node}: {state}{why}"))
        }
        What::Finished { result, counts } => Some(finished(*result, counts)),
    }
}

/// The last sentence of a run.
pub fn finished(result: RunState, counts: &Counts) -> String {
    let parts: Vec<String> = [
        (counts.succeeded, "succeeded"),
        (counts.failed, "failed"),
        (counts.skipped, "skipped"),
        (counts.waiting, "waiting"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, word)| format!("{number} {word}"))
    .collect();
    let word = match result {
        RunState::Running => "goes on",
        RunState::Succeeded => "succeeded",
        RunState::Partial => "ended with trouble",
        RunState::Failed => "failed",
        RunState::Cancelled => "was interrupted; the next apply goes on with it",
    };
    format!("The run {word}: {}.", if parts.is_empty() { "no nodes".into() } else { parts.join(", ") })
}

/// `{at, run, node?, step?, event, …}`.
fn as_json(event: &Event) -> Value {
    let mut json = match &event.what {
        What::Started { nodes, resumed } => {
            let nodes = nodes.iter().filter(|target| !is_site(target)).count();
            json!({"event": "started", "nodes": nodes, "resumed": resumed})
        }
        What::StepStarted { node, step, phase, attempt } => {
            json!({"event": "step-started", "node": node, "step": step, "phase": phase, "attempt": attempt})
        }
        What::StepWaiting { node, step, why } => {
            json!({"event": "step-waiting", "node": node, "step": step, "why": why})
        }
        What::StepEnded { node, step, phase, end } => {
            let mut json = json!({"event": "step-ended", "node": node, "step": step, "phase": phase});
            let (word, detail) = match end {
                StepEnd::Done => ("done", None),
                StepEnd::AlreadyTrue => ("already-true", None),
                StepEnd::Failed { why, will_retry } => {
                    json["will_retry"] = json!(will_retry);
                    ("failed", Some(why))
                }
                StepEnd::InDoubt { question } => ("in-doubt", Some(question)),
            };
            json["end"] = json!(word);
            if let Some(detail) = detail {
                json["why"] = json!(detail);
            }
            json
        }
        What::NodeEnded { node, state, why } => {
            json!({"event": "node-ended", "node": node, "state": state, "why": why})
        }
        What::Finished { result, counts } => json!({"event": "finished", "result": result, "nodes": counts}),
    };
    json["at"] = json!(event.at.to_string());
    json["run"] = json!(event.run);
    json
}

/// The last event when nothing had to be done.
pub fn nothing_to_do(at: crate::units::Time, unplanned: usize) -> Value {
    let counts = Counts { waiting: unplanned, ..Counts::default() };
    json!({"at": at.to_string(), "run": null, "event": "finished", "result": counts.result(), "nodes": counts})
}
