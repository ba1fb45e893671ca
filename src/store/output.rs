//! Outputs: what a step leaves for later ones, by run, node and step.

use super::{Fence, Store, StoreError};
use crate::model::value::Value;
use crate::units::Time;
use std::sync::Arc;

/// One named value that a step has set.
#[derive(Clone, Debug)]
pub struct Output {
    pub run: String,
    pub node: Arc<str>,
    /// The step as it is on record.
    pub step: Arc<str>,
    pub name: String,
    pub value: Value,
    pub at: Time,
}

impl Store {
    /// Sets an output; the same run may set it again, and the last value counts.
    pub async fn set_output(&self, fence: &Fence, output: Output) -> Result<(), StoreError> {
        let fence = fence.clone();
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                sqlx::query(
                    "INSERT INTO output (run, node, step, name, value, at) VALUES ($1, $2, $3, $4, $5, $6)
                     ON CONFLICT (run, node, step, name) DO UPDATE SET value = $5, at = $6",
                )
                .bind(output.run)
                .bind(&*output.node)
                .bind(&*output.step)
                .bind(output.name)
                .bind(output.value.to_string())
                .bind(output.at.0)
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// What `step` of `node` has left under `name`: in this run, or else in the last one that set it.
    pub async fn output(
        &self,
        run: &str,
        node: &str,
        step: &str,
        name: &str,
    ) -> Result<Option<Value>, StoreError> {
        let text: Option<String> = sqlx::query_scalar(
            "SELECT value FROM output WHERE node = $1 AND step = $2 AND name = $3
             ORDER BY run = $4 DESC, at DESC LIMIT 1",
        )
        .bind(node)
        .bind(step)
        .bind(name)
        .bind(run)
        .fetch_optional(&self.reads)
        .await?;
        Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
    }
}
