//! Boot tickets: the right of one machine to be installed once, or to boot the agent, under keys that are stored only
//! as digests.

use super::{Fence, Store, StoreError, record};
use crate::model::value::Value;
use crate::units::Time;
use sqlx::{Row, SqliteConnection};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// The id of the effect that opened it.
    pub id: String,
    pub node: Arc<str>,
    pub run: String,
    /// The attempt that opened it.
    pub attempt: i64,
    pub purpose: Purpose,
    pub state: TicketState,
    /// The node's spec as the run pinned it: what is installed.
    pub spec: Value,
    /// Digests of the key that the installer or the agent uses, and of the one that the installed system keeps.
    pub install_key: String,
    pub home_key: String,
    pub created_at: Time,
    /// An installer has fetched its order, or the agent was to wipe: the disk is no longer what it was.
    pub fetched: bool,
    /// What the machine said last: a report or a fault; of an agent, who it is.
    pub report: Option<Value>,
}

/// What the machine boots with the ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The installer: the node's image goes to its disk.
    Install,
    /// The agent, which takes orders from a script.
    Agent,
}

impl Purpose {
    pub fn word(self) -> &'static str {
        match self {
            Purpose::Install => "install",
            Purpose::Agent => "agent",
        }
    }
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

/// The columns of a ticket, in the order in which they are read.
macro_rules! columns {
    () => {
        "SELECT id, node, run, attempt, state, spec, install_key, home_key, created_at, fetched_at, report,
         purpose FROM boot_ticket "
    };
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
                insert(connection, ticket).await
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
        self.one_ticket(concat!(columns!(), "WHERE id = $1"), id).await
    }

    /// The ticket with this digest of an install key.
    pub async fn ticket_by_install_key(&self, digest: &str) -> Result<Option<Ticket>, StoreError> {
        self.one_ticket(concat!(columns!(), "WHERE install_key = $1"), digest).await
    }

    /// The ticket with this digest of an installed system's key.
    pub async fn ticket_by_home_key(&self, digest: &str) -> Result<Option<Ticket>, StoreError> {
        self.one_ticket(concat!(columns!(), "WHERE home_key = $1"), digest).await
    }

    /// The ticket with which an attempt's agent was brought up, and which is still good.
    pub async fn agent_ticket_of(&self, attempt: i64) -> Result<Option<Ticket>, StoreError> {
        let query = concat!(
            columns!(),
            "WHERE attempt = CAST($1 AS INTEGER) AND purpose = 'agent' AND state = 'open' ORDER BY rowid DESC LIMIT 1"
        );
        self.one_ticket(query, &attempt.to_string()).await
    }

    /// The ticket whose image was last put, or begun to be put, on the node's disk.
    pub async fn newest_fetched_ticket(&self, node: &str) -> Result<Option<Ticket>, StoreError> {
        self.one_ticket(
            concat!(columns!(), "WHERE node = $1 AND fetched_at IS NOT NULL ORDER BY rowid DESC LIMIT 1"),
            node,
        )
        .await
    }

    /// True while the attempt that opened the ticket is under way.
    pub async fn is_under_way(&self, ticket: &Ticket) -> Result<bool, StoreError> {
        let running: i64 =
            sqlx::query_scalar("SELECT count(*) FROM attempt WHERE id = $1 AND state = 'running'")
                .bind(ticket.attempt)
                .fetch_one(&self.reads)
                .await?;
        Ok(running > 0)
    }

    /// Notes that an installer fetches the ticket's order, before it gets it; false when the ticket is
    /// not good any more. Both in one write: no order is handed out for an attempt that has just ended.
    pub async fn note_fetched(&self, fence: &Fence, id: &str, now: Time) -> Result<bool, StoreError> {
        let (fence, id) = (fence.clone(), id.to_string());
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                let noted = sqlx::query(
                    "UPDATE boot_ticket SET fetched_at = coalesce(fetched_at, $2) WHERE id = $1 AND state = 'open'
                     AND EXISTS (SELECT 1 FROM attempt WHERE id = boot_ticket.attempt AND state = 'running')",
                )
                .bind(id)
                .bind(now.0)
                .execute(connection)
                .await?;
                Ok(noted.rows_affected() > 0)
            })
        })
        .await
    }

    /// Keeps who the agent of a ticket is, and rings for whoever waits for it; false when the ticket is not good any more.
    pub async fn note_agent(
        &self,
        fence: &Fence,
        id: &str,
        agent: Value,
        now: Time,
    ) -> Result<bool, StoreError> {
        let (fence, key) = (fence.clone(), id.to_string());
        let noted = self
            .write(move |connection| {
                Box::pin(async move {
                    fence.check(connection).await?;
                    let noted = sqlx::query(
                        "UPDATE boot_ticket SET report = $2, changed_at = $3
                         WHERE id = $1 AND purpose = 'agent' AND state = 'open'
                         AND EXISTS (SELECT 1 FROM attempt WHERE id = boot_ticket.attempt AND state = 'running')",
                    )
                    .bind(key)
                    .bind(agent.to_string())
                    .bind(now.0)
                    .execute(connection)
                    .await?;
                    Ok(noted.rows_affected() > 0)
                })
            })
            .await?;
        self.bell.ring(id);
        Ok(noted)
    }

    /// Before the agent of a ticket is told to wipe for `step`: from here on no system counts as installed on the node,
    /// and steps of scope `os` as undone, whatever becomes of the order. False when the ticket is not good any more.
    pub async fn note_wiping(
        &self,
        fence: &Fence,
        ticket: &Ticket,
        step: &str,
        now: Time,
    ) -> Result<bool, StoreError> {
        let (fence, id, node, step) =
            (fence.clone(), ticket.id.clone(), ticket.node.clone(), step.to_string());
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                let noted = sqlx::query(
                    "UPDATE boot_ticket SET fetched_at = coalesce(fetched_at, $2)
                     WHERE id = $1 AND purpose = 'agent' AND state = 'open'
                     AND EXISTS (SELECT 1 FROM attempt WHERE id = boot_ticket.attempt AND state = 'running')",
                )
                .bind(id)
                .bind(now.0)
                .execute(&mut *connection)
                .await?;
                if noted.rows_affected() == 0 {
                    return Ok(false);
                }
                lose_system(connection, &fence.site, &node, &step).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Before what the node's system is on goes for `step`: from here on no system counts as installed, and steps of scope
    /// `os` as undone. `ticket` is one that nothing can boot by; it speaks for the node from now on, and says nothing.
    pub async fn give_disk_up(&self, fence: &Fence, ticket: Ticket, step: &str) -> Result<(), StoreError> {
        let (fence, node, step) = (fence.clone(), ticket.node.clone(), step.to_string());
        let rung = node.clone();
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                let (id, now) = (ticket.id.clone(), ticket.created_at);
                insert(connection, ticket).await?;
                sqlx::query("UPDATE boot_ticket SET fetched_at = coalesce(fetched_at, $2) WHERE id = $1")
                    .bind(id)
                    .bind(now.0)
                    .execute(&mut *connection)
                    .await?;
                lose_system(connection, &fence.site, &node, &step).await
            })
        })
        .await?;
        self.bell.ring(&rung);
        Ok(())
    }

    /// The newest ticket of a node, in the order in which they were opened: clocks are set back.
    pub async fn newest_ticket(&self, node: &str) -> Result<Option<Ticket>, StoreError> {
        self.one_ticket(concat!(columns!(), "WHERE node = $1 ORDER BY rowid DESC LIMIT 1"), node).await
    }

    async fn one_ticket(&self, query: &'static str, key: &str) -> Result<Option<Ticket>, StoreError> {
        let row = sqlx::query(query).bind(key).fetch_optional(&self.reads).await?;
        row.map(|row| {
            let state: String = row.get(4);
            let report: Option<String> = row.get(10);
            let purpose: String = row.get(11);
            Ok(Ticket {
                id: row.get(0),
                node: row.get::<String, _>(1).into(),
                run: row.get(2),
                attempt: row.get(3),
                purpose: [Purpose::Install, Purpose::Agent]
                    .into_iter()
                    .find(|known| known.word() == purpose)
                    .ok_or_else(|| StoreError::Content(format!("ticket purpose `{purpose}`")))?,
                state: STATES
                    .iter()
                    .find(|(_, word)| *word == state)
                    .map(|(state, _)| *state)
                    .ok_or_else(|| StoreError::Content(format!("ticket state `{state}`")))?,
                spec: serde_json::from_str(row.get(5))?,
                install_key: row.get(6),
                home_key: row.get(7),
                created_at: Time(row.get(8)),
                fetched: row.get::<Option<i64>, _>(9).is_some(),
                report: report.map(|text| serde_json::from_str(&text)).transpose()?,
            })
        })
        .transpose()
    }
}

