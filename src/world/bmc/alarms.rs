//! What stands in a machine's event logs and is not over: entries of severity Warning and Critical (DSP0268, LogEntry).
//!
//! Owns which logs are read, how much of them, and when an alarm is over: the service says `Resolved`, or a later entry of
//! the same sensor takes it back (`EntryCode` Deassert). Clears nothing.

use super::error::BmcError;
use super::link::{linked, odata_id};
use super::parts::{Part, is_unreadable, items, word};
use super::redfish::Redfish;
use super::resource::text;
use serde_json::Value;
use std::collections::BTreeMap;

/// Entries that are read of all logs, and pages of one of them.
const ENTRIES_LIMIT: usize = 2_000;
const PAGES_LIMIT: usize = 64;
/// Entries that a log only links to are a request each.
const LINKED_LIMIT: usize = 200;
/// Alarms that are told: the newest.
const ALARMS_LIMIT: usize = 100;
/// The longest message that is told, in characters.
const MESSAGE_LIMIT_CHARACTERS: usize = 400;
const SEL: &str = "SEL";

/// The alarms of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alarms {
    /// The newest first.
    pub alarms: Vec<Alarm>,
    /// False when the logs hold more than was read, or could not all be read: what is not told may be there.
    pub complete: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Path of the entry, or of its log.
    pub path: String,
    pub id: String,
    /// `warning` or `critical`.
    pub severity: String,
    /// As the service writes it.
    pub created: Option<String>,
    pub message: String,
}

impl Redfish {
    /// `None` when the service shows no log.
    pub async fn alarms(&self) -> Result<Option<Alarms>, BmcError> {
        let (_, system) = self.system().await?;
        let (mut owners, mut logs, mut complete) = (vec![system.body.clone()], Vec::new(), true);
        for (_, part) in self.neighbours(&system.body, "ManagedBy").await? {
            match part {
                Part::There(manager) => owners.push(manager),
                Part::Gone => {}
                Part::Unreadable(_) => complete = false,
            }
        }
        for owner in &owners {
            let Some(services) = linked(owner, "LogServices") else { continue };
            let members = match self.members(&services).await {
                Err(error) if matches!(error.status(), Some(404 | 410)) => continue,
                // Logs that there are and that nobody is shown may hold anything.
                Err(error) if is_unreadable(&error) => {
                    complete = false;
                    continue;
                }
                other => other?,
            };
            for path in members {
                match self.part(&path).await? {
                    Part::There(log) => logs.push(log),
                    Part::Gone => {}
                    Part::Unreadable(_) => complete = false,
                }
            }
        }
        let paths = entry_lists(&logs);
        if paths.is_empty() && complete {
            return Ok(None);
        }
        let mut read = Reading { entries: Vec::new(), linked: 0, complete };
        for path in &paths {
            self.entries(path, &mut read).await?;
        }
        Ok(Some(judge(read)))
    }

    async fn entries(&self, collection: &str, read: &mut Reading) -> Result<(), BmcError> {
        let mut next = Some(collection.to_string());
        for _ in 0..PAGES_LIMIT {
            let Some(path) = next.take() else { return Ok(()) };
            let page = match self.part(&path).await? {
                Part::There(page) => page,
                // A log that is listed and cannot be read may hold anything.
                Part::Unreadable(_) => {
                    read.complete = false;
                    return Ok(());
                }
                Part::Gone => return Ok(()),
            };
            read.complete &= page.get("Members").is_some_and(Value::is_array);
            for member in items(&page, "Members") {
                if read.entries.len() >= ENTRIES_LIMIT {
                    read.complete = false;
                    return Ok(());
                }
                let whole = member.get("Severity").is_some() || member.get("Message").is_some();
                match (whole, odata_id(member)) {
                    (true, path) => {
                        let path = path.unwrap_or_else(|| collection.to_string());
                        read.entries.push((path, member.clone()));
                    }
                    (false, Some(path)) if read.linked < LINKED_LIMIT => {
                        read.linked += 1;
                        match self.part(&path).await? {
                            Part::There(entry) => read.entries.push((path, entry)),
                            Part::Gone => {}
                            Part::Unreadable(_) => read.complete = false,
                        }
                    }
                    (false, _) => read.complete = false,
                }
            }
            next = linked(&page, "Members@odata.nextLink");
        }
        read.complete &= next.is_none();
        Ok(())
    }
}

struct Reading {
    /// With their paths, in the order of the logs.
    entries: Vec<(String, Value)>,
    linked: usize,
    complete: bool,
}

/// The system event log where there is one, else every log that is not switched off.
fn entry_lists(logs: &[Value]) -> Vec<String> {
    let is_off = |log: &Value| log.get("ServiceEnabled").and_then(Value::as_bool) == Some(false);
    let is_sel = |log: &Value| {
        let says = |key: &str| word(log, key).is_some_and(|text| text.eq_ignore_ascii_case(SEL));
        says("LogEntryType") || says("Id")
    };
    let on: Vec<&Value> = logs.iter().filter(|log| !is_off(log)).collect();
    let any_sel = on.iter().any(|log| is_sel(log));
    let read = on.into_iter().filter(|log| !any_sel || is_sel(log));
    read.filter_map(|log| linked(log, "Entries")).collect()
}

