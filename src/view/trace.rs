//! Traces: for people a line a call with the requests under it, for programs beside the planned steps.

use super::words::{names, value};
use crate::model::trace::{StepTrace, TraceEnd, TracedCall, Traces};
use serde_json::{Value as Json, json};
use std::fmt::Write;
use std::sync::Arc;

/// Names shown of nodes that are traced alike.
const NAMES: usize = 6;

/// What `apply` would call, nodes that are alike together.
pub fn human(traces: &Traces) -> String {
    let mut text = String::from("Trace: what apply calls, each call given that the ones before it succeed.");
    let mut groups: Vec<(Vec<&Arc<str>>, &Vec<StepTrace>)> = Vec::new();
    for (node, steps) in traces {
        match groups.iter_mut().find(|(_, first)| *first == steps) {
            Some((nodes, _)) => nodes.push(node),
            None => groups.push((vec![node], steps)),
        }
    }
    for (nodes, steps) in groups {
        let _ = writeln!(text, "\n\n{}", names(&nodes, NAMES));
        let lines: Vec<String> = steps.iter().map(step).collect();
        text += lines.join("\n").as_str();
    }
    text
}

fn step(trace: &StepTrace) -> String {
    let mut text = format!("  {}", trace.step);
    for call in &trace.calls {
        write_call(&mut text, call);
    }
    match (&trace.end, trace.calls.is_empty()) {
        (TraceEnd::Complete, true) => text += "\n    only reads",
        (TraceEnd::Complete, false) => {}
        (TraceEnd::AlreadyTrue, _) => text += "\n    is true by then: nothing is called",
        (TraceEnd::Depends { on, at }, _) => {
            let at = at.as_ref().map(|at| format!(" ({at})")).unwrap_or_default();
            let _ = write!(text, "\n    what comes next depends on the answer of {on}{at}");
        }
        (TraceEnd::Fails { why }, _) => {
            let _ = write!(text, "\n    fails here: {why}");
        }
        (TraceEnd::Untraced { after }, _) => {
            let _ = write!(text, "\n    cannot be known before step {after} is done");
        }
    }
    text
}

fn write_call(text: &mut String, call: &TracedCall) {
    let args: Vec<String> = call
        .args
        .as_map()
        .into_iter()
        .flatten()
        .map(|(name, arg)| format!("{name}: {}", value(arg)))
        .collect();
    let at = call.at.as_ref().map(|at| format!("   {at}")).unwrap_or_default();
    let _ = write!(text, "\n    {:<6} {}({}){at}", call.kind, call.effect, args.join(", "));
    for request in &call.requests {
        let _ = write!(text, "\n           {} {} {}", request.method, request.path, request.body);
    }
    if call.effect.starts_with("bmc.") && call.requests.is_empty() {
        *text += "\n           is so already: nothing is sent";
    }
    if let Some(serves) = &call.serves {
        let _ = write!(text, "\n           the next network boot installs {}", value(serves));
    }
    if let Some(next) = &call.otherwise {
        let _ = write!(text, "\n           if it fails: {next}");
    }
}

/// Puts `trace` beside each planned step of a plan as JSON.
pub fn into_json(plan: &mut Json, traces: &Traces) {
    if let Some(work) = plan.get_mut("site_work") {
        into_target(work, traces);
    }
    for node in plan["nodes"].as_array_mut().into_iter().flatten() {
        into_target(node, traces);
    }
}

fn into_target(target: &mut Json, traces: &Traces) {
    let Some(steps) = target["name"].as_str().and_then(|name| traces.get(name)) else { return };
    for planned in target["steps"].as_array_mut().into_iter().flatten() {
        if let Some(trace) = steps.iter().find(|trace| planned["step"] == *trace.step) {
            planned["trace"] = json!({ "calls": trace.calls, "end": trace.end });
        }
    }
}
