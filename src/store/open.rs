//! Opening: where a store lies, its migrations, and reading one without leaving a trace.

use super::{Store, StoreError, writer::Writer};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, SqliteConnection};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// How long SQLite itself waits for another process's write.
const BUSY: Duration = Duration::from_secs(5);
/// Readers at once: two cores have no use for more.
const READERS: u32 = 4;

/// Where a store lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url(pub PathBuf);

impl std::str::FromStr for Url {
    type Err = StoreError;

    /// `sqlite:PATH`.
    fn from_str(text: &str) -> Result<Url, StoreError> {
        match text.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(Url(PathBuf::from(path.trim_start_matches("//")))),
            _ => Err(StoreError::Url(text.to_string())),
        }
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "sqlite:{}", self.0.display())
    }
}

impl Store {
    /// Opens the store for writing; makes it, and the folder around it, when it is not there.
    pub async fn open(url: &Url) -> Result<Store, StoreError> {
        let path = &url.0;
        let failed = |message: String| StoreError::Open { path: path.clone(), message };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| failed(error.to_string()))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY);
        let mut connection = connect(path, &options).await?;
        migrate(path, &mut connection).await?;
        let reads = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.create_if_missing(false))
            .await
            .map_err(|error| opening(path, error))?;
        Ok(Store { reads, writer: Some(Writer::start(connection)), bell: Arc::default() })
    }

    /// Opens the store for reading and leaves no trace; a store that is not there is empty.
    pub async fn open_to_read(url: &Url) -> Result<Store, StoreError> {
        let path = &url.0;
        if !path.exists() {
            return Store::empty().await;
        }
        // With no log file nobody is writing, and SQLite need not make files beside the store.
        let quiet = !with_suffix(path, "-wal").exists();
        let options =
            SqliteConnectOptions::new().filename(path).read_only(true).immutable(quiet).busy_timeout(BUSY);
        let mut connection = connect(path, &options).await?;
        let known = newest_migration();
        let found = applied_migration(&mut connection).await.map_err(|error| opening(path, error))?;
        if found > known {
            return Err(StoreError::Newer { path: path.clone(), found, known });
        }
        if found < known {
            let message =
                "it was written by an older Rackwright; `rackwright apply` brings it up to date".into();
            return Err(StoreError::Open { path: path.clone(), message });
        }
        let reads = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options)
            .await
            .map_err(|error| opening(path, error))?;
        Ok(Store { reads, writer: None, bell: Arc::default() })
    }

    /// A store in memory with nothing in it.
    pub async fn empty() -> Result<Store, StoreError> {
        let reads = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(SqliteConnectOptions::new().in_memory(true))
            .await?;
        MIGRATIONS.run(&reads).await.map_err(|error| StoreError::Sql(error.to_string()))?;
        Ok(Store { reads, writer: None, bell: Arc::default() })
    }

    /// Ends the readers, then the writer, which leaves one file behind; other handles are of no use
    /// after this.
    pub async fn close(self) {
        self.reads.close().await;
        if let Some(writer) = &self.writer {
            writer.end().await;
        }
    }
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

async fn connect(path: &Path, options: &SqliteConnectOptions) -> Result<SqliteConnection, StoreError> {
    SqliteConnection::connect_with(options).await.map_err(|error| opening(path, error))
}

fn opening(path: &Path, error: sqlx::Error) -> StoreError {
    match StoreError::from(error) {
        StoreError::Sql(message) => StoreError::Open { path: path.to_path_buf(), message },
        other => other,
    }
}

fn newest_migration() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0)
}

async fn applied_migration(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
            .fetch_one(&mut *connection)
            .await?;
    if tables == 0 {
        return Ok(0);
    }
    sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations").fetch_one(connection).await
}

async fn migrate(path: &Path, connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let known = newest_migration();
    let found = applied_migration(connection).await.map_err(|error| opening(path, error))?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_path_buf(), found, known });
    }
    if found == known {
        return Ok(());
    }
    MIGRATIONS
        .run_direct(None, connection, false)
        .await
        .map_err(|error| StoreError::Open { path: path.to_path_buf(), message: error.to_string() })
}
