//! Runs: a run is self-contained, so that it can be carried on with nothing but the store.

use super::{Fence, Store, StoreError};
use crate::id::RunId;
use crate::model::run::{Counts, NodeState, RunState, StepState};
use crate::model::value::Value;
use crate::units::Time;
use sqlx::{Row, SqliteConnection};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

/// A run to be carried out. Pinned contents are JSON text, stored once per digest.
pub struct NewRun {
    pub id: RunId,
    pub command: String,
    pub design_digest: String,
    pub plan: String,
    pub nodes: Vec<NewNode>,
}

pub struct NewNode {
    pub node: Arc<str>,
    pub spec: Value,
    pub steps: Vec<NewStep>,
}

pub struct NewStep {
    pub step: Arc<str>,
    /// The task and its script closure, pinned.
    pub task: Arc<str>,
    pub closure: Arc<str>,
    /// The step of the blueprint and of the plan.
    pub planned: String,
}

#[derive(Clone, Debug)]
pub struct RunRow {
    pub id: RunId,
    pub state: RunState,
    pub command: String,
    pub design_digest: String,
    pub plan: String,
    pub started_at: Time,
    pub ended_at: Option<Time>,
    pub counts: Counts,
}

#[derive(Clone, Debug)]
pub struct NodeRow {
    pub node: Arc<str>,
    pub state: NodeState,
    pub why: Option<String>,
    pub spec: Value,
}

#[derive(Clone, Debug)]
pub struct StepRow {
    pub node: Arc<str>,
    pub step: Arc<str>,
    /// Digests of pinned content.
    pub task: String,
    pub closure: String,
    pub planned: String,
    pub state: StepState,
    pub why: Option<String>,
    pub since: Time,
}

#[derive(Clone, Debug)]
pub struct AttemptRow {
    pub id: i64,
    pub node: Arc<str>,
    pub step: Arc<str>,
    pub number: i64,
    /// `running`, `succeeded`, `failed` or `in-doubt`.
    pub state: String,
    pub started_at: Time,
    pub ended_at: Option<Time>,
    pub deadline: Time,
    pub error: Option<String>,
    /// With which it was begun; `None` of one that an earlier version began.
    pub params: Option<Value>,
}

