//! Answers to a step in doubt: a person says whether a write that must not be repeated was done.

use super::{Fence, StepResult, Store, StoreError, record};
use crate::model::blueprint::Step;
use crate::model::record::{Outcome, recorded_as};
use crate::model::task::Task;
use crate::model::value::Value;
use crate::units::Time;
use std::sync::Arc;

/// What is needed here of what a run pins of a step.
#[derive(serde::Deserialize)]
pub(super) struct Planned {
    step: Step,
    #[serde(default)]
    order: Option<Arc<str>>,
}

impl Planned {
    pub(super) fn read(planned: &str) -> Result<Planned, StoreError> {
        Ok(serde_json::from_str(planned)?)
    }

    /// How the step is on record.
    pub(super) fn recorded_as(&self) -> String {
        recorded_as(self.order.as_deref(), &self.step.name)
    }
}

/// What the person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was not done: the step is tried again.
    Retry,
    /// It was done: the step counts as done with the inputs that its run had pinned.
    Skip,
}

impl Store {
    /// Records the answer; false when that step of that run is not in doubt.
    pub async fn answer_doubt(
        &self,
        fence: &Fence,
        (run, node, step): (String, Arc<str>, Arc<str>),
        answer: Answer,
        now: Time,
    ) -> Result<bool, StoreError> {
        let fence = fence.clone();
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                let row: Option<(String, String, String, String)> = sqlx::query_as(
                    "SELECT p.content, n.spec, s.planned, s.closure FROM step_run s
                     JOIN pinned p ON p.digest = s.task JOIN run_node n ON n.run = s.run AND n.node = s.node
                     WHERE s.run = $1 AND s.node = $2 AND s.step = $3 AND s.state = 'in-doubt'",
                )
                .bind(&run)
                .bind(&*node)
                .bind(&*step)
                .fetch_optional(&mut *connection)
                .await?;
                let Some((task, spec, planned, scripts)) = row else { return Ok(false) };
                let (task, spec): (Task, Value) = (serde_json::from_str(&task)?, serde_json::from_str(&spec)?);
                let planned = Planned::read(&planned)?;
                let done = answer == Answer::Skip;
                let result = StepResult {
                    node: node.clone(),
                    step: planned.recorded_as().into(),
                    task: task.name.clone(),
                    scripts,
                    outcome: if done { Outcome::Done } else { Outcome::Interrupted },
                    inputs: done.then(|| spec.project(task.realized())),
                    params: task.params_of(&planned.step, &spec),
                    seeds: spec.project(&task.seeds),
                    scope: task.scope,
                    run: run.clone(),
                    identity: None,
                    at: now,
                    wipes_os: done && task.wipes_os(),
                };
                record::write(connection, &fence, &result).await?;
                let state = if done { "succeeded" } else { "failed" };
                for table in [
                    "UPDATE step_run SET state = $4, why = 'a person answered' WHERE run = $1 AND node = $2 AND step = $3",
                    "UPDATE attempt SET state = $4 WHERE run = $1 AND node = $2 AND step = $3 AND state = 'in-doubt'",
                ] {
                    sqlx::query(table)
                        .bind(&run)
                        .bind(&*node)
                        .bind(&*step)
                        .bind(state)
                        .execute(&mut *connection)
                        .await?;
                }
                Ok(true)
            })
        })
        .await
    }
}
