//! Task monitors (DSP0266, 12): a 202 is followed to its end, within the client's time-out.
//!
//! A task that waits for a reset is an accepted write, not an unfinished one: BIOS settings stay `Pending` until the
//! machine starts again, and nobody would restart it while we wait here.

use super::error::{BmcError, Class, Fault, Sent};
use super::link::odata_id;
use super::redfish::Redfish;
use super::resource::text;
use super::transport::{Answer, messages_of};
use serde_json::Value;
use std::time::Duration;
use tokio::time::{sleep, timeout};

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// So many answers in a row of a task that waits for something else, and it is taken as accepted.
const WAITING_ANSWERS: u32 = 3;

/// What one look at a task or its monitor says.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Done,
    Running(String),
    /// It waits for something else, such as a reset.
    Waiting(String),
    Failed {
        state: String,
        messages: Vec<String>,
    },
}

impl Redfish {
    /// The end of a write: any answer but 202 is the end, a 202 with a monitor is followed. Returns the last answer.
    pub async fn finish(&self, written: &str, answer: Answer) -> Result<Answer, BmcError> {
        if answer.status != 202 {
            return Ok(answer);
        }
        let Some(monitor) = answer.location.clone().or_else(|| task_in(&answer.body)) else {
            return Ok(answer);
        };
        let mut last = String::from("not started");
        let followed = timeout(self.timeout(), self.follow(&monitor, &mut last)).await;
        let within = self.timeout();
        followed.unwrap_or_else(|_| {
            let fault = Fault::TaskUnfinished { state: last, within };
            Err(self.fault(format!("GET {monitor} (of {written})"), fault, Sent::Perhaps))
        })
    }

    /// The same within a time that the caller says, for writes that nothing may hide the end of: a monitor that cannot be
    /// read for a while is asked again, and a task that waits for a reset has not ended.
    pub(super) async fn finish_by(
        &self,
        written: &str,
        answer: Answer,
        within: Duration,
    ) -> Result<(), BmcError> {
        if answer.status != 202 {
            return Ok(());
        }
        match answer.location.or_else(|| task_in(&answer.body)) {
            Some(monitor) => self.follow_by(&monitor, written, within).await,
            None => Ok(()),
        }
    }

    /// Follows a task or its monitor. A monitor that is gone has ended; whoever asks must look at what came of it.
    pub(super) async fn follow_by(
        &self,
        monitor: &str,
        written: &str,
        within: Duration,
    ) -> Result<(), BmcError> {
        let fail = |fault| Err(self.fault(format!("GET {monitor} (of {written})"), fault, Sent::Perhaps));
        let mut last = String::from("not started");
        match timeout(within, self.follow_stubbornly(monitor, &mut last)).await {
            Err(_) => fail(Fault::TaskUnfinished { state: last, within }),
            Ok(Ok(Some(state))) => fail(Fault::TaskWaits { state }),
            Ok(Ok(None)) => Ok(()),
            Ok(Err(error)) => Err(error),
        }
    }

    /// What it waits for, if it does.
    async fn follow_stubbornly(&self, monitor: &str, last: &mut String) -> Result<Option<String>, BmcError> {
        loop {
            match self.follow(monitor, last).await {
                Ok(answer) => {
                    return Ok(match look(answer.status, &answer.body) {
                        Look::Waiting(state) => Some(state),
                        _ => None,
                    });
                }
                Err(error) if matches!(error.status(), Some(404 | 410)) => return Ok(None),
                Err(error) if error.class() == Class::Transient => sleep(FIRST_PAUSE).await,
                Err(error) => return Err(error),
            }
        }
    }

    async fn follow(&self, monitor: &str, last: &mut String) -> Result<Answer, BmcError> {
        let mut pause = FIRST_PAUSE;
        let mut waiting = 0;
        loop {
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            // Whatever goes wrong from here on: the write was accepted.
            let answer =
                self.read_allowing_empty(monitor).await.map_err(|error| error.with_sent(Sent::Perhaps))?;
            match look(answer.status, &answer.body) {
                Look::Done => return Ok(answer),
                Look::Running(state) => {
                    waiting = 0;
                    *last = state;
                }
                Look::Waiting(state) => {
                    waiting += 1;
                    *last = state;
                    if waiting >= WAITING_ANSWERS {
                        return Ok(answer);
                    }
                }
                Look::Failed { state, messages } => {
                    let fault = Fault::TaskFailed { state, messages };
                    return Err(self.fault(format!("GET {monitor}"), fault, Sent::Perhaps));
                }
            }
        }
    }
}

/// A Task resource in the body of a 202 stands in for a missing Location.
fn task_in(body: &Value) -> Option<String> {
    body.get("TaskState").and_then(|_| odata_id(body)).or_else(|| text(body, "TaskMonitor"))
}

fn look(status: u16, body: &Value) -> Look {
    let state = text(body, "TaskState").unwrap_or_default();
    let critical = text(body, "TaskStatus").is_some_and(|status| status.eq_ignore_ascii_case("critical"));
    let failed = || Look::Failed {
        state: state.clone(),
        messages: messages_of(body.get("Messages").unwrap_or(&Value::Null)),
    };
    match state.to_ascii_lowercase().as_str() {
        "completed" if critical => failed(),
        "completed" => Look::Done,
        "exception" | "killed" | "cancelled" => failed(),
        "pending" | "suspended" => Look::Waiting(state),
        // A monitor answers 202 while the operation runs and its result afterwards.
        "" if status == 202 => Look::Running("running".into()),
        "" => Look::Done,
        _ => Look::Running(state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn monitors_and_tasks_are_both_understood() {
        assert_eq!(look(202, &Value::Null), Look::Running("running".into()));
        assert_eq!(look(204, &Value::Null), Look::Done);
        assert_eq!(look(200, &json!({ "TaskState": "Running" })), Look::Running("Running".into()));
        assert_eq!(look(200, &json!({ "TaskState": "Pending" })), Look::Waiting("Pending".into()));
        assert_eq!(look(200, &json!({ "TaskState": "Completed", "TaskStatus": "OK" })), Look::Done);
        let failed =
            json!({ "TaskState": "Exception", "Messages": [{ "Message": "bad" }, { "MessageId": "X.1" }] });
        let messages = vec!["bad".to_string(), "X.1".to_string()];
        assert_eq!(look(200, &failed), Look::Failed { state: "Exception".into(), messages });
        let critical = json!({ "TaskState": "Completed", "TaskStatus": "Critical" });
        assert!(matches!(look(200, &critical), Look::Failed { .. }));
    }
}