impl Store {
    pub async fn begin_run(&self, fence: &Fence, run: NewRun, now: Time) -> Result<(), StoreError> {
        let fence = fence.clone();
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                insert_run(connection, run, now).await
            })
        })
        .await
    }

    /// Runs, newest first.
    pub async fn runs(&self, at_most: i64) -> Result<Vec<RunRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, state, command, design_digest, plan, started_at, ended_at, succeeded, failed, skipped, waiting
             FROM run ORDER BY started_at DESC, id DESC LIMIT $1",
        )
        .bind(at_most)
        .fetch_all(&self.reads)
        .await?;
        rows.iter().map(read_run).collect()
    }

    pub async fn run(&self, id: &str) -> Result<Option<RunRow>, StoreError> {
        let row = sqlx::query(
            "SELECT id, state, command, design_digest, plan, started_at, ended_at, succeeded, failed, skipped, waiting
             FROM run WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&self.reads)
        .await?;
        row.as_ref().map(read_run).transpose()
    }

    /// Runs that a process left before their end, oldest first.
    pub async fn unfinished_runs(&self) -> Result<Vec<RunRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, state, command, design_digest, plan, started_at, ended_at, succeeded, failed, skipped, waiting
             FROM run WHERE state = 'running' ORDER BY started_at",
        )
        .fetch_all(&self.reads)
        .await?;
        rows.iter().map(read_run).collect()
    }

    pub async fn run_nodes(&self, run: &RunId) -> Result<Vec<NodeRow>, StoreError> {
        let rows =
            sqlx::query("SELECT node, state, why, spec FROM run_node WHERE run = $1 ORDER BY position")
                .bind(&run.0)
                .fetch_all(&self.reads)
                .await?;
        let mut last = Value::Null;
        rows.iter()
            .map(|row| {
                let mut spec: Value = serde_json::from_str(row.get(3))?;
                spec.share(&last);
                last = spec.clone();
                Ok(NodeRow {
                    node: row.get::<String, _>(0).into(),
                    state: word(row.get(1))?,
                    why: row.get(2),
                    spec,
                })
            })
            .collect()
    }

    pub async fn run_steps(&self, run: &RunId) -> Result<Vec<StepRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT node, step, task, closure, planned, state, why, since FROM step_run WHERE run = $1
             ORDER BY node, position",
        )
        .bind(&run.0)
        .fetch_all(&self.reads)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(StepRow {
                    node: row.get::<String, _>(0).into(),
                    step: row.get::<String, _>(1).into(),
                    task: row.get(2),
                    closure: row.get(3),
                    planned: row.get(4),
                    state: word(row.get(5))?,
                    why: row.get(6),
                    since: Time(row.get(7)),
                })
            })
            .collect()
    }

    /// The spec that a node last ran with.
    pub async fn last_spec(&self, node: &str) -> Result<Option<Value>, StoreError> {
        let spec: Option<String> = sqlx::query_scalar(
            "SELECT n.spec FROM run_node n JOIN run r ON r.id = n.run WHERE n.node = $1
             ORDER BY r.started_at DESC LIMIT 1",
        )
        .bind(node)
        .fetch_optional(&self.reads)
        .await?;
        Ok(spec.map(|text| serde_json::from_str(&text)).transpose()?)
    }

    /// Pinned content by digest, of every step of a run.
    pub async fn pinned(&self, run: &RunId) -> Result<BTreeMap<String, String>, StoreError> {
        let rows = sqlx::query(
            "SELECT DISTINCT p.digest, p.content FROM pinned p
             JOIN step_run s ON s.task = p.digest OR s.closure = p.digest WHERE s.run = $1",
        )
        .bind(&run.0)
        .fetch_all(&self.reads)
        .await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    pub async fn set_node_state(
        &self,
        fence: &Fence,
        run: &RunId,
        node: &Arc<str>,
        state: NodeState,
        why: Option<String>,
    ) -> Result<(), StoreError> {
        let (fence, run, node) = (fence.clone(), run.clone(), node.clone());
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                sqlx::query("UPDATE run_node SET state = $3, why = $4 WHERE run = $1 AND node = $2")
                    .bind(run.0)
                    .bind(&*node)
                    .bind(state.word())
                    .bind(why)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    pub async fn set_step_state(
        &self,
        fence: &Fence,
        run: &RunId,
        (node, step): (&Arc<str>, &Arc<str>),
        state: StepState,
        why: Option<String>,
        now: Time,
    ) -> Result<(), StoreError> {
        let (fence, run, node, step) = (fence.clone(), run.clone(), node.clone(), step.clone());
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                sqlx::query("UPDATE step_run SET state = $4, why = $5, since = $6 WHERE run = $1 AND node = $2 AND step = $3")
                    .bind(run.0)
                    .bind(&*node)
                    .bind(&*step)
                    .bind(state.word())
                    .bind(why)
                    .bind(now.0)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    pub async fn end_run(
        &self,
        fence: &Fence,
        run: &RunId,
        state: RunState,
        counts: Counts,
        now: Time,
    ) -> Result<(), StoreError> {
        let (fence, run) = (fence.clone(), run.clone());
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                sqlx::query(
                    "UPDATE run SET state = $2, ended_at = $3, succeeded = $4, failed = $5, skipped = $6, waiting = $7
                     WHERE id = $1",
                )
                .bind(run.0)
                .bind(state.word())
                .bind(now.0)
                .bind(count(counts.succeeded))
                .bind(count(counts.failed))
                .bind(count(counts.skipped))
                .bind(count(counts.waiting))
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    pub async fn step_state(
        &self,
        run: &RunId,
        node: &str,
        step: &str,
    ) -> Result<Option<StepState>, StoreError> {
        let state: Option<String> =
            sqlx::query_scalar("SELECT state FROM step_run WHERE run = $1 AND node = $2 AND step = $3")
                .bind(&run.0)
                .bind(node)
                .bind(step)
                .fetch_optional(&self.reads)
                .await?;
        state.map(word).transpose()
    }

    /// The attempts of a run, in order.
    pub async fn attempts(&self, run: &RunId) -> Result<Vec<AttemptRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, node, step, number, state, started_at, ended_at, deadline, error, params FROM attempt
             WHERE run = $1 ORDER BY id",
        )
        .bind(&run.0)
        .fetch_all(&self.reads)
        .await?;
        rows.iter()
            .map(|row| {
                let params: Option<&str> = row.get(9);
                Ok(AttemptRow {
                    id: row.get(0),
                    node: row.get::<String, _>(1).into(),
                    step: row.get::<String, _>(2).into(),
                    number: row.get(3),
                    state: row.get(4),
                    started_at: Time(row.get(5)),
                    ended_at: row.get::<Option<i64>, _>(6).map(Time),
                    deadline: Time(row.get(7)),
                    error: row.get(8),
                    params: params.map(serde_json::from_str).transpose()?,
                })
            })
            .collect()
    }

    /// Starts an attempt at a step; returns its id.
    pub async fn start_attempt(
        &self,
        fence: &Fence,
        run: &RunId,
        (node, step): (&Arc<str>, &Arc<str>),
        number: i64,
        (now, deadline): (Time, Time),
        params: &Value,
    ) -> Result<i64, StoreError> {
        let (fence, run, node, step) = (fence.clone(), run.clone(), node.clone(), step.clone());
        let params = params.to_string();
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                let id: i64 = sqlx::query_scalar("SELECT coalesce(max(id), 0) + 1 FROM attempt")
                    .fetch_one(&mut *connection)
                    .await?;
                sqlx::query(
                    "INSERT INTO attempt (id, run, node, step, number, state, started_at, deadline, params)
                     VALUES ($1, $2, $3, $4, $5, 'running', $6, $7, $8)",
                )
                .bind(id)
                .bind(&run.0)
                .bind(&*node)
                .bind(&*step)
                .bind(number)
                .bind(now.0)
                .bind(deadline.0)
                .bind(params)
                .execute(&mut *connection)
                .await?;
                sqlx::query(
                    "UPDATE step_run SET state = 'running', why = NULL, since = $4 WHERE run = $1 AND node = $2 AND step = $3",
                )
                .bind(&run.0)
                .bind(&*node)
                .bind(&*step)
                .bind(now.0)
                .execute(connection)
                .await?;
                Ok(id)
            })
        })
        .await
    }
}

