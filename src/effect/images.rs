//! The images of container tasks: there before the first node is touched, made once for all of them.
//!
//! Owns what an image of the design is called on the engine: by the digest of what it is made from, so that an unchanged
//! folder or archive is made once.

use super::outside::Outside;
use crate::model::image::{Image, ImageState};
use crate::world::container::{BuildState, Built, ContainerError, Source, file_digest};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Of images that come from a design.
const OURS: &str = "localhost/rackwright-image";
/// In the kept folder: locks, logs and failures.
pub const FOLDER: &str = "images";
/// While another process makes the same image.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const OTHERS_TAKE: Duration = Duration::from_secs(65 * 60);

/// Why there is no image, in words.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    #[error("`{0}` is no image: write `registry/name@sha256:…` or `files/name.tar`")]
    Word(String),
    #[error(
        "the design that is in hand has another folder `{0}` than the one that was pinned, and the engine no longer has its image"
    )]
    Moved(String),
    #[error("the image `{word}` could not be made: {source}")]
    Made { word: String, source: ContainerError },
    #[error("the image `{word}` could not be looked for: {source}")]
    Engine { word: String, source: ContainerError },
}

/// What an image is called on the engine, and what it is made from.
struct Plan {
    name: String,
    /// Of what it is made from; also how its log is called.
    digest: String,
    /// `None` when what it was made from is not in hand.
    source: Option<Source>,
}

/// The name on the engine of the image that `word` calls; it is made when it is not there.
pub async fn ensure(outside: &Outside, word: &str) -> Result<String, ImageError> {
    // One at a time: two builds of one folder at once would do the work twice.
    let mut ready = outside.ready.lock().await;
    if let Some(name) = ready.get(word) {
        return Ok(name.clone());
    }
    let image = Image::of_word(word).ok_or_else(|| ImageError::Word(word.to_string()))?;
    let looked = |source| ImageError::Engine { word: word.to_string(), source };
    let plan = plan(outside, &image).await.map_err(looked)?;
    if !has(outside, &plan).await.map_err(looked)? {
        let source = plan.source.as_ref().ok_or_else(|| ImageError::Moved(word.to_string()))?;
        let made = make(outside, &plan, source).await;
        made.map_err(|source| ImageError::Made { word: word.to_string(), source })?;
    }
    ready.insert(word.to_string(), plan.name.clone());
    Ok(plan.name)
}

/// What is known of the image. Changes nothing.
pub async fn state(outside: &Outside, image: &Image) -> Result<ImageState, ContainerError> {
    let plan = plan(outside, image).await?;
    if has(outside, &plan).await? {
        return Ok(ImageState::Ready);
    }
    let folder = outside.kept.as_ref().map(|kept| kept.join(FOLDER));
    Ok(match folder.map_or(BuildState::Missing, |folder| BuildState::read(&folder, &plan.digest)) {
        BuildState::Missing => ImageState::Missing,
        BuildState::Building { log } => ImageState::Building { log },
        BuildState::Failed { log } => ImageState::Failed { log },
    })
}

async fn has(outside: &Outside, plan: &Plan) -> Result<bool, ContainerError> {
    outside.engine().await?.has_image(&plan.name).await
}

async fn plan(outside: &Outside, image: &Image) -> Result<Plan, ContainerError> {
    let ours = |digest: &str| format!("{OURS}:{digest}");
    Ok(match image {
        Image::Registry { name } => Plan {
            name: name.to_string(),
            digest: blake3::hash(name.as_bytes()).to_hex()[..32].to_string(),
            source: Some(Source::Registry(name.to_string())),
        },
        Image::Archive { file } => {
            let path = path(outside.design.as_deref(), file)?;
            let digest = file_digest(&path).await?;
            Plan { name: ours(&digest), source: Some(Source::Archive(path)), digest }
        }
        Image::Folder { path, digest } => {
            let folder = outside.folders.get(path).filter(|folder| *folder.digest == **digest);
            Plan {
                name: ours(digest),
                digest: digest.to_string(),
                source: folder.cloned().map(Source::Folder),
            }
        }
    })
}

/// A file of the design; its name cannot leave the folder.
fn path(design: Option<&Path>, file: &str) -> Result<PathBuf, ContainerError> {
    let wrong = |why: &str| ContainerError::File { path: file.to_string(), why: why.to_string() };
    let design = design.ok_or_else(|| wrong("the design has no files"))?;
    let is_plain = |part: &str| !matches!(part, "" | "." | "..");
    match file.split('/').all(is_plain) {
        true => Ok(design.join(file)),
        false => Err(wrong("the name leaves the design")),
    }
}

/// Makes the image, with its log kept; waits while another process makes it.
async fn make(outside: &Outside, plan: &Plan, source: &Source) -> Result<(), ContainerError> {
    let folder = outside.kept.as_ref().map(|kept| kept.join(FOLDER));
    let folder = folder.ok_or_else(|| ContainerError::Image("nothing is made while only looking".into()))?;
    let rounds = OTHERS_TAKE.as_millis() / LOOK_EVERY.as_millis();
    for _ in 0..rounds {
        let Some(mut built) = Built::begin(&folder, &plan.digest)? else {
            tokio::time::sleep(LOOK_EVERY).await;
            continue;
        };
        if has(outside, plan).await? {
            return Ok(());
        }
        tracing::info!(image = plan.name, "the image is being made");
        let made = outside.engine().await?.make_image(source, &plan.name, &mut |line| built.say(line)).await;
        if let Err(why) = &made {
            built.fail(&why.to_string());
        }
        return made;
    }
    Err(ContainerError::Image("another process has been making it for too long".into()))
}