fn judge(read: Reading) -> Alarms {
    let mut entries = read.entries;
    // Some logs have the newest first, some last; times tell (RFC 3339 in one offset sorts as text), then numbers.
    let number = |entry: &Value| word(entry, "Id").and_then(|id| id.parse::<u64>().ok());
    entries.sort_by_key(|(_, entry)| (word(entry, "Created"), number(entry)));
    let mut open: Vec<Alarm> = Vec::new();
    let mut raised: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    let mut over: Vec<usize> = Vec::new();
    for (path, entry) in &entries {
        let sensor = word(entry, "SensorType").zip(entry.get("SensorNumber").map(Value::to_string));
        if word(entry, "EntryCode").is_some_and(|code| code.eq_ignore_ascii_case("deassert")) {
            over.extend(sensor.and_then(|sensor| raised.remove(&sensor)).unwrap_or_default());
            continue;
        }
        let severity = word(entry, "Severity").unwrap_or_default().to_ascii_lowercase();
        let is_resolved = entry.get("Resolved").and_then(Value::as_bool) == Some(true);
        if is_resolved || !matches!(severity.as_str(), "warning" | "critical") {
            continue;
        }
        if let Some(sensor) = sensor {
            raised.entry(sensor).or_default().push(open.len());
        }
        open.push(alarm(path, entry, severity));
    }
    let mut alarms: Vec<Alarm> =
        open.into_iter().enumerate().filter(|(at, _)| !over.contains(at)).map(|(_, alarm)| alarm).collect();
    alarms.reverse();
    let complete = read.complete && alarms.len() <= ALARMS_LIMIT;
    alarms.truncate(ALARMS_LIMIT);
    Alarms { alarms, complete }
}

fn alarm(path: &str, entry: &Value, severity: String) -> Alarm {
    let message = text(entry, "Message").or_else(|| text(entry, "MessageId")).unwrap_or_default();
    let plain = message.chars().map(|c| if c.is_control() { ' ' } else { c });
    Alarm {
        path: path.to_string(),
        id: word(entry, "Id").unwrap_or_else(|| super::link::last_segment(path).to_string()),
        severity,
        created: word(entry, "Created"),
        message: plain.take(MESSAGE_LIMIT_CHARACTERS).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judged(entries: &[Value]) -> Vec<String> {
        let entries = entries.iter().map(|entry| ("/log".to_string(), entry.clone())).collect();
        let alarms = judge(Reading { entries, linked: 0, complete: true });
        assert!(alarms.complete);
        alarms.alarms.into_iter().map(|alarm| format!("{} {}", alarm.severity, alarm.message)).collect()
    }

    #[test]
    fn what_is_not_over_is_told_with_the_newest_first() {
        let entry = |at: &str, severity: &str, message: &str| json!({ "Created": at, "Severity": severity, "Message": message });
        let resolved =
            json!({ "Created": "2026-01-04", "Severity": "Critical", "Message": "d", "Resolved": true });
        let found = judged(&[
            entry("2026-01-03", "Warning", "c"),
            entry("2026-01-01", "OK", "a"),
            entry("2026-01-02", "Critical", "b"),
            resolved,
        ]);
        assert_eq!(found, ["warning c", "critical b"]);
    }

    #[test]
    fn a_sensor_takes_its_alarm_back() {
        let of = |id: &str, code: &str, sensor: u64| {
            json!({ "Id": id, "EntryCode": code, "SensorType": "Power Supply", "SensorNumber": sensor,
                    "Severity": "Critical", "Message": format!("supply {sensor}") })
        };
        let found = judged(&[of("1", "Assert", 1), of("2", "Assert", 2), of("10", "Deassert", 1)]);
        assert_eq!(found, ["critical supply 2"]);
        // It fails again later.
        let again = judged(&[of("1", "Assert", 1), of("2", "Deassert", 1), of("10", "Assert", 1)]);
        assert_eq!(again, ["critical supply 1"]);
    }

    #[test]
    fn no_more_is_told_than_the_limit_and_that_is_said() {
        let entry = json!({ "Severity": "Warning", "Message": "x".repeat(1000) });
        let entries = vec![("/log".to_string(), entry); ALARMS_LIMIT + 1];
        let alarms = judge(Reading { entries, linked: 0, complete: true });
        assert_eq!((alarms.alarms.len(), alarms.complete), (ALARMS_LIMIT, false));
        assert_eq!(alarms.alarms[0].message.len(), MESSAGE_LIMIT_CHARACTERS);
    }

    #[test]
    fn the_event_log_goes_before_all_others() {
        let log = |id: &str, on: bool| json!({ "Id": id, "ServiceEnabled": on, "Entries": { "@odata.id": format!("/{id}") } });
        assert_eq!(entry_lists(&[log("Lclog", true), log("Sel", true)]), ["/Sel"]);
        assert_eq!(entry_lists(&[log("IML", true), log("Sel", false)]), ["/IML"]);
        assert!(entry_lists(&[]).is_empty());
    }
}
