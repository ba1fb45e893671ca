//! The end of an attempt, in one write: the record, the attempt, the step and its tickets. A process
//! that dies leaves all of it or nothing.

use super::doubt::Planned;
use super::{Fence, StepResult, Store, StoreError, record};
use crate::id::RunId;
use crate::model::record::{Outcome, unanswered, with_ways_out};
use crate::model::run::StepState;
use crate::units::Time;
use sqlx::SqliteConnection;

/// How an attempt ended.
pub struct Finish {
    pub attempt: i64,
    /// `succeeded`, `failed` or `in-doubt`.
    pub state: &'static str,
    pub error: Option<String>,
    pub result: StepResult,
    /// `None` while the step will be tried again.
    pub step: Option<(StepState, Option<String>)>,
    pub at: Time,
}

impl Store {
    pub async fn finish_attempt(&self, fence: &Fence, finish: Finish) -> Result<(), StoreError> {
        let fence = fence.clone();
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                record::write(connection, &fence, &finish.result).await?;
                sqlx::query("UPDATE attempt SET state = $2, error = $3, ended_at = $4 WHERE id = $1")
                    .bind(finish.attempt)
                    .bind(finish.state)
                    .bind(finish.error)
                    .bind(finish.at.0)
                    .execute(&mut *connection)
                    .await?;
                // Nothing is served for an attempt that has ended, and nobody may find its ticket open later.
                sqlx::query(
                    "UPDATE boot_ticket SET state = 'withdrawn', changed_at = $2 WHERE attempt = $1 AND state = 'open'",
                )
                .bind(finish.attempt)
                .bind(finish.at.0)
                .execute(&mut *connection)
                .await?;
                if let Some((state, why)) = finish.step {
                    // The result bears the step's name on record, which of a work order is another one than the run's.
                    sqlx::query(
                        "UPDATE step_run SET state = $2, why = $3, since = $4
                         WHERE (run, node, step) IN (SELECT run, node, step FROM attempt WHERE id = $1)",
                    )
                    .bind(finish.attempt)
                    .bind(state.word())
                    .bind(why)
                    .bind(finish.at.0)
                    .execute(connection)
                    .await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Ends an attempt that nothing was done for: its step is planned anew.
    pub async fn abandon_attempt(
        &self,
        fence: &Fence,
        attempt: i64,
        why: String,
        at: Time,
    ) -> Result<(), StoreError> {
        let fence = fence.clone();
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                sqlx::query("UPDATE attempt SET state = 'failed', error = $2, ended_at = $3 WHERE id = $1")
                    .bind(attempt)
                    .bind(why)
                    .bind(at.0)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// Ends a run that nobody carries out: attempts under way have failed, its tickets are withdrawn.
    /// A write that must not be repeated and has no answer stays in doubt: nobody forgets it.
    pub async fn cancel_run(&self, fence: &Fence, run: &RunId, at: Time) -> Result<(), StoreError> {
        let (fence, run) = (fence.clone(), run.clone());
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                keep_doubts(connection, &run).await?;
                for change in [
                    "UPDATE boot_ticket SET state = 'withdrawn', changed_at = $2 WHERE run = $1 AND state = 'open'",
                    "UPDATE attempt SET state = 'failed', error = 'the run was cancelled', ended_at = $2
                     WHERE run = $1 AND state = 'running'",
                    "UPDATE step_run SET state = 'skipped', why = 'the run was cancelled', since = $2
                     WHERE run = $1 AND state IN ('pending', 'running')",
                    "UPDATE run SET state = 'cancelled', ended_at = $2 WHERE id = $1",
                ] {
                    sqlx::query(change).bind(&run.0).bind(at.0).execute(&mut *connection).await?;
                }
                sqlx::query(
                    "UPDATE run_node SET state = 'skipped', why = 'the run was cancelled'
                     WHERE run = $1 AND state IN ('pending', 'running')",
                )
                .bind(&run.0)
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }
}

/// Attempts of the run whose `once` effect was begun and not answered become steps in doubt.
async fn keep_doubts(connection: &mut SqliteConnection, run: &RunId) -> Result<(), StoreError> {
    let doubts: Vec<(i64, String, String, String, String)> = sqlx::query_as(
        "SELECT a.id, a.node, a.step, e.name, s.planned FROM attempt a JOIN effect e ON e.attempt = a.id
         JOIN step_run s ON s.run = a.run AND s.node = a.node AND s.step = a.step
         WHERE a.run = $1 AND a.state = 'running' AND e.kind = 'once' AND e.answered_at IS NULL",
    )
    .bind(&run.0)
    .fetch_all(&mut *connection)
    .await?;
    for (attempt, node, step, effect, planned) in doubts {
        let question = with_ways_out(&unanswered(&effect), &run.0, &node, &step);
        sqlx::query("UPDATE attempt SET state = 'in-doubt', error = $2 WHERE id = $1")
            .bind(attempt)
            .bind(&question)
            .execute(&mut *connection)
            .await?;
        sqlx::query(
            "UPDATE step_run SET state = 'in-doubt', why = $4 WHERE run = $1 AND node = $2 AND step = $3",
        )
        .bind(&run.0)
        .bind(&node)
        .bind(&step)
        .bind(&question)
        .execute(&mut *connection)
        .await?;
        sqlx::query("UPDATE step_record SET outcome = $3 WHERE node = $1 AND step = $2")
            .bind(&node)
            .bind(Planned::read(&planned)?.recorded_as())
            .bind(serde_json::to_string(&Outcome::InDoubt(question))?)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
