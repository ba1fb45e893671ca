//! What can go wrong with the store, each with what it means for the user.

use std::path::PathBuf;

#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    #[error("the store `{0}` is held by another process")]
    Held(PathBuf),
    #[error(
        "the store `{path}` was written by a newer Rackwright (migration {found}, this one knows {known})"
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("the store `{path}` cannot be opened: {message}")]
    Open { path: PathBuf, message: String },
    #[error("the store URL `{0}` is not understood; write `sqlite:PATH`")]
    Url(String),
    #[error("the disk that holds the store is full; nothing of this write was kept")]
    Full,
    #[error("the store is locked by another process that writes to it: {0}")]
    Locked(String),
    #[error("the store is not a database, or it is damaged: {0}")]
    Damaged(String),
    #[error("the store belongs to site `{found}`, the design is of site `{wanted}`")]
    OtherSite { wanted: String, found: String },
    #[error("another process has taken over this site; this one may not write any more")]
    Fenced,
    #[error("the store was opened for reading only")]
    ReadOnly,
    #[error("the store holds something that cannot be read: {0}")]
    Content(String),
    #[error("the store failed: {0}")]
    Sql(String),
}

/// `SQLITE_IOERR_SHMSIZE`: the file beside the store that its readers share could not grow, for want of space.
const SHM_SIZE: i64 = 4874;

impl From<sqlx::Error> for StoreError {
    /// By SQLite result code: 13 full, 5 and 6 busy or locked, 11 corrupt, 26 not a database.
    fn from(error: sqlx::Error) -> StoreError {
        let text = error.to_string();
        let code = error
            .as_database_error()
            .and_then(|database| database.code())
            .and_then(|code| code.parse::<i64>().ok());
        if code == Some(SHM_SIZE) {
            return StoreError::Full;
        }
        match code.map(|code| code & 0xff) {
            Some(13) => StoreError::Full,
            Some(5 | 6) => StoreError::Locked(text),
            Some(11 | 26) => StoreError::Damaged(text),
            _ => StoreError::Sql(text),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> StoreError {
        StoreError::Content(error.to_string())
    }
}
