//! Answers to a step in doubt: a person says whether a write that must not be repeated was done.

use super::{Fence, Store, StoreError};
use crate::model::record::Outcome;
use crate::model::task::Task;
use crate::model::value::Value;
use crate::units::Time;
use std::sync::Arc;

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
                let row: Option<(String, String)> = sqlx::query_as(
                    "SELECT p.content, n.spec FROM step_run s JOIN pinned p ON p.digest = s.task
                     JOIN run_node n ON n.run = s.run AND n.node = s.node
                     WHERE s.run = $1 AND s.node = $2 AND s.step = $3 AND s.state = 'in-doubt'",
                )
                .bind(&run)
                .bind(&*node)
                .bind(&*step)
                .fetch_optional(&mut *connection)
                .await?;
                let Some((task, spec)) = row else { return Ok(false) };
                let (task, spec): (Task, Value) = (serde_json::from_str(&task)?, serde_json::from_str(&spec)?);
                let (outcome, inputs, state) = match answer {
                    Answer::Retry => (Outcome::Interrupted, None, "failed"),
                    Answer::Skip => (Outcome::Done, Some(spec.project(task.realized()).to_string()), "succeeded"),
                };
                sqlx::query(
                    "UPDATE step_record SET outcome = $3, inputs = coalesce($4, inputs), at = $5
                     WHERE node = $1 AND step = $2",
                )
                .bind(&*node)
                .bind(&*step)
                .bind(serde_json::to_string(&outcome)?)
                .bind(inputs)
                .bind(now.0)
                .execute(&mut *connection)
                .await?;
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
                super::record::grow_serials(connection, &fence.site, &node).await?;
                Ok(true)
            })
        })
        .await
    }
}
