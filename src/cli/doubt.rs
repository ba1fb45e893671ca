//! `retry` and `skip`: the two answers to a step in doubt.

use super::Global;
use super::apply::show_events;
use super::common::{self, Where};
use super::exit::{CliError, Exit};
use crate::reconcile::session::Session;
use crate::store::Answer;
use crate::view::{out, runs as shown};

/// The step that is in doubt.
#[derive(clap::Args)]
pub struct Args {
    /// The run, as the question names it.
    run: String,
    /// The node.
    #[arg(long)]
    node: String,
    /// The step.
    #[arg(long)]
    step: String,
    /// The design folder.
    #[arg(long, default_value = ".")]
    design: String,
    #[command(flatten)]
    place: Where,
}

pub async fn run(global: &Global, args: &Args, answer: Answer) -> Result<Exit, CliError> {
    let site = common::load_with(global, &args.design, &common::source(None, true)).await?;
    let url = args.place.store(global, &args.design)?;
    let machines = args.place.machines(&args.design)?;
    let (events, shower) = show_events(global.json);
    let session = Session::open(site, &url, machines, events, common::stop_on_signal()).await?;
    let answered = session.answer(&args.run, &args.node, &args.step, answer).await;
    session.close().await;
    let _ = shower.await;
    if !answered? {
        let message =
            format!("step `{}` of node `{}` is not in doubt in run `{}`", args.step, args.node, args.run);
        return Err(CliError::new(Exit::Usage, message).help("`rackwright status` shows what is in doubt"));
    }
    out::result(&shown::answered(&args.node, &args.step, answer));
    Ok(Exit::Done)
}
