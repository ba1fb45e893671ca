//! The images of a site's container tasks: what is known of them, and making them before a run begins.

use crate::effect::images::{ImageError, ensure, state};
use crate::effect::outside::Outside;
use crate::model::image::{Image, ImageRow, ImageState};
use crate::model::plan::Plan;
use crate::model::site::Site;
use crate::store::Url;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// The folder beside a store in which images and commands are kept.
pub fn kept(url: &Url) -> &Path {
    url.0.parent().unwrap_or(Path::new(""))
}

/// The images of a site, outside of any run.
pub struct Images<'a> {
    site: &'a Site,
    outside: Outside,
}

impl<'a> Images<'a> {
    pub fn new(site: &'a Site, url: &Url) -> Images<'a> {
        Images { site, outside: Outside::new(site, kept(url), false) }
    }

    /// Makes what is missing; what could not be made shows in its state.
    pub async fn make(&self) {
        for word in self.by_word().keys() {
            if let Err(error) = ensure(&self.outside, word).await {
                tracing::warn!(image = word, %error, "an image could not be made");
            }
        }
    }

    /// Every image once, in order of name, with the tasks that it is of.
    pub async fn rows(&self) -> Vec<ImageRow> {
        let mut rows = Vec::new();
        for (image, tasks) in self.by_word().into_values() {
            rows.push(ImageRow { state: self.state(&image).await, image, tasks });
        }
        rows
    }

    /// What is known of one image.
    pub async fn state(&self, image: &Image) -> ImageState {
        let looked = state(&self.outside, image).await;
        looked.unwrap_or_else(|error| ImageState::Unseen { why: error.to_string() })
    }

    fn by_word(&self) -> BTreeMap<String, (Image, Vec<Arc<str>>)> {
        let mut images: BTreeMap<String, (Image, Vec<Arc<str>>)> = BTreeMap::new();
        for task in self.site.tasks.values() {
            let Some(image) = &task.image else { continue };
            let entry = images.entry(image.word()).or_insert_with(|| (image.clone(), Vec::new()));
            entry.1.push(task.name.clone());
        }
        images
    }
}

/// Why a run cannot begin.
#[derive(Debug, thiserror::Error)]
#[error("task `{task}` cannot run")]
pub struct NotReady {
    task: Arc<str>,
    source: ImageError,
}

/// Sees to the images of every container task of the plan, before its first node is touched.
pub async fn prepare(outside: &Outside, site: &Site, plan: &Plan) -> Result<(), NotReady> {
    let steps = plan.targets().flat_map(|node| &node.steps);
    let names: BTreeSet<&Arc<str>> = steps.map(|step| &step.task).collect();
    for task in names.into_iter().filter_map(|name| site.tasks.get(name)) {
        let Some(image) = &task.image else { continue };
        if outside.rehearsed && !task.rehearsed {
            continue;
        }
        let ready = ensure(outside, &image.word()).await;
        ready.map_err(|source| NotReady { task: task.name.clone(), source })?;
    }
    Ok(())
}
