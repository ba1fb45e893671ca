//! Boot tickets: the right of one machine to be installed once, under keys that are stored only
//! as digests.

use super::{Fence, Store, StoreError};
use crate::model::value::Value;
use crate::units::Time;
use sqlx::Row;
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// The id of the effect that opened it.
    pub id: String,
    pub node: Arc<str>,
    pub run: String,
    pub state: TicketState,
    /// The node's spec as the run pinned it: what is installed.
    pub spec: Value,
    /// Digests of the key that the installer uses and of the one that the installed system keeps.
    pub install_key: String,
    pub home_key: String,
    pub created_at: Time,
    /// What the machine said last: a report or a fault.
    pub report: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TicketState {
    Open,
    Installed,
    Booted,
    /// The installer said so.
    Failed,
    /// The machine booted what was on its disk before.
    Missed,
    Withdrawn,
}

const STATES: &[(TicketState, &str)] = &[
    (TicketState::Open, "open"),
    (TicketState::Installed, "installed"),
    (TicketState::Booted, "booted"),
    (TicketState::Failed, "failed"),
    (TicketState::Missed, "missed"),
    (TicketState::Withdrawn, "withdrawn"),
];

impl TicketState {
    pub fn word(self) -> &'static str {
        STATES.iter().find(|(state, _)| *state == self).map_or("", |(_, word)| word)
    }
}

impl Store {
    /// Opens a ticket and withdraws the node's open ones; the same id again changes nothing.
    pub async fn open_ticket(&self, fence: &Fence, ticket: Ticket) -> Result<(), StoreError> {
        let fence = fence.clone();
        let node = ticket.node.clone();
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                sqlx::query(
                    "UPDATE boot_ticket SET state = 'withdrawn', changed_at = $3
                     WHERE node = $1 AND id <> $2 AND state IN ('open', 'installed')",
                )
                .bind(&*ticket.node)
                .bind(&ticket.id)
                .bind(ticket.created_at.0)
                .execute(&mut *connection)
                .await?;
                sqlx::query(
                    "INSERT INTO boot_ticket (id, node, run, state, spec, install_key, home_key, created_at, changed_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (id) DO NOTHING",
                )
                .bind(ticket.id)
                .bind(&*ticket.node)
                .bind(ticket.run)
                .bind(ticket.state.word())
                .bind(ticket.spec.to_string())
                .bind(ticket.install_key)
                .bind(ticket.home_key)
                .bind(ticket.created_at.0)
                .execute(connection)
                .await?;
                Ok(())
            })
        })
        .await?;
        self.bell.ring(&node);
        Ok(())
    }

    /// Moves a ticket from one of `from` to `to`; false when it was in none of them.
    pub async fn move_ticket(
        &self,
        fence: &Fence,
        id: &str,
        from: &'static [TicketState],
        to: TicketState,
        report: Option<Value>,
        now: Time,
    ) -> Result<bool, StoreError> {
        let (fence, key) = (fence.clone(), id.to_string());
        let moved = self
            .write(move |connection| {
                Box::pin(async move {
                    fence.check(connection).await?;
                    let mut moved = 0;
                    for state in from {
                        moved += sqlx::query(
                            "UPDATE boot_ticket SET state = $3, report = coalesce($4, report), changed_at = $5
                             WHERE id = $1 AND state = $2",
                        )
                        .bind(&key)
                        .bind(state.word())
                        .bind(to.word())
                        .bind(report.as_ref().map(Value::to_string))
                        .bind(now.0)
                        .execute(&mut *connection)
                        .await?
                        .rows_affected();
                    }
                    Ok(moved > 0)
                })
            })
            .await?;
        self.bell.ring(id);
        Ok(moved)
    }

    pub async fn ticket(&self, id: &str) -> Result<Option<Ticket>, StoreError> {
        self.one_ticket(
            "SELECT id, node, run, state, spec, install_key, home_key, created_at, report FROM boot_ticket WHERE id = $1",
            id,
        )
        .await
    }

    /// The ticket with this digest of an install key.
    pub async fn ticket_by_install_key(&self, digest: &str) -> Result<Option<Ticket>, StoreError> {
        self.one_ticket(
            "SELECT id, node, run, state, spec, install_key, home_key, created_at, report FROM boot_ticket
             WHERE install_key = $1",
            digest,
        )
        .await
    }

    /// The ticket with this digest of an installed system's key.
    pub async fn ticket_by_home_key(&self, digest: &str) -> Result<Option<Ticket>, StoreError> {
        self.one_ticket(
            "SELECT id, node, run, state, spec, install_key, home_key, created_at, report FROM boot_ticket
             WHERE home_key = $1",
            digest,
        )
        .await
    }

    /// The newest ticket of a node.
    pub async fn newest_ticket(&self, node: &str) -> Result<Option<Ticket>, StoreError> {
        self.one_ticket(
            "SELECT id, node, run, state, spec, install_key, home_key, created_at, report FROM boot_ticket
             WHERE node = $1 ORDER BY created_at DESC, id DESC LIMIT 1",
            node,
        )
        .await
    }

    async fn one_ticket(&self, query: &'static str, key: &str) -> Result<Option<Ticket>, StoreError> {
        let row = sqlx::query(query).bind(key).fetch_optional(&self.reads).await?;
        row.map(|row| {
            let state: String = row.get(3);
            let report: Option<String> = row.get(8);
            Ok(Ticket {
                id: row.get(0),
                node: row.get::<String, _>(1).into(),
                run: row.get(2),
                state: STATES
                    .iter()
                    .find(|(_, word)| *word == state)
                    .map(|(state, _)| *state)
                    .ok_or_else(|| StoreError::Content(format!("ticket state `{state}`")))?,
                spec: serde_json::from_str(row.get(4))?,
                install_key: row.get(5),
                home_key: row.get(6),
                created_at: Time(row.get(7)),
                report: report.map(|text| serde_json::from_str(&text)).transpose()?,
            })
        })
        .transpose()
    }
}
