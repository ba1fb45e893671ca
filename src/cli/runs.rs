//! `runs`: the runs of a site, newest first.

use super::Global;
use super::common::Where;
use super::exit::{CliError, Exit};
use crate::store::{Lease, Store};
use crate::view::{out, runs as shown};
use crate::world::clock;

/// List the runs, newest first.
#[derive(clap::Args)]
pub struct Args {
    /// The design folder.
    #[arg(default_value = ".")]
    design: String,
    /// How many.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    #[command(flatten)]
    place: Where,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let url = args.place.store(global, &args.design)?;
    let held = Lease::is_held(&url);
    let store = Store::open_to_read(&url).await?;
    let runs = store.runs(args.limit).await?;
    match global.json {
        true => out::json_document(&shown::list_json(&runs, held)),
        false => out::result(&shown::list(&runs, held, clock::now())),
    }
    store.close().await;
    Ok(Exit::Done)
}
