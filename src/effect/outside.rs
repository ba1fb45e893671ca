//! What container and command effects need of this computer: the engine, the design's own images, and a place.

use super::failure;
use crate::model::image::Folder;
use crate::model::site::Site;
use crate::script::tape::EffectFailure;
use crate::world::container::{ContainerError, Engine};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{Mutex, OnceCell, Semaphore, SemaphorePermit};

/// Containers and commands at once, of all nodes: they share the computer that the control plane runs on.
const AT_ONCE: usize = 16;

pub struct Outside {
    /// The machines are those of a virtual rack: what would reach others is left out unless its task says otherwise.
    pub rehearsed: bool,
    /// The folder in which commands and the logs of images are kept; none while only looking.
    pub kept: Option<PathBuf>,
    /// The folder that holds the design's `files/`.
    pub design: Option<PathBuf>,
    /// The folders that machines are served `files/` from; the first that has a name serves it.
    pub served: Vec<PathBuf>,
    /// The folders of the design that are built into images, by path.
    pub folders: BTreeMap<Arc<str>, Arc<Folder>>,
    engine: OnceCell<Engine>,
    permits: Semaphore,
    /// The names on the engine of images that are there, by the word that calls them. One is made at a time.
    pub(super) ready: Mutex<BTreeMap<String, String>>,
}

impl Outside {
    /// For a site whose runs are carried out here. `kept` is a folder beside the store.
    pub fn new(site: &Site, kept: &Path, rehearsed: bool) -> Outside {
        Outside {
            // Programs work in folders of their own.
            kept: Some(std::path::absolute(kept).unwrap_or_else(|_| kept.to_path_buf())),
            folders: site.folders.clone(),
            design: site.root.clone(),
            ..Outside::looking(site, rehearsed)
        }
    }

    /// With a folder that serves what it has before the design's own.
    pub fn serving(mut self, folder: &Option<PathBuf>) -> Outside {
        self.served.splice(0..0, folder.clone());
        self
    }

    /// For looking at a site, and running nothing.
    pub fn looking(site: &Site, rehearsed: bool) -> Outside {
        let served = site.root.iter().map(|root| root.join("files")).collect();
        Outside { rehearsed, served, ..Outside::none() }
    }

    /// Of no site.
    pub fn none() -> Outside {
        Outside {
            rehearsed: false,
            kept: None,
            design: None,
            served: Vec::new(),
            folders: BTreeMap::new(),
            engine: OnceCell::new(),
            permits: Semaphore::new(AT_ONCE),
            ready: Mutex::default(),
        }
    }

    /// The engine, found when it is first wanted.
    pub async fn engine(&self) -> Result<&Engine, ContainerError> {
        self.engine.get_or_try_init(Engine::find).await
    }

    /// The engine, when something has wanted it.
    pub fn known_engine(&self) -> Option<&Engine> {
        self.engine.get()
    }

    /// The folder in which something is kept.
    pub fn folder(&self, name: &str) -> Result<PathBuf, EffectFailure> {
        let kept = self.kept.as_ref().ok_or_else(|| failure("nothing is run while only looking", false))?;
        Ok(kept.join(name))
    }

    /// Waits for its turn.
    pub async fn turn(&self) -> Result<SemaphorePermit<'_>, EffectFailure> {
        self.permits.acquire().await.map_err(|_| failure("the process is ending", true))
    }
}
