//! `image`: the images of container tasks and their states, and making them ahead of a run.

use super::exit::{CliError, Exit};
use super::{Global, common};
use crate::model::image::ImageState;
use crate::reconcile::{images, place};
use crate::view::{image as shown, out};

/// Show the images of container tasks, and whether they can be run.
#[derive(clap::Args)]
pub struct Args {
    /// The design, a folder or a URI.
    #[arg(default_value = ".")]
    design: String,
    /// Pull, load or build what is missing.
    #[arg(long)]
    make: bool,
    /// The design at this revision: a commit, branch or tag; of an archive, its digest.
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let site =
        common::load_with(global, &args.design, &common::source(args.revision.as_deref(), true)).await?;
    let cache = common::cache_folder();
    let url = place::store_url(global.store.as_deref(), &args.design, false, cache.as_deref())?;
    let images = images::Images::new(&site, &url);
    if args.make {
        images.make().await;
    }
    let rows = images.rows().await;
    match global.json {
        true => out::json_document(&shown::json(&rows)),
        false => out::result(&shown::human(&rows)),
    }
    let ready = rows.iter().all(|row| row.state == ImageState::Ready);
    Ok(if args.make && !ready { Exit::Fault } else { Exit::Done })
}
