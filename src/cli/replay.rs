//! `replay`: evaluate a run again from its journal, at a desk.

use super::Global;
use super::common;
use super::exit::{CliError, Exit};
use super::flags::OfRun;
use crate::reconcile::design;
use crate::reconcile::replay::{Choice, replay};
use crate::store::Store;
use crate::view::{out, replay as shown};

/// Evaluate the scripts of a run again from its journal; no device is asked.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    of: OfRun,
    /// Take the scripts as they are now: what would they have made of the same answers?
    #[arg(long)]
    edited: bool,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let url = args.of.place.store(global, &args.of.design)?;
    let store = Store::open_to_read(&url).await?;
    let run = common::chosen_run(&store, args.of.run.as_deref()).await?;
    let loaded = design::load(&args.of.design, &common::source(None, false)).await;
    let site = loaded.ok().and_then(|loaded| loaded.site);
    if site.is_none() {
        out::note(shown::NO_DESIGN);
    }
    let choice = Choice { node: args.of.node.as_deref(), step: args.of.step.as_deref(), edited: args.edited };
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
