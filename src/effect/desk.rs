//! The boot desk: answers the boot services from the store and the site's nodes.

use super::live::Live;
use super::{agent_desk, keys, right_machine};
use crate::model::observed::SYSTEM_SOURCE;
use crate::model::value::Value;
use crate::store::{DhcpLeaseRow, Purpose, StoreError, Ticket, TicketState};
use crate::units::Mac;
use crate::world::agent;
use crate::world::boot::{
    Boot, BootDesk, DeskError, DhcpLease, Identity, NetImage, Order, OrderImage, Refusal, Report,
    ReportedImage,
};
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Arc;

pub struct Desk {
    pub live: Arc<Live>,
    /// Every node that boots from the network, by its boot MAC.
    pub nodes: BTreeMap<Mac, Arc<str>>,
}

impl BootDesk for Desk {
    fn node_of(&self, mac: Mac) -> BoxFuture<'_, Result<Option<String>, DeskError>> {
        Box::pin(async move { Ok(self.nodes.get(&mac).map(|node| node.to_string())) })
    }

    fn boot(&self, mac: Mac) -> BoxFuture<'_, Result<Boot, DeskError>> {
        Box::pin(async move {
            let Some(node) = self.nodes.get(&mac) else { return Ok(Boot::Unknown) };
            let failed = |error: StoreError| DeskError(error.to_string());
            let newest = self.live.store.newest_ticket(node).await.map_err(failed)?;
            match newest {
                Some(ticket) if self.is_good(&ticket).await.map_err(failed)? => Ok(self.ramdisk(&ticket)),
                _ => Ok(Boot::Disk { node: node.to_string() }),
            }
        })
    }

    fn order(&self, key: &str) -> BoxFuture<'_, Result<Order, Refusal>> {
        let digest = keys::digest(key);
        Box::pin(async move {
            let ticket = self.by_install_key(&digest).await?.ok_or(Refusal::Unknown)?;
            let broken = |error: StoreError| Refusal::Broken(error.to_string());
            let order =
                self.order_of(&ticket).ok_or_else(|| Refusal::Broken("the ticket has no image".into()))?;
            let fence = self.live.fence().map_err(broken)?;
            if !self.live.store.note_fetched(fence, &ticket.id, (self.live.now)()).await.map_err(broken)? {
                return Err(Refusal::Withdrawn);
            }
            Ok(order)
        })
    }

    fn report(&self, key: &str, report: Report) -> BoxFuture<'_, Result<(), Refusal>> {
        let digest = keys::digest(key);
        Box::pin(async move {
            match report {
                Report::Installed { identity, .. } => self.installed(&digest, identity).await,
                Report::Failed { why } => self.failed(&digest, why).await,
                Report::Booted { image, boot_id, kernel_params, identity } => {
                    self.booted(&digest, image, boot_id, kernel_params, identity).await
                }
            }
        })
    }

    fn agent_hello(&self, key: &str, hello: agent::Hello) -> BoxFuture<'_, Result<(), Refusal>> {
        let digest = keys::digest(key);
        Box::pin(async move { agent_desk::hello(&self.live, &digest, hello).await })
    }

    fn agent_order(
        &self,
        key: &str,
        next: agent::Next,
    ) -> BoxFuture<'_, Result<Option<agent::Order>, Refusal>> {
        let digest = keys::digest(key);
        Box::pin(async move { agent_desk::order(&self.live, &digest, next).await })
    }

    fn agent_said(&self, key: &str, said: agent::Said) -> BoxFuture<'_, Result<(), Refusal>> {
        let digest = keys::digest(key);
        Box::pin(async move { agent_desk::said(&self.live, &digest, said).await })
    }

    fn leases(&self) -> BoxFuture<'_, Result<Vec<DhcpLease>, DeskError>> {
        Box::pin(async move {
            let rows = self.live.store.dhcp_leases().await.map_err(|error| DeskError(error.to_string()))?;
            let lease = |row: DhcpLeaseRow| DhcpLease {
                address: row.address,
                mac: row.mac,
                network: row.network,
                node: row.node,
                expires: row.expires_at,
            };
            Ok(rows.into_iter().map(lease).collect())
        })
    }

    fn save_lease(&self, lease: DhcpLease) -> BoxFuture<'_, Result<(), DeskError>> {
        Box::pin(async move {
            let row = DhcpLeaseRow {
                network: lease.network,
                address: lease.address,
                mac: lease.mac,
                node: lease.node,
                expires_at: lease.expires,
            };
            let broken = |error: StoreError| DeskError(error.to_string());
            let fence = self.live.fence().map_err(broken)?;
            self.live.store.save_dhcp_lease(fence, row).await.map_err(broken)
        })
    }
}

impl Desk {
    /// An open ticket of an attempt that is under way: nothing else ever lets a machine be installed, or take orders.
    async fn is_good(&self, ticket: &Ticket) -> Result<bool, StoreError> {
        Ok(ticket.state == TicketState::Open && self.live.store.is_under_way(ticket).await?)
    }

