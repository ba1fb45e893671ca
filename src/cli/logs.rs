//! `logs`: what happened in a run, in order.

use super::Global;
use super::common;
use super::exit::{CliError, Exit};
use super::flags::OfRun;
use crate::id::RunId;
use crate::model::run::RunState;
use crate::store::{Lease, Store, Url};
use crate::view::{out, runs as shown};
use std::time::Duration;

/// Between two looks while following.
const LOOK: Duration = Duration::from_millis(300);

/// Print the attempts and messages of a run.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    of: OfRun,
    /// Go on printing what happens, until the run has ended.
    #[arg(long)]
    follow: bool,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let url = args.of.place.store(global, &args.of.design)?;
    let store = Store::open_to_read(&url).await?;
    let id = common::chosen_run(&store, args.of.run.as_deref()).await?.id;
    let mut printed = Printed::default();
    if !args.follow {
        printed.print_new(global, args, &store, &id).await?;
        store.close().await;
        return Ok(Exit::Done);
    }
    let cancel = common::stop_on_signal();
    loop {
        // Asked first: what happens between is printed by this look or the next.
        let over = is_over(&store, &url, &id).await?;
        printed.print_new(global, args, &store, &id).await?;
        if over {
            store.close().await;
            return Ok(Exit::Done);
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = cancel.cancelled() => return Ok(Exit::Interrupted),
        }
    }
}

/// True when nothing more will happen in the run by itself: it ended, or nobody carries it out.
async fn is_over(store: &Store, url: &Url, id: &RunId) -> Result<bool, CliError> {
    let run = store.run(&id.0).await?;
    Ok(run.is_none_or(|run| run.state != RunState::Running) || !Lease::is_held(url))
}

/// What has been printed so far.
#[derive(Default)]
struct Printed {
    /// The last message.
    message: i64,
    /// Beginnings and ends of attempts.
    attempts: std::collections::BTreeSet<(i64, bool)>,
}

impl Printed {
    /// Prints what has happened since, in order.
    async fn print_new(
        &mut self,
        global: &Global,
        args: &Args,
        store: &Store,
        id: &RunId,
    ) -> Result<(), CliError> {
        let wanted = |node: Option<&str>, step: Option<&str>| {
            args.of.node.as_deref().is_none_or(|only| node == Some(only))
                && args.of.step.as_deref().is_none_or(|only| step == Some(only))
        };
        let mut attempts = store.attempts(id).await?;
        attempts.retain(|attempt| wanted(Some(&attempt.node), Some(&attempt.step)));
        let mut messages = store.messages(&id.0, self.message).await?;
        self.message = messages.last().map_or(self.message, |(last, _)| *last);
        messages.retain(|(_, message)| wanted(message.node.as_deref(), message.step.as_deref()));
        for line in shown::logs(&attempts, &messages) {
            if line.attempt.is_some_and(|moment| !self.attempts.insert(moment)) {
                continue;
            }
            match global.json {
                true => out::json(&line.json),
                false => out::result(&format!("{}  {}", line.at, line.text)),
            }
        }
        Ok(())
    }
}