/// Withdraws the node's open tickets and adds this one; the same id again changes nothing.
async fn insert(connection: &mut SqliteConnection, ticket: Ticket) -> Result<(), StoreError> {
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
        "INSERT INTO boot_ticket (id, node, run, attempt, state, spec, install_key, home_key, created_at, changed_at,
         purpose) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10) ON CONFLICT (id) DO NOTHING",
    )
    .bind(ticket.id)
    .bind(&*ticket.node)
    .bind(ticket.run)
    .bind(ticket.attempt)
    .bind(ticket.state.word())
    .bind(ticket.spec.to_string())
    .bind(ticket.install_key)
    .bind(ticket.home_key)
    .bind(ticket.created_at.0)
    .bind(ticket.purpose.word())
    .execute(connection)
    .await?;
    Ok(())
}

/// What every loss of an installed system means to the records.
async fn lose_system(
    connection: &mut SqliteConnection,
    site: &str,
    node: &str,
    step: &str,
) -> Result<(), StoreError> {
    record::wipe_os(connection, node, step).await?;
    record::grow_serials(connection, site, node).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Lease, Url};

    fn ticket(id: &str, at: i64) -> Ticket {
        Ticket {
            id: id.into(),
            node: "n01".into(),
            run: "r".into(),
            attempt: 7,
            purpose: Purpose::Agent,
            state: TicketState::Open,
            spec: Value::Null,
            install_key: format!("{id}-install"),
            home_key: format!("{id}-home"),
            created_at: Time(at),
            fetched: false,
            report: None,
        }
    }

    #[tokio::test]
    async fn the_newest_ticket_was_opened_last_whatever_the_clock_says() {
        let folder = tempfile::tempdir().unwrap();
        let url = Url(folder.path().join("store.db"));
        let store = Store::open(&url).await.unwrap();
        store.ensure_site(&"lab".into(), "secret".into()).await.unwrap();
        let lock = Lease::lock(&url).unwrap();
        let lease = store.take_lease(lock, &"lab".into(), "test".into(), Time(1)).await.unwrap();
        for (id, at) in [("r-9", 500), ("r-1", 100)] {
            store.open_ticket(&lease.fence, ticket(id, at)).await.unwrap();
        }
        let fetched = "UPDATE boot_ticket SET fetched_at = 600";
        let all = store.write(move |connection| {
            Box::pin(async move {
                sqlx::query(fetched).execute(connection).await?;
                Ok(())
            })
        });
        all.await.unwrap();
        let id = |ticket: Option<Ticket>| ticket.map(|ticket| ticket.id);
        assert_eq!(id(store.newest_ticket("n01").await.unwrap()).as_deref(), Some("r-1"));
        assert_eq!(id(store.newest_fetched_ticket("n01").await.unwrap()).as_deref(), Some("r-1"));
        assert_eq!(id(store.agent_ticket_of(7).await.unwrap()).as_deref(), Some("r-1"));
        assert_eq!(id(store.agent_ticket_of(8).await.unwrap()), None);
        store.close().await;
    }
}
