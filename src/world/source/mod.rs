//! Bringing a design's revision in: from a folder, pinned to its git commit or its content.

mod disk;
mod git;
pub mod rewrite;

pub use disk::load;

/// Why a design could not be brought in. Names the place and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    #[error("there is no design folder `{0}`; `rackwright init {0}` makes one")]
    Missing(String),
    #[error("the folder `{folder}` holds no `*.kdl` file, so it is no design{help}")]
    NoKdl { folder: String, help: String },
    #[error("`{0}` is not a folder; name the folder that holds the design's `*.kdl` files")]
    NotAFolder(String),
    #[error("`{uri}`: this build reads designs from folders; `{scheme}` is not known")]
    Scheme { uri: String, scheme: String },
    #[error("`{path}` cannot be read: {why}")]
    Unreadable { path: String, why: String },
    #[error("`{path}` has {bytes} bytes; a design file may have {limit}")]
    TooLarge { path: String, bytes: u64, limit: u64 },
    #[error("`{path}` is a link that leaves the design folder")]
    Escape { path: String },
    #[error("the design has more than {0} files")]
    TooMany(usize),
}
