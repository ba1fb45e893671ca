//! `cancel`: end a run that was interrupted, so that nothing goes on with it.

use super::Global;
use super::apply::show_events;
use super::common::{self, Where};
use super::exit::{CliError, Exit};
use crate::reconcile::session::Session;
use crate::view::{agent, out, runs as shown};

/// End a run that was interrupted: nothing goes on with it, its boot tickets are withdrawn.
#[derive(clap::Args)]
pub struct Args {
    /// The run, as `runs` names it.
    run: String,
    /// The design folder.
    #[arg(long, default_value = ".")]
    design: String,
    #[command(flatten)]
    place: Where,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let site = common::load_with(global, &args.design, &common::source(None, true)).await?;
    let url = args.place.store(global, &args.design)?;
    let machines = args.place.machines(&args.design)?;
    let (events, shower) = show_events(global.json);
    let session = Session::open(site, &url, machines, events, common::stop_on_signal()).await?;
    let unfinished = session.unfinished().await?;
    let found = unfinished.iter().find(|run| run.id.0 == args.run);
    let outcome = match found {
        Some(run) => session.cancel_run(&run.id).await.map_err(CliError::from),
        None => {
            Err(CliError::new(Exit::Usage, format!("there is no run `{}` that could be cancelled", args.run))
                .help("`rackwright status` says whether one was interrupted"))
        }
    };
    session.close().await;
    let _ = shower.await;
    for (node, why) in outcome? {
        out::note(&agent::cannot_be_ended(&node, &why));
    }
    out::result(&shown::cancelled(&args.run));
    Ok(Exit::Done)
}
