//! Retention: what of ended runs is let go.
//!
//! Owns what must stay: runs under way, the newest runs, whatever a node's record, its last boot ticket or its last
//! outputs still need. Facts and records are never touched.

use super::{Fence, Store, StoreError};
use crate::units::Time;
use sqlx::SqliteConnection;

/// What goes, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Pruned {
    pub runs: i64,
    pub attempts: i64,
    pub effects: i64,
    pub messages: i64,
    pub outputs: i64,
    pub tickets: i64,
    pub pinned: i64,
}

/// What is kept however old it is.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// Runs that ended before this may go.
    pub since: Time,
    /// The newest runs stay.
    pub newest: i64,
}

/// The runs that go: `$1` is the time, `$2` how many of the newest stay.
const RUNS: &str = "SELECT id FROM run WHERE state <> 'running' AND ended_at < $1
    AND id NOT IN (SELECT id FROM run ORDER BY started_at DESC, id DESC LIMIT $2)
    AND id NOT IN (SELECT run FROM step_run WHERE state = 'in-doubt')";

/// In order, so that nothing is left that belongs to something gone: the table, and which of its rows.
const TABLES: &[(&str, &str)] = &[
    ("effect", "attempt IN (SELECT id FROM attempt WHERE run IN (SELECT id FROM going))"),
    ("attempt", "run IN (SELECT id FROM going)"),
    ("message", "run IN (SELECT id FROM going)"),
    // A later step may still take the last value.
    (
        "output",
        "run IN (SELECT id FROM going) AND EXISTS (SELECT 1 FROM output newer WHERE newer.node = output.node
         AND newer.step = output.step AND newer.name = output.name AND newer.at > output.at)",
    ),
    // The last ticket that was fetched says what a machine's disk holds.
    (
        "boot_ticket",
        "run IN (SELECT id FROM going) AND EXISTS (SELECT 1 FROM boot_ticket newer WHERE newer.node = boot_ticket.node
         AND newer.fetched_at IS NOT NULL AND newer.created_at > boot_ticket.created_at)",
    ),
    ("step_run", "run IN (SELECT id FROM going)"),
    // `release` takes the spec that a node last ran with.
    (
        "run_node",
        "run IN (SELECT id FROM going) AND EXISTS (SELECT 1 FROM run_node newer JOIN run r ON r.id = newer.run
         WHERE newer.node = run_node.node AND newer.run NOT IN (SELECT id FROM going))",
    ),
    (
        "pinned",
        "digest NOT IN (SELECT task FROM step_run) AND digest NOT IN (SELECT closure FROM step_run)",
    ),
    ("run", "id IN (SELECT id FROM going) AND id NOT IN (SELECT run FROM run_node)"),
];

impl Store {
    /// Lets old runs go, or only counts what would go.
    pub async fn prune(&self, fence: &Fence, keep: Keep, dry_run: bool) -> Result<Pruned, StoreError> {
        let fence = fence.clone();
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                sqlx::query("SAVEPOINT prune").execute(&mut *connection).await?;
                let pruned = prune(connection, keep).await?;
                if dry_run {
                    sqlx::query("ROLLBACK TO prune").execute(&mut *connection).await?;
                }
                sqlx::query("RELEASE prune").execute(connection).await?;
                Ok(pruned)
            })
        })
        .await
    }
}

async fn prune(connection: &mut SqliteConnection, keep: Keep) -> Result<Pruned, StoreError> {
    sqlx::query("DROP TABLE IF EXISTS temp.going").execute(&mut *connection).await?;
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE TEMP TABLE going AS {RUNS}")))
        .bind(keep.since.0)
        .bind(keep.newest)
        .execute(&mut *connection)
        .await?;
    let mut pruned = Pruned::default();
    for (table, which) in TABLES {
        let gone = sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {table} WHERE {which}")))
            .execute(&mut *connection)
            .await?
            .rows_affected();
        let gone = i64::try_from(gone).unwrap_or(i64::MAX);
        match *table {
            "run" => pruned.runs = gone,
            "attempt" => pruned.attempts = gone,
            "effect" => pruned.effects = gone,
            "message" => pruned.messages = gone,
            "output" => pruned.outputs = gone,
            "boot_ticket" => pruned.tickets = gone,
            "pinned" => pruned.pinned = gone,
            _ => {}
        }
    }
    sqlx::query("DROP TABLE temp.going").execute(connection).await?;
    Ok(pruned)
}
