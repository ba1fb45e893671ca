//! A lab whose one node is brought up by tasks of a test's own, and what they said and answered.

use super::{Lab, rackwright, witness};
use serde_json::Value;

/// A lab of one node whose lifecycle is these tasks, one after the other.
pub fn lab(tasks: &str, steps: &[&str]) -> Lab {
    let lab = Lab::small(1);
    lab.edit("nodes.kdl", "profile \"base\" {", "profile \"base\" {\n    lifecycle \"try\"");
    let mut blueprint = String::from("blueprint \"try\" { doc \"Try.\"\n");
    for (number, task) in steps.iter().enumerate() {
        let before = number.checked_sub(1).map(|before| format!("after=\"{}\"", steps[before]));
        let after = before.unwrap_or_default();
        blueprint += &format!("step \"{task}\" task=\"{task}\" phase=\"verify\" {after}\n");
    }
    lab.write("tasks.kdl", &format!("{tasks}\n{blueprint}}}\n"));
    lab
}

/// The messages that a step wrote in the newest run of the rehearsal.
pub fn log(lab: &Lab, step: &str) -> Vec<String> {
    let output = rackwright(&["logs", "--design", lab.design(), "--virtual", "--step", step, "--json"]);
    let texts = output.events().into_iter().map(|line| line["text"].as_str().map(str::to_string));
    texts.flatten().collect()
}

/// The answers of the rehearsal's container and command effects, in order.
pub fn answers(lab: &Lab) -> Vec<Value> {
    let rows = witness::rows(
        &lab.virtual_store(),
        "SELECT answer FROM effect WHERE kind = 'once' AND answer IS NOT NULL ORDER BY attempt, sequence",
    );
    rows.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}
