//! The journal: each effect of an attempt, the intent before it and the answer after it.

use super::{Fence, Store, StoreError};
use crate::id::RunId;
use crate::model::value::Value;
use crate::units::Time;
use sqlx::Row;
use std::collections::BTreeSet;

/// What is about to be done.
#[derive(Clone, Debug)]
pub struct Intent {
    pub attempt: i64,
    pub sequence: usize,
    /// Travels with the request where the protocol allows.
    pub id: String,
    pub name: String,
    pub kind: &'static str,
    pub args: Value,
    pub at: Time,
    /// Of waits: when the wait ends unanswered.
    pub deadline: Option<Time>,
    /// Of a write that must not be repeated: what the device showed before it.
    pub mark: Value,
}

#[derive(Clone, Debug)]
pub struct EffectRow {
    pub sequence: usize,
    pub id: String,
    pub name: String,
    pub kind: String,
    pub args_digest: String,
    pub args: Value,
    pub intent_at: Time,
    pub deadline: Option<Time>,
    /// `None` while unanswered; `Err` holds the failure as JSON.
    pub answer: Option<Result<Value, String>>,
    /// True when a mutating request was sent for it.
    pub wrote: bool,
    pub mark: Value,
}

impl Store {
    /// Writes the intent; an effect that has one already keeps it, with its first deadline.
    pub async fn write_intent(&self, fence: &Fence, intent: Intent) -> Result<(), StoreError> {
        let fence = fence.clone();
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                sqlx::query(
                    "INSERT INTO effect (attempt, sequence, id, name, kind, args_digest, args, intent_at, deadline,
                     mark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (attempt, sequence) DO NOTHING",
                )
                .bind(intent.attempt)
                .bind(count(intent.sequence))
                .bind(intent.id)
                .bind(intent.name)
                .bind(intent.kind)
                .bind(intent.args.digest())
                .bind(intent.args.to_string())
                .bind(intent.at.0)
                .bind(intent.deadline.map(|deadline| deadline.0))
                .bind(intent.mark.to_string())
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Writes the answer, and the intent too when there was none (reads need none before).
    pub async fn write_answer(
        &self,
        fence: &Fence,
        intent: Intent,
        answer: Result<Value, String>,
        wrote: bool,
        now: Time,
    ) -> Result<(), StoreError> {
        let fence = fence.clone();
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                let (answer, failure) = match answer {
                    Ok(value) => (Some(value.to_string()), None),
                    Err(failure) => (None, Some(failure)),
                };
                sqlx::query(
                    "INSERT INTO effect (attempt, sequence, id, name, kind, args_digest, args, intent_at, deadline,
                     answer, failure, wrote, answered_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                     ON CONFLICT (attempt, sequence) DO UPDATE SET answer = $10, failure = $11, wrote = $12,
                     answered_at = $13",
                )
                .bind(intent.attempt)
                .bind(count(intent.sequence))
                .bind(intent.id)
                .bind(intent.name)
                .bind(intent.kind)
                .bind(intent.args.digest())
                .bind(intent.args.to_string())
                .bind(intent.at.0)
                .bind(intent.deadline.map(|deadline| deadline.0))
                .bind(answer)
                .bind(failure)
                .bind(i64::from(wrote))
                .bind(now.0)
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Whether the effect with this id has its answer on record.
    pub async fn is_answered(&self, id: &str) -> Result<bool, StoreError> {
        let answered =
            sqlx::query_scalar("SELECT count(*) FROM effect WHERE id = $1 AND answered_at IS NOT NULL");
        let count: i64 = answered.bind(id).fetch_one(&self.reads).await?;
        Ok(count > 0)
    }

    /// The attempts of a run that have begun to change something: a device, or what it boots.
    pub async fn attempts_that_wrote(&self, run: &RunId) -> Result<BTreeSet<i64>, StoreError> {
        let attempts: Vec<i64> = sqlx::query_scalar(
            "SELECT DISTINCT e.attempt FROM effect e JOIN attempt a ON a.id = e.attempt
             WHERE a.run = $1 AND (e.kind = 'once' OR e.kind = 'ensure'
             AND e.name NOT LIKE 'log.%' AND e.name NOT LIKE 'fact.%' AND e.name NOT LIKE 'output.%')",
        )
        .bind(&run.0)
        .fetch_all(&self.reads)
        .await?;
        Ok(attempts.into_iter().collect())
    }

    /// Of those, the attempts that may have touched what is on a disk: they have begun something else than to switch the
    /// machine, to say what it boots, or to open a ticket for an agent.
    pub async fn attempts_that_touched_disks(&self, run: &RunId) -> Result<BTreeSet<i64>, StoreError> {
        let attempts: Vec<i64> = sqlx::query_scalar(
            "SELECT DISTINCT e.attempt FROM effect e JOIN attempt a ON a.id = e.attempt
             WHERE a.run = $1 AND (e.kind = 'once' OR e.kind = 'ensure'
             AND e.name NOT LIKE 'log.%' AND e.name NOT LIKE 'fact.%' AND e.name NOT LIKE 'output.%'
             AND e.name NOT LIKE 'port.%' AND e.name NOT IN ('bmc.power_on', 'bmc.power_off', 'bmc.shut_down', 'bmc.restart',
             'bmc.set_boot_override', 'pxe.agent_ticket', 'pxe.withdraw'))",
        )
        .bind(&run.0)
        .fetch_all(&self.reads)
        .await?;
        Ok(attempts.into_iter().collect())
    }

    /// The journal of one attempt, in order.
    pub async fn journal(&self, attempt: i64) -> Result<Vec<EffectRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT sequence, id, name, kind, args_digest, args, intent_at, deadline, answer, failure, wrote, answered_at,
             mark FROM effect WHERE attempt = $1 ORDER BY sequence",
        )
        .bind(attempt)
        .fetch_all(&self.reads)
        .await?;
        rows.iter().map(read_effect).collect()
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn read_effect(row: &sqlx::sqlite::SqliteRow) -> Result<EffectRow, StoreError> {
    let (answer, failure): (Option<String>, Option<String>) = (row.get(8), row.get(9));
    let answered: Option<i64> = row.get(11);
    let answer = match (answered, answer, failure) {
        (None, ..) => None,
        (Some(_), Some(text), _) => Some(Ok(serde_json::from_str(&text)?)),
        (Some(_), None, failure) => Some(Err(failure.unwrap_or_default())),
    };
    Ok(EffectRow {
        sequence: usize::try_from(row.get::<i64, _>(0)).unwrap_or(0),
        id: row.get(1),
        name: row.get(2),
        kind: row.get(3),
        args_digest: row.get(4),
        args: serde_json::from_str(row.get(5))?,
        intent_at: Time(row.get(6)),
        deadline: row.get::<Option<i64>, _>(7).map(Time),
        answer,
        wrote: row.get::<Option<i64>, _>(10) == Some(1),
        mark: match row.get::<Option<&str>, _>(12) {
            Some(text) => serde_json::from_str(text)?,
            None => Value::Null,
        },
    })
}
