//! `replay`: evaluate a run again from its journal, at a desk.

use super::Global;
use super::common::{self, Where};
use super::exit::{CliError, Exit};
use crate::reconcile::design;
use crate::reconcile::replay::{Choice, replay};
use crate::store::Store;
use crate::view::{out, replay as shown};

/// Evaluate the scripts of a run again from its journal; no device is asked.
#[derive(clap::Args)]
pub struct Args {
    /// The run, as `runs` names it; default the newest.
    run: Option<String>,
    /// The design folder.
    #[arg(long, default_value = ".")]
    design: String,
    /// Only this node.
    #[arg(long)]
    node: Option<String>,
    /// Only this step.
    #[arg(long)]
    step: Option<String>,
    /// Take the scripts as they are now: what would they have made of the same answers?
    #[arg(long)]
    edited: bool,
    #[command(flatten)]
    place: Where,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let url = args.place.store(global, &args.design)?;
    let store = Store::open_to_read(&url).await?;
    let run = common::chosen_run(&store, args.run.as_deref()).await?;
    let loaded = design::load(&args.design, &common::source(None, false)).await;
    let site = loaded.ok().and_then(|loaded| loaded.site);
    if site.is_none() {
        out::note(shown::NO_DESIGN);
    }
    let choice = Choice { node: args.node.as_deref(), step: args.step.as_deref(), edited: args.edited };
    let replayed = replay(&store, &run.id, site.as_deref(), choice).await?;
    store.close().await;
    if replayed.is_empty() {
        return Err(CliError::new(Exit::Usage, shown::nothing(&run.id.0)).help(
            "`rackwright status` shows the nodes and steps of the last run, `rackwright logs RUN` those of another",
        ));
    }
    match global.json {
        true => out::json_document(&shown::as_json(&run.id.0, &replayed)),
        false => out::result(&shown::human(&run.id.0, &replayed)),
    }
    Ok(if replayed.iter().all(|one| one.agrees) { Exit::Done } else { Exit::Failed })
}
