//! `release`: take a node out of care.

use super::Global;
use super::apply::{ask, say_agents, show_events};
use super::common::{self, Where};
use super::exit::{CliError, Exit};
use super::flags::Agreement;
use crate::model::run::RunState;
use crate::reconcile::release::Leaving;
use crate::reconcile::session::Session;
use crate::view::{out, plan as shown, runs};
use tokio_util::sync::CancellationToken;

/// Take a node out of care: run the release blueprint on its machine, end its record, keep its history.
#[derive(clap::Args)]
pub struct Args {
    /// The node, as the record names it.
    node: String,
    /// The design folder.
    #[arg(long, default_value = ".")]
    design: String,
    /// Leave nothing on it: run `std/destroy`, which wipes its disks and removes its volumes.
    #[arg(long)]
    wipe: bool,
    #[command(flatten)]
    agreement: Agreement,
    #[command(flatten)]
    place: Where,
}

pub async fn run(global: &Global, args: &Args) -> Result<Exit, CliError> {
    let site = common::load_with(global, &args.design, &common::source(None, true)).await?;
    let url = args.place.store(global, &args.design)?;
    let machines = args.place.machines(&args.design)?;
    let cancel = common::stop_on_signal();
    let (events, shower) = show_events(global.json);
    let mut session = Session::open(site, &url, machines, events, cancel.clone()).await?;
    let outcome = turn(global, args, &mut session, &cancel).await;
    session.close().await;
    let _ = shower.await;
    outcome
}

async fn turn(
    global: &Global,
    args: &Args,
    session: &mut Session,
    cancel: &CancellationToken,
) -> Result<Exit, CliError> {
    let unfinished = session.unfinished().await?;
    if !unfinished.is_empty() {
        return Err(CliError::new(Exit::Fault, runs::unfinished(&unfinished))
            .help("go on with it by `rackwright apply`, or end it with `rackwright cancel RUN`"));
    }
    let leaving = if args.wipe { Leaving::Nothing } else { Leaving::Data };
    let plan = session.plan_release(&args.node, leaving).await?;
    if !global.json {
        out::result(&shown::human(&plan));
    }
    ask(&plan, &args.agreement.approvals(&args.place), args.agreement.yes, cancel).await?;
    let finished = session.carry_out(&plan, format!("release {}", args.node), false).await?;
    say_agents(session).await?;
    if finished.interrupted {
        return Ok(Exit::Interrupted);
    }
    if finished.result != RunState::Succeeded {
        return Ok(Exit::Failed);
    }
    if !global.json {
        out::note(&runs::released(&args.node));
    }
    Ok(Exit::Done)
}
