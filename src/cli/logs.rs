//! `logs`: what happened in a run, in order.

use super::Global;
use super::common::{self, Where};
use super::exit::{CliError, Exit};
use crate::store::Store;
use crate::view::{out, runs as shown};

/// Print the attempts and messages of a run.
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
    #[command(flatten)]
    place: Where,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let url = args.place.store(global, &args.design)?;
    let store = Store::open_to_read(&url).await?;
    let id = common::chosen_run(&store, args.run.as_deref()).await?.id;
    let wanted = |node: Option<&str>, step: Option<&str>| {
        args.node.as_deref().is_none_or(|only| node == Some(only))
            && args.step.as_deref().is_none_or(|only| step == Some(only))
    };
    let mut attempts = store.attempts(&id).await?;
    attempts.retain(|attempt| wanted(Some(&attempt.node), Some(&attempt.step)));
    let mut messages = store.messages(&id.0, 0).await?;
    messages.retain(|(_, message)| wanted(message.node.as_deref(), message.step.as_deref()));
    for (at, line, json) in shown::logs(&attempts, &messages) {
        match global.json {
            true => out::json(&json),
            false => out::result(&format!("{at}  {line}")),
        }
    }
    store.close().await;
    Ok(Exit::Done)
}
