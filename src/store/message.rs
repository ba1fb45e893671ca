//! Messages: the log of a run, in order, never truncated.

use super::{Fence, Store, StoreError};
use crate::units::Time;
use sqlx::Row;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub run: String,
    pub node: Option<Arc<str>>,
    pub step: Option<Arc<str>>,
    pub at: Time,
    /// `info`, `warning` or `error`.
    pub level: &'static str,
    pub text: String,
    /// The effect that wrote it, when a script did: the same effect writes no second one.
    pub effect: Option<String>,
}

impl Store {
    pub async fn write_message(&self, fence: &Fence, message: Message) -> Result<(), StoreError> {
        self.write_messages(fence, vec![message]).await
    }

    /// Several in one write, in this order.
    pub async fn write_messages(&self, fence: &Fence, messages: Vec<Message>) -> Result<(), StoreError> {
        let fence = fence.clone();
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                for message in messages {
                    sqlx::query(
                        "INSERT INTO message (run, node, step, at, level, text, effect)
                         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (effect) DO NOTHING",
                    )
                    .bind(message.run)
                    .bind(message.node.as_deref())
                    .bind(message.step.as_deref())
                    .bind(message.at.0)
                    .bind(message.level)
                    .bind(message.text)
                    .bind(message.effect)
                    .execute(&mut *connection)
                    .await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// The messages of a run after message `after` (0 for all), with their numbers.
    pub async fn messages(&self, run: &str, after: i64) -> Result<Vec<(i64, Message)>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, run, node, step, at, level, text, effect FROM message WHERE run = $1 AND id > $2 ORDER BY id",
        )
        .bind(run)
        .bind(after)
        .fetch_all(&self.reads)
        .await?;
        Ok(rows.iter().map(|row| (row.get(0), read_message(row))).collect())
    }
}

fn read_message(row: &sqlx::sqlite::SqliteRow) -> Message {
    let level: String = row.get(5);
    Message {
        run: row.get(1),
        node: row.get::<Option<String>, _>(2).map(Arc::from),
        step: row.get::<Option<String>, _>(3).map(Arc::from),
        at: Time(row.get(4)),
        level: ["warning", "error"].into_iter().find(|known| *known == level).unwrap_or("info"),
        text: row.get(6),
        effect: row.get(7),
    }
}
