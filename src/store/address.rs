//! Addresses that were chosen for nodes: kept from run to run, until the node is released.

use super::{Fence, Store, StoreError};
use crate::model::site::Allocation;
use sqlx::{Row, SqliteConnection};
use std::collections::BTreeSet;
use std::sync::Arc;

impl Store {
    /// What nodes were given.
    pub async fn addresses(&self) -> Result<Allocation, StoreError> {
        let rows = sqlx::query("SELECT network, node, address FROM address").fetch_all(&self.reads).await?;
        rows.iter()
            .map(|row| {
                let (network, node, address): (String, String, String) = (row.get(0), row.get(1), row.get(2));
                let wrong = || StoreError::Content(format!("the address of node `{node}` in `{network}`"));
                let address = address.parse().map_err(|_| wrong())?;
                Ok(((Arc::from(network), Arc::from(node)), address))
            })
            .collect()
    }

    /// Keeps these from now on, in place of everything that the nodes had.
    pub async fn keep_addresses(
        &self,
        fence: &Fence,
        nodes: BTreeSet<Arc<str>>,
        given: Allocation,
    ) -> Result<(), StoreError> {
        let fence = fence.clone();
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                for node in nodes {
                    give_back(connection, &node).await?;
                }
                for ((network, node), address) in given {
                    sqlx::query("INSERT INTO address (network, node, address) VALUES ($1, $2, $3)")
                        .bind(&*network)
                        .bind(&*node)
                        .bind(address.to_string())
                        .execute(&mut *connection)
                        .await?;
                }
                Ok(())
            })
        })
        .await
    }
}

/// A node that is released gives its addresses back, inside a write of its caller's.
pub(super) async fn give_back(connection: &mut SqliteConnection, node: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM address WHERE node = $1").bind(node).execute(connection).await?;
    Ok(())
}
