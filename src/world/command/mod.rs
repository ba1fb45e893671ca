//! Commands of this computer: a program of an allow-list, started without a shell, looked after until it has ended.
//!
//! A command must be found again by whoever comes after a controller that died. So it is not the controller that starts
//! it, but a keeper: this same binary in a process of its own, which holds a lock while the program runs, writes its
//! output and how it ended into a folder named by the effect, and kills it when its time is over. Whoever holds the folder
//! knows: the lock is held (it runs), the end is there (it ended), neither was begun (it never did). Rejected: a process id
//! and its start time, which tell that a program has gone and not how it ended.

mod folder;
mod keeper;
mod order;

pub use folder::{Found, Kept};
pub use keeper::keep;
pub use order::Order;

/// The word of the command line by which this binary becomes a keeper.
pub const KEEP: &str = "keep";

/// Why a command could not be begun or looked at.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error("`{path}` cannot be used: {source}")]
    File { path: String, source: std::io::Error },
    #[error("the command could not be begun: {0}")]
    Keeper(String),
    #[error("what the command is to do could not be read: {0}")]
    Order(#[from] serde_json::Error),
}

impl CommandError {
    fn file(path: &std::path::Path, source: std::io::Error) -> CommandError {
        CommandError::File { path: path.display().to_string(), source }
    }
}
