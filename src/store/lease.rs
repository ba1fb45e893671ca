//! The lease: one process may act on a site. A row with a fencing token, and an OS file lock
//! besides, so that a dead holder is known at once.

use super::{Store, StoreError, Url, open::with_suffix};
use crate::units::Time;
use sqlx::SqliteConnection;
use std::fs::{File, OpenOptions, TryLockError};
use std::sync::Arc;
use std::time::Duration;

/// Somebody who only looks whether the lock is held has it for a moment: it is tried again.
const LOCK_TRIES: u32 = 5;
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The right to act on a site, while the value lives.
pub struct Lease {
    pub fence: Fence,
    _lock: FileLock,
}

/// The token that every write of a run carries.
#[derive(Clone, Debug)]
pub struct Fence {
    pub site: Arc<str>,
    pub token: i64,
}

/// An exclusive lock on `STORE.lock`; the operating system frees it when the process ends.
pub struct FileLock(#[expect(dead_code, reason = "held for its drop")] File);

impl FileLock {
    /// Fails with [`StoreError::Held`] when another process holds it.
    pub fn acquire(url: &Url) -> Result<FileLock, StoreError> {
        let path = with_suffix(&url.0, ".lock");
        let failed =
            |error: std::io::Error| StoreError::Open { path: path.clone(), message: error.to_string() };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        for _ in 0..LOCK_TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(FileLock(file)),
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
        }
        Err(StoreError::Held(url.0.clone()))
    }

    /// True when some process holds the lock now.
    pub fn is_held(url: &Url) -> bool {
        let path = with_suffix(&url.0, ".lock");
        OpenOptions::new()
            .write(true)
            .open(path)
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

impl Lease {
    /// True when some process holds the store at `url` now.
    pub fn is_held(url: &Url) -> bool {
        FileLock::is_held(url)
    }

    /// Takes the file lock: the first half of a lease, before the store is opened.
    pub fn lock(url: &Url) -> Result<FileLock, StoreError> {
        FileLock::acquire(url)
    }
}

impl Store {
    /// Draws a new token: every earlier holder's writes are refused from here on.
    pub async fn take_lease(
        &self,
        lock: FileLock,
        site: &Arc<str>,
        holder: String,
        now: Time,
    ) -> Result<Lease, StoreError> {
        let name = site.clone();
        let token = self
            .write(move |connection| {
                Box::pin(async move {
                    let before: Option<(i64, i64)> =
                        sqlx::query_as("SELECT token, alive_at FROM lease WHERE site = $1")
                            .bind(&*name)
                            .fetch_optional(&mut *connection)
                            .await?;
                    let (token, alive_at) = before.unwrap_or((0, now.0));
                    sqlx::query(
                        "INSERT INTO lease (site, token, holder, alive_at) VALUES ($1, $2, $3, $4)
                         ON CONFLICT (site) DO UPDATE SET token = $2, holder = $3, alive_at = $4",
                    )
                    .bind(&*name)
                    .bind(token + 1)
                    .bind(holder)
                    .bind(now.0)
                    .execute(&mut *connection)
                    .await?;
                    // Time without a holder counts for no wait: in the same write, or it would be lost.
                    stretch_deadlines(connection, now.since(Time(alive_at))).await?;
                    Ok(token + 1)
                })
            })
            .await?;
        let fence = Fence { site: site.clone(), token };
        Ok(Lease { fence, _lock: lock })
    }

    /// Says that the holder lives; refused when another has taken over.
    pub async fn keep_lease(&self, fence: &Fence, now: Time) -> Result<(), StoreError> {
        let fence = fence.clone();
        self.write(move |connection| {
            Box::pin(async move {
                fence.check(connection).await?;
                sqlx::query("UPDATE lease SET alive_at = $2 WHERE site = $1")
                    .bind(&*fence.site)
                    .bind(now.0)
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }
}

impl Fence {
    /// Refuses the write when another process has taken the lease.
    pub(super) async fn check(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let token: Option<i64> = sqlx::query_scalar("SELECT token FROM lease WHERE site = $1")
            .bind(&*self.site)
            .fetch_optional(connection)
            .await?;
        if token == Some(self.token) { Ok(()) } else { Err(StoreError::Fenced) }
    }
}

/// Stretches the deadlines of what is under way by time that passed without a holder.
async fn stretch_deadlines(connection: &mut SqliteConnection, gap: Duration) -> Result<(), StoreError> {
    let micros = i64::try_from(gap.as_micros()).unwrap_or(i64::MAX / 4);
    for stretch in [
        "UPDATE effect SET deadline = deadline + $1 WHERE answered_at IS NULL AND deadline IS NOT NULL
         AND attempt IN (SELECT id FROM attempt WHERE state = 'running')",
        "UPDATE attempt SET deadline = deadline + $1 WHERE state = 'running'",
    ] {
        sqlx::query(stretch).bind(micros).execute(&mut *connection).await?;
    }
    Ok(())
}
