//! Facts: what was seen of a node, per source, with history.

use super::{Fence, Store, StoreError};
use crate::model::value::Value;
use crate::units::Time;
use sqlx::Row;
use std::sync::Arc;

/// What one source said of a node, first at `at`, last at `seen_at`.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub node: Arc<str>,
    pub source: Arc<str>,
    pub at: Time,
    pub seen_at: Time,
    pub value: Value,
}

/// What rings when a source says something of a node.
pub fn fact_bell(node: &str, source: &str) -> String {
    format!("fact {node} {source}")
}

impl Store {
    /// Records facts; one that has not changed only refreshes its time.
    pub async fn record_facts(
        &self,
        fence: &Fence,
        facts: Vec<(Arc<str>, Arc<str>, Value)>,
        now: Time,
    ) -> Result<(), StoreError> {
        let fence = fence.clone();
        let subjects: Vec<String> = facts.iter().map(|(node, source, _)| fact_bell(node, source)).collect();
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                for (node, source, value) in facts {
                    let text = value.to_string();
                    let refreshed = sqlx::query(
                        "UPDATE fact SET seen_at = max(seen_at, $4) WHERE node = $1 AND source = $2 AND value = $3
                         AND at = (SELECT max(at) FROM fact WHERE node = $1 AND source = $2)",
                    )
                    .bind(&*node)
                    .bind(&*source)
                    .bind(&text)
                    .bind(now.0)
                    .execute(&mut *connection)
                    .await?;
                    if refreshed.rows_affected() == 0 {
                        // The newest is what was recorded last, also when somebody has put the clock back since.
                        sqlx::query(
                            "INSERT INTO fact (node, source, at, seen_at, value)
                             SELECT $1, $2, max($3, newest), max($3, newest), $4 FROM
                             (SELECT coalesce(max(max(at), max(seen_at)) + 1, 0) AS newest FROM fact WHERE node = $1 AND source = $2)
                             WHERE true ON CONFLICT (node, source, at) DO UPDATE SET value = $4",
                        )
                        .bind(&*node)
                        .bind(&*source)
                        .bind(now.0)
                        .bind(&text)
                        .execute(&mut *connection)
                        .await?;
                    }
                }
                Ok(())
            })
        })
        .await?;
        subjects.iter().for_each(|subject| self.bell.ring(subject));
        Ok(())
    }

    /// The newest fact of every node and source.
    pub async fn newest_facts(&self) -> Result<Vec<Fact>, StoreError> {
        let rows = sqlx::query(
            "SELECT node, source, at, seen_at, value FROM fact AS f
             WHERE at = (SELECT max(at) FROM fact WHERE node = f.node AND source = f.source)",
        )
        .fetch_all(&self.reads)
        .await?;
        rows.iter().map(read_fact).collect()
    }

    /// Everything that was ever seen of a node, oldest first.
    pub async fn facts_of(&self, node: &str) -> Result<Vec<Fact>, StoreError> {
        let rows = sqlx::query(
            "SELECT node, source, at, seen_at, value FROM fact WHERE node = $1 ORDER BY source, at",
        )
        .bind(node)
        .fetch_all(&self.reads)
        .await?;
        rows.iter().map(read_fact).collect()
    }

    /// The newest fact of one source.
    pub async fn fact(&self, node: &str, source: &str) -> Result<Option<Fact>, StoreError> {
        let row = sqlx::query(
            "SELECT node, source, at, seen_at, value FROM fact WHERE node = $1 AND source = $2 ORDER BY at DESC LIMIT 1",
        )
        .bind(node)
        .bind(source)
        .fetch_optional(&self.reads)
        .await?;
        row.as_ref().map(read_fact).transpose()
    }
}

fn read_fact(row: &sqlx::sqlite::SqliteRow) -> Result<Fact, StoreError> {
    Ok(Fact {
        node: row.get::<String, _>(0).into(),
        source: row.get::<String, _>(1).into(),
        at: Time(row.get(2)),
        seen_at: Time(row.get(3)),
        value: serde_json::from_str(row.get(4))?,
    })
}
