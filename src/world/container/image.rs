//! Images: whether the engine has one, and how it gets it.
//!
//! What is loaded or built is tagged with the digest of what it came from, so that nothing is done twice for the same.

use super::archive::of_folder;
use super::{ContainerError, Engine, is_missing};
use crate::model::image::{DOCKERFILE, Folder};
use bollard::query_parameters::{
    BuildImageOptionsBuilder, CreateImageOptionsBuilder, ImportImageOptionsBuilder, TagImageOptionsBuilder,
};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::io::ReaderStream;

/// Of one image: a large one over a slow line, or one that is compiled.
const MAKING: Duration = Duration::from_secs(60 * 60);
/// What of a build's output is kept in an error.
const LOG_BYTES: usize = 64 << 10;

/// What an image is made from.
#[derive(Clone, Debug)]
pub enum Source {
    /// `registry/name@sha256:…`, pulled.
    Registry(String),
    /// An archive as `docker save` writes it, loaded.
    Archive(PathBuf),
    /// A folder with a Dockerfile, built.
    Folder(Arc<Folder>),
}

impl Engine {
    pub async fn has_image(&self, reference: &str) -> Result<bool, ContainerError> {
        match self.docker.inspect_image(reference).await {
            Ok(_) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(ContainerError::engine("look for an image", &error)),
        }
    }

    /// Makes the image that `source` gives, under the name `reference`. Every line that the engine says goes to `log`.
    pub async fn make_image(
        &self,
        source: &Source,
        reference: &str,
        log: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), ContainerError> {
        let making = async {
            match source {
                Source::Registry(name) => self.pull(name, log).await,
                Source::Archive(path) => self.load(path, reference, log).await,
                Source::Folder(folder) => self.build(folder, reference, log).await,
            }
        };
        let late =
            |_| ContainerError::Image(format!("it took longer than {} minutes", MAKING.as_secs() / 60));
        tokio::time::timeout(MAKING, making).await.map_err(late)??;
        match self.has_image(reference).await? {
            true => Ok(()),
            false => Err(ContainerError::NoImage(reference.to_string())),
        }
    }

    async fn pull(&self, name: &str, log: &mut (dyn FnMut(&str) + Send)) -> Result<(), ContainerError> {
        let options = CreateImageOptionsBuilder::default().from_image(name).build();
        let mut said = self.docker.create_image(Some(options), None, None);
        while let Some(info) = said.next().await {
            let info = info.map_err(|error| ContainerError::engine("pull the image", &error))?;
            log(info.status.as_deref().unwrap_or_default());
        }
        Ok(())
    }

    async fn load(
        &self,
        path: &Path,
        reference: &str,
        log: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), ContainerError> {
        let unreadable = |error: std::io::Error| ContainerError::File {
            path: path.display().to_string(),
            why: error.to_string(),
        };
        let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
        let options = ImportImageOptionsBuilder::default().build();
        let said = self.docker.import_image(options, bollard::body_try_stream(ReaderStream::new(file)), None);
        let text = heard(said, "load the image", log).await?;
        let loaded = loaded_name(&text)
            .ok_or_else(|| ContainerError::Image(format!("the engine did not say what it loaded: {text}")))?;
        let (repo, tag) = reference.rsplit_once(':').unwrap_or((reference, "latest"));
        let options = TagImageOptionsBuilder::default().repo(repo).tag(tag).build();
        let tagged = self.docker.tag_image(loaded, Some(options)).await;
        tagged.map_err(|error| ContainerError::engine("tag the image", &error))
    }

    async fn build(
        &self,
        folder: &Folder,
        reference: &str,
        log: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), ContainerError> {
        let tar = of_folder(folder).map_err(|error| ContainerError::Image(error.to_string()))?;
        let options = BuildImageOptionsBuilder::default()
            .dockerfile(DOCKERFILE)
            .t(reference)
            .rm(true)
            .forcerm(true)
            .build();
        let said = self.docker.build_image(options, None, Some(bollard::body_full(Bytes::from(tar))));
        heard(said, "build the image", log).await.map(drop)
    }
}

/// Everything that the engine says while it works; an error of its own ends with what it had said before.
async fn heard<S>(
    said: S,
    doing: &'static str,
    log: &mut (dyn FnMut(&str) + Send),
) -> Result<String, ContainerError>
where
    S: Stream<Item = Result<bollard::models::BuildInfo, bollard::errors::Error>>,
{
    tokio::pin!(said);
    let mut text = String::new();
    while let Some(info) = said.next().await {
        let info = match info {
            Ok(info) => info,
            Err(error @ bollard::errors::Error::DockerStreamError { .. }) => {
                let ContainerError::Engine { why, .. } = ContainerError::engine(doing, &error) else {
                    return Err(ContainerError::engine(doing, &error));
                };
                log(&why);
                return Err(ContainerError::Image(format!("{text}{why}")));
            }
            Err(error) => return Err(ContainerError::engine(doing, &error)),
        };
        let words = info.stream.or(info.status).unwrap_or_default();
        words.lines().for_each(&mut *log);
        if text.len() + words.len() <= LOG_BYTES {
            text += &words;
        }
    }
    Ok(text)
}

/// `Loaded image: NAME`, or `Loaded image ID: sha256:…`: what Docker and Podman say.
fn loaded_name(text: &str) -> Option<&str> {
    text.lines().rev().find_map(|line| {
        let rest = line.trim().strip_prefix("Loaded image")?;
        rest.split_once(':').map(|(_, name)| name.trim()).filter(|name| !name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_loaded_is_read_from_what_engines_say() {
        assert_eq!(loaded_name("Loaded image: localhost/burn-in:1\n"), Some("localhost/burn-in:1"));
        assert_eq!(loaded_name("x\nLoaded image ID: sha256:ab12\n"), Some("sha256:ab12"));
        assert_eq!(loaded_name("Loaded image:\n"), None);
    }
}
