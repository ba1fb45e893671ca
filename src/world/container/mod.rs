//! Containers on a Docker or Podman engine, over its socket (Docker Engine API 1.41, which both speak).
//!
//! Owns the engine's address, images and the life of one container. A container has no network unless it is asked for, a
//! read-only root, no capability and no mount of the host; what it is given lies in a volume that goes with it. Knows no
//! tasks and no scripts.

mod archive;
mod engine;
mod follow;
mod image;
mod once;
mod socket;
mod state;

pub use archive::file_digest;
pub use engine::{Engine, has_engine};
pub use image::Source;
pub use once::{Found, Network, Wanted};
pub use state::{BuildState, Built};

use std::time::Duration;

/// One request to the engine; an engine that takes longer to begin its answer is hung.
const REQUEST: Duration = Duration::from_secs(120);

/// Why something with a container went wrong.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    #[error(
        "there is no container engine: {tried}; install one (apt-get install podman, then `systemctl enable --now podman.socket`), or set DOCKER_HOST"
    )]
    NoEngine { tried: String },
    #[error("the container engine failed to {doing}: {why}")]
    Engine {
        doing: &'static str,
        why: String,
        /// The engine may answer when it is asked again.
        transient: bool,
    },
    #[error("the image `{0}` is not on the engine")]
    NoImage(String),
    #[error("the image cannot be made: {0}")]
    Image(String),
    #[error("`{path}` cannot be read: {why}")]
    File { path: String, why: String },
}

impl ContainerError {
    pub fn is_transient(&self) -> bool {
        matches!(self, ContainerError::NoEngine { .. } | ContainerError::Engine { transient: true, .. })
    }

    fn engine(doing: &'static str, error: &bollard::errors::Error) -> ContainerError {
        use bollard::errors::Error;
        let refused =
            matches!(error, Error::DockerResponseServerError { .. } | Error::DockerStreamError { .. });
        let why = match error {
            Error::DockerResponseServerError { status_code, message } => format!("{message} ({status_code})"),
            Error::DockerStreamError { error } => error.clone(),
            other => other.to_string(),
        };
        ContainerError::Engine { doing, why, transient: !refused }
    }
}

/// Whether the engine says that there is no such thing.
fn is_missing(error: &bollard::errors::Error) -> bool {
    matches!(error, bollard::errors::Error::DockerResponseServerError { status_code: 404, .. })
}
