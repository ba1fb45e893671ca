//! The script of every task can be parsed, has the functions that it needs, and calls only what it may.
//!
//! Why: a script that fails on its first line should fail here, not when the first machine waits for it. Example:
//! `fn aply(node) { … }`. Fix: each finding names the line of the script and what to write there.
//!
//! A script is read once for each task that uses it, never once for each node. A fault that lies in the file itself
//! is reported for the first of its tasks only.

use super::Context;
use crate::finding::{CAPABILITY, Finding, SCRIPT_IMPORT};
use crate::script::check;
use std::collections::BTreeSet;

pub fn check(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut reported = BTreeSet::new();
    for task in context.typed.tasks.values() {
        for finding in check::check(task, &context.catalog.scripts) {
            let may_be_there = finding.code == SCRIPT_IMPORT && context.catalog.broken;
            let of_the_task = finding.code == CAPABILITY;
            let key = (finding.code.number, finding.place.clone(), finding.message.clone());
            if !may_be_there && (of_the_task || reported.insert(key)) {
                findings.push(finding);
            }
        }
    }
}
