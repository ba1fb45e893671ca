//! Records: what we last achieved, per node and step.

use super::{Fence, Store, StoreError};
use crate::model::hazard::Scope;
use crate::model::observed::Identity;
use crate::model::record::{NodeRecord, Outcome, Record, StepRecord};
use crate::model::site::target_name;
use crate::model::value::Value;
use crate::units::Time;
use sqlx::{Row, SqliteConnection};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a step of a node ended, as it goes into the record.
#[derive(Clone, Debug)]
pub struct StepResult {
    pub node: Arc<str>,
    pub step: Arc<str>,
    pub task: Arc<str>,
    /// Digest of the script closure that did it.
    pub scripts: String,
    pub outcome: Outcome,
    /// `None` keeps the inputs of the last success.
    pub inputs: Option<Value>,
    pub params: Value,
    pub seeds: Value,
    pub scope: Scope,
    pub run: String,
    /// The machine that it was done to.
    pub identity: Option<Identity>,
    pub at: Time,
    /// True when this success wiped what steps of scope `os` had done before.
    pub wipes_os: bool,
}

impl Store {
    /// What its BMC said of a node's machine when an attempt last began; `None` of one that is not in our care.
    pub async fn identity(&self, node: &str) -> Result<Option<Identity>, StoreError> {
        let found: Option<Option<String>> =
            sqlx::query_scalar("SELECT identity FROM node WHERE name = $1 AND in_care = 1")
                .bind(node)
                .fetch_optional(&self.reads)
                .await?;
        Ok(found.flatten().map(|text| serde_json::from_str(&text)).transpose()?)
    }

    /// Everything on record. Of released nodes only the names.
    pub async fn record(&self, site: &str) -> Result<Record, StoreError> {
        let serial: Option<i64> = sqlx::query_scalar("SELECT serial FROM site WHERE name = $1")
            .bind(site)
            .fetch_optional(&self.reads)
            .await?;
        let mut record = Record { serial: serial.unwrap_or(0), ..Record::default() };
        let rows =
            sqlx::query("SELECT name, serial, identity, deployed_at, hold FROM node WHERE in_care = 1")
                .fetch_all(&self.reads)
                .await?;
        for row in rows {
            let name: String = row.get(0);
            let identity: Option<String> = row.get(2);
            let node = NodeRecord {
                serial: row.get(1),
                identity: identity.map(|text| serde_json::from_str(&text)).transpose()?,
                deployed_at: row.get::<Option<i64>, _>(3).map(Time),
                hold: row.get(4),
                ..NodeRecord::default()
            };
            record.nodes.insert(name.into(), node);
        }
        record.released = self.released().await?;
        for node in self.nodes_given_up().await? {
            if let Some(node) = record.nodes.get_mut(node.as_str()) {
                node.disk_given_up = true;
            }
        }
        let rows = sqlx::query(
            "SELECT node, step, task, outcome, inputs, params, seeds, scope, run, at, scripts FROM step_record",
        )
        .fetch_all(&self.reads)
        .await?;
        for row in rows {
            let name: String = row.get(0);
            let Some(node) = record.nodes.get_mut(name.as_str()) else { continue };
            let inputs: Option<String> = row.get(4);
            let scope: String = row.get(7);
            let step = StepRecord {
                task: row.get::<String, _>(2).into(),
                outcome: serde_json::from_str(row.get(3))?,
                inputs: inputs.map(|text| serde_json::from_str(&text)).transpose()?,
                params: serde_json::from_str(row.get(5))?,
                seeds: serde_json::from_str(row.get(6))?,
                scope: scope.parse().map_err(|_| StoreError::Content(format!("scope `{scope}`")))?,
                run: row.get(8),
                at: Time(row.get(9)),
                scripts: row.get(10),
            };
            node.steps.insert(row.get::<String, _>(1).into(), step);
        }
        record.site = record.nodes.remove(target_name(site).as_str()).unwrap_or_default();
        Ok(record)
    }

