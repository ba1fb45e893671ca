//! DHCP leases (RFC 2131): written before they are acknowledged.

use super::{Store, StoreError};
use crate::units::{Mac, Time};
use sqlx::Row;
use std::net::Ipv4Addr;

/// Network, MAC, address, end.
pub type DhcpLeaseRow = (String, Mac, Ipv4Addr, Time);

impl Store {
    pub async fn dhcp_leases(&self) -> Result<Vec<DhcpLeaseRow>, StoreError> {
        let rows = sqlx::query("SELECT network, mac, address, expires_at FROM dhcp_lease").fetch_all(&self.reads).await?;
        rows.iter()
            .map(|row| {
                let (mac, address): (String, String) = (row.get(1), row.get(2));
                let wrong = |_| StoreError::Content(format!("DHCP lease of {mac} for {address}"));
                Ok((
                    row.get(0),
                    mac.parse().map_err(|_| wrong(()))?,
                    address.parse().map_err(|_| wrong(()))?,
                    Time(row.get(3)),
                ))
            })
            .collect()
    }

    pub async fn save_dhcp_lease(&self, (network, mac, address, expires_at): DhcpLeaseRow) -> Result<(), StoreError> {
        self.write(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO dhcp_lease (network, mac, address, expires_at) VALUES ($1, $2, $3, $4)
                     ON CONFLICT (network, mac) DO UPDATE SET address = $3, expires_at = $4",
                )
                .bind(network)
                .bind(mac.to_string())
                .bind(address.to_string())
                .bind(expires_at.0)
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await
    }
}
