//! The interfaces of nodes, for the rules that judge them.
//!
//! Owns that what nodes share is judged once: ten thousand nodes of one profile have one map of interfaces. Every
//! node with a fault is reported, at the place where the faulty word was written. Judges nothing itself.

use super::{Context, place_of_entry, subject};
use crate::design::resolve::{Resolved, place_at};
use crate::finding::{Code, Finding};
use crate::model::path::Path;
use crate::model::value::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// What is wrong with an interface of a node, and of every node that shares it.
pub struct Fault {
    interface: Arc<str>,
    /// The word of the interface that is at fault.
    key: &'static str,
    /// The entry of the word's list.
    entry: Option<Arc<str>>,
    message: String,
    help: String,
}

impl Fault {
    pub fn new(interface: &Arc<str>, key: &'static str, message: String, help: impl Into<String>) -> Fault {
        Fault { interface: interface.clone(), key, entry: None, message, help: help.into() }
    }

    pub fn of(mut self, entry: &str) -> Fault {
        self.entry = Some(entry.into());
        self
    }

    fn finding(&self, code: Code, resolved: &Resolved) -> Finding {
        let path = Path(vec!["interfaces".into(), self.interface.clone()]);
        let word = path.join(self.key);
        let place = match &self.entry {
            Some(entry) => place_of_entry(&resolved.node, &word, entry),
            None if self.is_written(resolved, &word) => place_at(&resolved.node, &word),
            None => place_at(&resolved.node, &path),
        };
        Finding::new(code, subject(resolved), self.message.as_str()).at(place).help(self.help.as_str())
    }

    fn is_written(&self, resolved: &Resolved, word: &Path) -> bool {
        resolved.node.spec.at(word).is_some()
    }
}

/// The interfaces that a node declares.
pub fn of(resolved: &Resolved) -> Option<&Map> {
    resolved.node.spec.get("interfaces").and_then(Value::as_map).filter(|map| !map.is_empty())
}

/// Judges the interfaces of every node, equal ones once.
pub fn check(
    context: &Context<'_>,
    code: Code,
    judge: impl Fn(&Map) -> Vec<Fault>,
    findings: &mut Vec<Finding>,
) {
    // The maps live as long as the nodes, so an address stands for one map.
    let mut judged: HashMap<*const Map, Vec<Fault>> = HashMap::new();
    for resolved in context.sure_nodes() {
        let Some(interfaces) = of(resolved) else { continue };
        let faults = judged.entry(std::ptr::from_ref(interfaces)).or_insert_with(|| judge(interfaces));
        findings.extend(faults.iter().map(|fault| fault.finding(code, resolved)));
    }
}
