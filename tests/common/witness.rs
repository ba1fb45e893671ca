//! What a killed controller cannot falsify: the journal in its store, and the rack's own log.

use super::{Lab, RackProcess, rackwright};
use serde_json::Value;
use sqlx::{Connection, Row};
use std::collections::BTreeMap;

#[derive(Debug)]
pub struct Effect {
    id: String,
    answered: bool,
    wrote: bool,
}

pub fn journal(lab: &Lab) -> Vec<Effect> {
    let rows = query(
        lab,
        "SELECT id, name, answered_at IS NOT NULL, coalesce(wrote, 0) FROM effect WHERE name LIKE 'bmc.%'",
    );
    rows.iter()
        .map(|row| Effect {
            id: row.get(0),
            answered: row.get::<i64, _>(2) == 1,
            wrote: row.get::<i64, _>(3) == 1,
        })
        .collect()
}

/// Every answered write is in the rack's log once, no other one more than that, and nothing else is there.
#[track_caller]
pub fn nothing_twice(lab: &Lab, rack: &RackProcess) {
    let effects = journal(lab);
    let seen = occurrences(&rack.log());
    for effect in &effects {
        let times = seen.get(&effect.id).copied().unwrap_or(0);
        match (effect.answered, effect.wrote) {
            (true, true) => assert_eq!(times, 1, "{effect:?} was answered after a write"),
            _ => assert!(times <= 1, "{effect:?} is in the rack's log {times} times"),
        }
    }
    assert!(effects.iter().any(|effect| effect.answered && effect.wrote), "the journal is empty");
    for id in seen.keys() {
        assert!(effects.iter().any(|effect| effect.id == *id), "the rack saw {id}, which is in no journal");
    }
}

/// How often each effect id is in the rack's log.
fn occurrences(log: &[Value]) -> BTreeMap<String, usize> {
    let mut seen = BTreeMap::new();
    for line in log.iter().filter(|line| line["kind"] == "request") {
        let id =
            line["effect"].as_str().unwrap_or_else(|| panic!("a mutating request without an effect: {line}"));
        *seen.entry(id.to_string()).or_default() += 1;
    }
    seen
}

/// Each of so many nodes was installed, and none again.
pub fn installed_once(lab: &Lab, log: &[Value], nodes: usize) {
    let mut installs: BTreeMap<&str, usize> = BTreeMap::new();
    for line in log.iter().filter(|line| line["kind"] == "install" && line["phase"] == "end") {
        *installs.entry(line["node"].as_str().unwrap()).or_default() += 1;
    }
    assert_eq!(installs.len(), nodes, "{installs:?}");
    if let Some((node, _)) = installs.iter().find(|(_, times)| **times != 1) {
        let lines: Vec<String> =
            log.iter().filter(|line| line["node"] == **node).map(|line| format!("{line}\n")).collect();
        let story = rackwright(&["logs", "--design", lab.design(), "--node", node]).stdout;
        panic!("{node} was installed again:\n{story}\n{}", lines.concat());
    }
}

/// Nothing is under way, in doubt or failed.
pub fn nothing_is_running(lab: &Lab) {
    for table in [
        "SELECT state FROM step_run WHERE state IN ('running', 'in-doubt')",
        "SELECT state FROM attempt WHERE state NOT IN ('succeeded', 'failed')",
        "SELECT state FROM run WHERE state = 'running'",
        "SELECT outcome FROM step_record WHERE outcome <> '{\"is\":\"done\"}'",
    ] {
        let left = query(lab, table);
        assert!(left.is_empty(), "{table} finds {} rows", left.len());
    }
}

/// The first column of a query, as texts; nothing when there is no store yet.
pub fn rows(store: &std::path::Path, sql: &'static str) -> Vec<String> {
    if !store.exists() {
        return Vec::new();
    }
    query_of(store, sql).iter().map(|row| row.get::<String, _>(0)).collect()
}

pub fn query(lab: &Lab, sql: &'static str) -> Vec<sqlx::sqlite::SqliteRow> {
    query_of(&lab.store(), sql)
}

fn query_of(store: &std::path::Path, sql: &'static str) -> Vec<sqlx::sqlite::SqliteRow> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(store).read_only(true);
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query(sql).fetch_all(&mut connection).await.unwrap()
    })
}