    async fn released(&self) -> Result<BTreeMap<Arc<str>, i64>, StoreError> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT name, serial FROM node WHERE released_at IS NOT NULL")
                .fetch_all(&self.reads)
                .await?;
        Ok(rows.into_iter().map(|(name, serial)| (Arc::from(name), serial)).collect())
    }

    /// Nodes whose disk was handed to an installer of ours, or wiped, and whose system has not spoken since.
    async fn nodes_given_up(&self) -> Result<Vec<String>, StoreError> {
        let query = "SELECT DISTINCT t.node FROM boot_ticket t WHERE t.fetched_at IS NOT NULL
             AND NOT EXISTS (SELECT 1 FROM fact f
                             WHERE f.node = t.node AND f.source = 'system' AND f.seen_at > t.fetched_at)";
        Ok(sqlx::query_scalar(query).fetch_all(&self.reads).await?)
    }

    /// Writes one result; grows the serials of the node and the site.
    pub async fn write_result(&self, fence: &Fence, result: StepResult) -> Result<(), StoreError> {
        let fence = fence.clone();
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                write(connection, &fence, &result).await
            })
        })
        .await
    }

    /// Notes that the node's lifecycle has ended well.
    pub async fn mark_deployed(&self, fence: &Fence, node: &Arc<str>, at: Time) -> Result<(), StoreError> {
        let (fence, node) = (fence.clone(), node.clone());
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                sqlx::query("UPDATE node SET deployed_at = $2, released_at = NULL WHERE name = $1")
                    .bind(&*node)
                    .bind(at.0)
                    .execute(&mut *connection)
                    .await?;
                touch_node(connection, &fence.site, &node, None).await
            })
        })
        .await
    }

    /// Takes a node out of care: its record ends, its history stays.
    pub async fn release_node(&self, fence: &Fence, node: &Arc<str>, at: Time) -> Result<(), StoreError> {
        let (fence, node) = (fence.clone(), node.clone());
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                super::address::give_back(connection, &node).await?;
                // Its tickets end, and what its system last said speaks for nobody any more.
                sqlx::query("UPDATE boot_ticket SET state = 'withdrawn', fetched_at = NULL WHERE node = $1")
                    .bind(&*node)
                    .execute(&mut *connection)
                    .await?;
                sqlx::query("DELETE FROM step_record WHERE node = $1")
                    .bind(&*node)
                    .execute(&mut *connection)
                    .await?;
                sqlx::query(
                    "UPDATE node SET deployed_at = NULL, identity = NULL, in_care = 0, released_at = $2 WHERE name = $1",
                )
                .bind(&*node)
                .bind(at.0)
                .execute(&mut *connection)
                .await?;
                grow_serials(connection, &fence.site, &node).await
            })
        })
        .await
    }

    /// Carries the record of `was` over to `name`; nothing happens when `name` has one already.
    pub async fn rename_node(
        &self,
        fence: &Fence,
        was: &Arc<str>,
        name: &Arc<str>,
    ) -> Result<(), StoreError> {
        let (fence, was, name) = (fence.clone(), was.clone(), name.clone());
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                let there: i64 =
                    sqlx::query_scalar("SELECT count(*) FROM node WHERE name = $1 AND in_care = 1")
                        .bind(&*name)
                        .fetch_one(&mut *connection)
                        .await?;
                if there > 0 {
                    return Ok(());
                }
                sqlx::query("DELETE FROM node WHERE name = $1")
                    .bind(&*name)
                    .execute(&mut *connection)
                    .await?;
                for table in [
                    "UPDATE node SET name = $2 WHERE name = $1",
                    "UPDATE step_record SET node = $2 WHERE node = $1",
                    "UPDATE fact SET node = $2 WHERE node = $1",
                    "UPDATE boot_ticket SET node = $2 WHERE node = $1",
                    "UPDATE OR REPLACE address SET node = $2 WHERE node = $1",
                ] {
                    sqlx::query(table).bind(&*was).bind(&*name).execute(&mut *connection).await?;
                }
                grow_serials(connection, &fence.site, &name).await
            })
        })
        .await
    }
}

/// One result, inside a write of its caller's.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    fence: &Fence,
    result: &StepResult,
) -> Result<(), StoreError> {
    upsert_step(connection, result).await?;
    if result.wipes_os {
        wipe_os(connection, &result.node, &result.step).await?;
    }
    touch_node(connection, &fence.site, &result.node, result.identity.as_ref()).await
}

async fn upsert_step(connection: &mut SqliteConnection, result: &StepResult) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO step_record (node, step, task, outcome, inputs, params, seeds, scope, run, at, scripts)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (node, step) DO UPDATE SET task = $3, outcome = $4, inputs = coalesce($5, inputs),
         params = CASE WHEN $5 IS NULL THEN params ELSE $6 END,
         seeds = CASE WHEN $5 IS NULL THEN seeds ELSE $7 END,
         scripts = CASE WHEN $5 IS NULL THEN scripts ELSE $11 END, scope = $8, run = $9, at = $10",
    )
    .bind(&*result.node)
    .bind(&*result.step)
    .bind(&*result.task)
    .bind(serde_json::to_string(&result.outcome)?)
    .bind(result.inputs.as_ref().map(Value::to_string))
    .bind(result.params.to_string())
    .bind(result.seeds.to_string())
    .bind(result.scope.word())
    .bind(&result.run)
    .bind(result.at.0)
    .bind(&result.scripts)
    .execute(connection)
    .await?;
    Ok(())
}

/// A reinstall wipes what every other step of scope `os` had done.
pub(super) async fn wipe_os(
    connection: &mut SqliteConnection,
    node: &str,
    step: &str,
) -> Result<(), StoreError> {
    let wiped = Outcome::Wiped(step.to_string());
    sqlx::query("UPDATE step_record SET outcome = $3 WHERE node = $1 AND step <> $2 AND scope = 'os'")
        .bind(node)
        .bind(step)
        .bind(serde_json::to_string(&wiped)?)
        .execute(connection)
        .await?;
    Ok(())
}

async fn touch_node(
    connection: &mut SqliteConnection,
    site: &str,
    node: &str,
    identity: Option<&Identity>,
) -> Result<(), StoreError> {
    let before: Option<Option<String>> =
        sqlx::query_scalar("SELECT identity FROM node WHERE name = $1 AND in_care = 1")
            .bind(node)
            .fetch_optional(&mut *connection)
            .await?;
    let before: Option<Identity> = before.flatten().map(|text| serde_json::from_str(&text)).transpose()?;
    // A part that was not reported this time stays as it was: an identity never erases itself.
    let identity = match (before, identity) {
        (Some(before), Some(now)) => Some(now.or(&before)),
        (before, now) => now.cloned().or(before),
    };
    let identity = identity.map(|identity| serde_json::to_string(&identity)).transpose()?;
    sqlx::query(
        "INSERT INTO node (name, identity) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET identity = coalesce($2, identity), in_care = 1",
    )
    .bind(node)
    .bind(identity)
    .execute(&mut *connection)
    .await?;
    grow_serials(connection, site, node).await
}

pub(super) async fn grow_serials(
    connection: &mut SqliteConnection,
    site: &str,
    node: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE node SET serial = serial + 1 WHERE name = $1")
        .bind(node)
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE site SET serial = serial + 1 WHERE name = $1").bind(site).execute(connection).await?;
    Ok(())
}
