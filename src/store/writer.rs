//! The one writer: writes that wait together are committed together.
//!
//! A commit with `synchronous=FULL` costs about a millisecond whatever it holds, so a thousand
//! nodes that journal at once share commits. Each write stands in a savepoint of its own: one that
//! fails takes no other with it. Nobody is told "done" before the commit.

use super::{Store, StoreError};
use futures::future::BoxFuture;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Writes that may wait for the writer; more make their callers wait.
const QUEUE: usize = 1_024;
/// Writes in one transaction: keeps a commit short.
const GROUP: usize = 256;
/// How often a transaction is begun while another program holds the store; each try waits SQLite's
/// own busy time first.
const BEGIN_TRIES: u32 = 3;

#[derive(Clone)]
pub(super) struct Writer {
    queue: mpsc::Sender<Box<dyn Write>>,
    /// Told to end; what was queued before is still written.
    end: CancellationToken,
    ended: CancellationToken,
}

trait Write: Send {
    /// Performs the write inside the group's transaction; true when it wants to be committed.
    fn perform<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, bool>;
    /// Tells whoever waits, after the commit or its failure.
    fn finish(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Pending<T, F> {
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Write for Pending<T, F>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send,
{
    fn perform<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, bool> {
        Box::pin(async move {
            let result = match self.work.take() {
                Some(work) => work(connection).await,
                None => Err(StoreError::Sql("a write was performed twice".into())),
            };
            let wanted = result.is_ok();
            self.result = Some(result);
            wanted
        })
    }

    fn finish(self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match (self.result, committed) {
            (Some(own), committed) => own.and_then(|value| committed.map(|()| value)),
            // Its transaction could not begin, or broke off before its turn: that is what went wrong.
            (None, Err(error)) => Err(error),
            (None, Ok(())) => Err(StoreError::Sql("a write was never performed".into())),
        };
        // A caller that went away has no use for the result.
        let _ = self.reply.send(result);
    }
}

impl Writer {
    pub(super) fn start(connection: SqliteConnection) -> Writer {
        let (queue, receiver) = mpsc::channel(QUEUE);
        let writer = Writer { queue, end: CancellationToken::new(), ended: CancellationToken::new() };
        tokio::spawn(write_groups(
            connection,
            receiver,
            writer.end.clone(),
            writer.ended.clone().drop_guard(),
        ));
        writer
    }

    /// Writes what is queued, then closes the file.
    pub(super) async fn end(&self) {
        self.end.cancel();
        self.ended.cancelled().await;
    }
}

async fn write_groups(
    mut connection: SqliteConnection,
    mut queue: mpsc::Receiver<Box<dyn Write>>,
    end: CancellationToken,
    _ended: DropGuard,
) {
    let mut group = Vec::with_capacity(GROUP);
    loop {
        let received = tokio::select! {
            biased;
            received = queue.recv_many(&mut group, GROUP) => received,
            () = end.cancelled() => 0,
        };
        if received == 0 {
            break;
        }
        let committed = write_group(&mut connection, &mut group).await;
        if let Err(error) = &committed {
            tracing::error!(%error, "a group of writes was not committed");
        }
        for write in group.drain(..) {
            write.finish(committed.clone());
        }
    }
    // Checkpoint and close, so that a reader needs no log file.
    let _ = connection.close().await;
}

async fn write_group(
    connection: &mut SqliteConnection,
    group: &mut [Box<dyn Write>],
) -> Result<(), StoreError> {
    begin(connection).await?;
    let performed = perform_all(connection, group).await;
    let last = if performed.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = sqlx::query(last).execute(&mut *connection).await;
    if ended.is_err() && last == "COMMIT" {
        // After a full disk SQLite may or may not have rolled back by itself.
        let _ = sqlx::query("ROLLBACK").execute(&mut *connection).await;
    }
    performed?;
    ended?;
    Ok(())
}

/// Begins; a lock that another program holds is waited out a few times more.
async fn begin(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    for _ in 1..BEGIN_TRIES {
        match sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await.map_err(StoreError::from) {
            Ok(_) => return Ok(()),
            Err(StoreError::Locked(why)) => tracing::warn!(why, "the store is locked; trying again"),
            Err(error) => return Err(error),
        }
    }
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *connection).await?;
    Ok(())
}

async fn perform_all(
    connection: &mut SqliteConnection,
    group: &mut [Box<dyn Write>],
) -> Result<(), StoreError> {
    for write in group {
        sqlx::query("SAVEPOINT one").execute(&mut *connection).await?;
        if !write.perform(connection).await {
            sqlx::query("ROLLBACK TO one").execute(&mut *connection).await?;
        }
        sqlx::query("RELEASE one").execute(&mut *connection).await?;
    }
    Ok(())
}

impl Store {
    /// Performs `work` inside the writer's next transaction; returns after the commit.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let writer = self.writer.as_ref().ok_or(StoreError::ReadOnly)?;
        let (reply, result) = oneshot::channel();
        let gone = |_| StoreError::Sql("the writer has stopped".into());
        let pending = Pending { work: Some(work), result: None, reply };
        writer.queue.send(Box::new(pending)).await.map_err(|_| gone(()))?;
        result.await.map_err(|_| gone(()))?
    }
}