    /// The ramdisk of the node's image holds the agent, which installs and takes orders alike.
    fn ramdisk(&self, ticket: &Ticket) -> Boot {
        let text = |path: &str| ticket.spec.str_at(path).map(str::to_string);
        let image = NetImage {
            name: text("image.name").unwrap_or_default(),
            kernel: text("image.kernel.url").unwrap_or_default(),
            initrd: text("image.initrd.url").unwrap_or_default(),
            kernel_checksum: text("image.kernel.checksum"),
            initrd_checksum: text("image.initrd.checksum"),
            params: kernel_params(&ticket.spec),
        };
        let (node, secret) = (ticket.node.to_string(), &self.live.boot_secret);
        match ticket.purpose {
            Purpose::Install => Boot::Install { node, key: keys::install_key(secret, &ticket.id), image },
            Purpose::Agent => Boot::Agent { node, key: keys::agent_key(secret, &ticket.id), image },
        }
    }

    fn order_of(&self, ticket: &Ticket) -> Option<Order> {
        let text = |path: &str| ticket.spec.str_at(path).map(str::to_string);
        let keys = ticket.spec.get("authorized-keys").and_then(Value::as_list).unwrap_or_default();
        Some(Order {
            node: ticket.node.to_string(),
            image: OrderImage {
                name: text("image.name")?,
                url: text("image.url")?,
                checksum: text("image.checksum")?,
                format: text("image.format").unwrap_or_else(|| "raw".into()),
            },
            hostname: ticket.node.to_string(),
            kernel_params: kernel_params(&ticket.spec),
            authorized_keys: keys.iter().filter_map(Value::as_str).map(str::to_string).collect(),
            phone_home: keys::home_key(&self.live.boot_secret, &ticket.id),
        })
    }

    /// With an agent's key nothing is installed.
    async fn by_install_key(&self, digest: &str) -> Result<Option<Ticket>, Refusal> {
        let found = self.live.store.ticket_by_install_key(digest).await;
        let found = found.map_err(|error| Refusal::Broken(error.to_string()))?;
        Ok(found.filter(|ticket| ticket.purpose == Purpose::Install))
    }

    async fn installed(&self, digest: &str, identity: Identity) -> Result<(), Refusal> {
        const FROM: &[TicketState] = &[TicketState::Open];
        let ticket = self.by_install_key(digest).await?.ok_or(Refusal::Unknown)?;
        right_machine::reports(&self.live, &ticket, identity).await?;
        if matches!(ticket.state, TicketState::Installed | TicketState::Booted) {
            return Ok(());
        }
        self.moved(&ticket, FROM, TicketState::Installed, None).await
    }

    async fn failed(&self, digest: &str, why: String) -> Result<(), Refusal> {
        const FROM: &[TicketState] = &[TicketState::Open];
        let ticket = self.by_install_key(digest).await?.ok_or(Refusal::Unknown)?;
        let report = Value::map([("why", Value::from(why))]);
        self.moved(&ticket, FROM, TicketState::Failed, Some(report)).await
    }

    async fn moved(
        &self,
        ticket: &Ticket,
        from: &'static [TicketState],
        to: TicketState,
        report: Option<Value>,
    ) -> Result<(), Refusal> {
        let now = (self.live.now)();
        let fence = self.live.fence().map_err(|error| Refusal::Broken(error.to_string()))?;
        match self.live.store.move_ticket(fence, &ticket.id, from, to, report, now).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refusal::Withdrawn),
            Err(error) => Err(Refusal::Broken(error.to_string())),
        }
    }

    /// A boot report is a fact whatever the ticket's state; it also moves tickets on.
    async fn booted(
        &self,
        digest: &str,
        image: ReportedImage,
        boot_id: String,
        params: Vec<String>,
        identity: Identity,
    ) -> Result<(), Refusal> {
        const FROM_INSTALLED: &[TicketState] = &[TicketState::Open, TicketState::Installed];
        const FROM_OPEN: &[TicketState] = &[TicketState::Open];
        let broken = |error: StoreError| Refusal::Broken(error.to_string());
        let (store, fence) = (&self.live.store, self.live.fence().map_err(broken)?);
        let ticket = store.ticket_by_home_key(digest).await.map_err(broken)?.ok_or(Refusal::Unknown)?;
        right_machine::reports(&self.live, &ticket, identity).await?;
        let now = (self.live.now)();
        let value = Value::map([
            ("ticket", Value::from(ticket.id.clone())),
            (
                "image",
                Value::map([("name", Value::from(image.name)), ("checksum", Value::from(image.checksum))]),
            ),
            ("boot-id", Value::from(boot_id)),
            ("kernel-params", Value::list(params.into_iter().map(Value::from).collect())),
        ]);
        let fact = (ticket.node.clone(), Arc::from(SYSTEM_SOURCE), value);
        store.record_facts(fence, vec![fact], now).await.map_err(broken)?;
        let newest = store.newest_ticket(&ticket.node).await.map_err(broken)?;
        match newest {
            Some(newest) if newest.id != ticket.id => {
                store
                    .move_ticket(fence, &newest.id, FROM_OPEN, TicketState::Missed, None, now)
                    .await
                    .map_err(broken)?;
            }
            _ => {
                store
                    .move_ticket(fence, &ticket.id, FROM_INSTALLED, TicketState::Booted, None, now)
                    .await
                    .map_err(broken)?;
            }
        }
        Ok(())
    }
}

fn kernel_params(spec: &Value) -> Vec<String> {
    let Some(params) = spec.get("kernel-params").and_then(Value::as_map) else { return Vec::new() };
    params
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match value {
            Value::Text(text) if text.is_empty() => name.to_string(),
            Value::Text(text) => format!("{name}={text}"),
            other => format!("{name}={other}"),
        })
        .collect()
}
