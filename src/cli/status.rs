//! `status`: who holds the site, and what the last run is doing, on what, since when.

use super::Global;
use super::common::Where;
use super::exit::{CliError, Exit};
use crate::store::{Lease, Store};
use crate::view::out;
use crate::view::runs::{self as shown, Standing};
use crate::world::clock;

/// Say what is going on.
#[derive(clap::Args)]
pub struct Args {
    /// The design folder.
    #[arg(default_value = ".")]
    design: String,
    #[command(flatten)]
    place: Where,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let url = args.place.store(global, &args.design)?;
    let held = Lease::is_held(&url);
    let store = Store::open_to_read(&url).await?;
    let standing = match store.runs(1).await?.into_iter().next() {
        Some(run) => {
            let nodes = store.run_nodes(&run.id).await?;
            let steps = store.run_steps(&run.id).await?;
            Some(Standing { run, nodes, steps })
        }
        None => None,
    };
    match global.json {
        true => out::json_document(&shown::status_json(held, standing.as_ref())),
        false => out::result(&shown::status(held, standing.as_ref(), clock::now())),
    }
    store.close().await;
    Ok(Exit::Done)
}
