//! DHCP leases (RFC 2131): written before they are acknowledged.

use super::{Fence, Store, StoreError};
use crate::units::{Mac, Time};
use sqlx::Row;
use std::net::Ipv4Addr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhcpLeaseRow {
    pub network: String,
    pub address: Ipv4Addr,
    pub mac: Mac,
    pub node: String,
    pub expires_at: Time,
}

impl Store {
    pub async fn dhcp_leases(&self) -> Result<Vec<DhcpLeaseRow>, StoreError> {
        let rows = sqlx::query("SELECT network, address, mac, node, expires_at FROM dhcp_lease")
            .fetch_all(&self.reads)
            .await?;
        rows.iter()
            .map(|row| {
                let (address, mac): (String, String) = (row.get(1), row.get(2));
                let wrong = || StoreError::Content(format!("the DHCP lease of {mac} for {address}"));
                Ok(DhcpLeaseRow {
                    network: row.get(0),
                    address: address.parse().map_err(|_| wrong())?,
                    mac: mac.parse().map_err(|_| wrong())?,
                    node: row.get(3),
                    expires_at: Time(row.get(4)),
                })
            })
            .collect()
    }

    /// Keeps a lease in place of any other of its address.
    pub async fn save_dhcp_lease(&self, fence: &Fence, lease: DhcpLeaseRow) -> Result<(), StoreError> {
        let fence = fence.clone();
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                sqlx::query(
                    "INSERT INTO dhcp_lease (network, address, mac, node, expires_at) VALUES ($1, $2, $3, $4, $5)
                     ON CONFLICT (network, address) DO UPDATE SET mac = $3, node = $4, expires_at = $5",
                )
                .bind(lease.network)
                .bind(lease.address.to_string())
                .bind(lease.mac.to_string())
                .bind(lease.node)
                .bind(lease.expires_at.0)
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }
}
