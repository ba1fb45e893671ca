//! `store`: the store itself.

use super::Global;
use super::common::Where;
use super::exit::{CliError, Exit};
use crate::store::{Keep, Lease, Store, StoreError};
use crate::units;
use crate::view::{out, runs as shown};
use crate::world::clock;
use clap::Subcommand;
use std::time::Duration;

/// Look after the store.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Let old runs go, with their journals and messages; records, facts and what is under way stay.
    Prune(Prune),
}

#[derive(clap::Args)]
struct Prune {
    /// The design folder.
    #[arg(default_value = ".")]
    design: String,
    /// Only runs that ended longer ago than this.
    #[arg(long, value_name = "DURATION", default_value = "90d", value_parser = duration)]
    older_than: Duration,
    /// The newest runs stay, however old they are.
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(i64).range(0..=1_000_000))]
    keep: i64,
    /// Only say what would go.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Where,
}

fn duration(text: &str) -> Result<Duration, String> {
    units::duration(text).map_err(|error| error.to_string())
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let Command::Prune(args) = &args.command;
    let url = args.place.store(global, &args.design)?;
    if !url.0.exists() {
        return Err(CliError::new(Exit::Usage, format!("there is no store at {url}")));
    }
    // Nobody else writes meanwhile, and a run under way is never cut short.
    let lock = Lease::lock(&url)?;
    let store = Store::open(&url).await?;
    let now = clock::now();
    let none = || StoreError::Content("it belongs to no site yet".into());
    let site = store.site_name().await?.ok_or_else(none)?;
    let lease = store.take_lease(lock, &site, format!("process {}", std::process::id()), now).await?;
    let keep = Keep { since: now.minus(args.older_than), newest: args.keep };
    let pruned = store.prune(&lease.fence, keep, args.dry_run).await?;
    store.close().await;
    match global.json {
        true => out::json_document(&shown::pruned_json(&pruned, args.dry_run)),
        false => out::result(&shown::pruned(&pruned, args.dry_run)),
    }
    Ok(Exit::Done)
}