async fn insert_run(connection: &mut SqliteConnection, run: NewRun, now: Time) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO run (id, state, command, design_digest, plan, started_at) VALUES ($1, 'running', $2, $3, $4, $5)",
    )
    .bind(&run.id.0)
    .bind(&run.command)
    .bind(&run.design_digest)
    .bind(&run.plan)
    .bind(now.0)
    .execute(&mut *connection)
    .await?;
    let mut pinned = BTreeMap::new();
    for (position, node) in run.nodes.into_iter().enumerate() {
        sqlx::query(
            "INSERT INTO run_node (run, node, position, state, spec) VALUES ($1, $2, $3, 'pending', $4)",
        )
        .bind(&run.id.0)
        .bind(&*node.node)
        .bind(count(position))
        .bind(node.spec.to_string())
        .execute(&mut *connection)
        .await?;
        for (position, step) in node.steps.into_iter().enumerate() {
            let (task, closure) = (content_digest(&step.task), content_digest(&step.closure));
            sqlx::query(
                "INSERT INTO step_run (run, node, step, position, task, closure, planned, state, since)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8)",
            )
            .bind(&run.id.0)
            .bind(&*node.node)
            .bind(&*step.step)
            .bind(count(position))
            .bind(&task)
            .bind(&closure)
            .bind(step.planned)
            .bind(now.0)
            .execute(&mut *connection)
            .await?;
            pinned.insert(task, step.task);
            pinned.insert(closure, step.closure);
        }
    }
    for (digest, content) in pinned {
        sqlx::query("INSERT INTO pinned (digest, content) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING")
            .bind(digest)
            .bind(&*content)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

fn content_digest(content: &str) -> String {
    blake3::hash(content.as_bytes()).to_hex().to_string()
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn word<T: FromStr>(text: String) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Content(format!("the word `{text}`")))
}

fn read_run(row: &sqlx::sqlite::SqliteRow) -> Result<RunRow, StoreError> {
    let number = |index: usize| usize::try_from(row.get::<i64, _>(index)).unwrap_or(0);
    Ok(RunRow {
        id: RunId(row.get(0)),
        state: word(row.get(1))?,
        command: row.get(2),
        design_digest: row.get(3),
        plan: row.get(4),
        started_at: Time(row.get(5)),
        ended_at: row.get::<Option<i64>, _>(6).map(Time),
        counts: Counts { succeeded: number(7), failed: number(8), skipped: number(9), waiting: number(10) },
    })
}
